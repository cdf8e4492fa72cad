// SPDX-License-Identifier: Apache-2.0
#include "core/graph/einsum_inference.h"

#include <algorithm>
#include <map>

namespace ortrun {
namespace {

struct Dimension {
  int64_t size = -1;
  std::string symbol;
};

/// The letters of a term; kEllipsis stands for the dimensions that "..." covers.
using Term = std::string;
constexpr char kEllipsis = '.';

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<Term> ParseTerm(const std::string& text) {
  Term term;
  for (size_t i = 0; i < text.size();) {
    if (IsLetter(text[i])) {
      term += text[i++];
    } else if (text.compare(i, 3, "...") == 0 && term.find(kEllipsis) == Term::npos) {
      term += kEllipsis;
      i += 3;
    } else {
      return std::nullopt;
    }
  }
  return term;
}

/// What two dimensions that must be equal, or one of them 1, become together.
Dimension Broadcast(const Dimension& a, const Dimension& b) {
  if (a.size == 1) return b;
  if (b.size == 1) return a;
  if (a.size >= 0) return a;
  if (b.size >= 0) return b;
  return a.symbol == b.symbol ? a : Dimension{};
}

/// The dimensions that letters and ellipses of all operands stand for.
class Labels {
 public:
  /// False when the operand's rank does not suit its term.
  bool Add(const Term& term, const TensorType& operand) {
    const bool open = term.find(kEllipsis) != Term::npos;
    const size_t letters = term.size() - (open ? 1 : 0);
    const size_t rank = operand.dims.size();
    if (open ? rank < letters : rank != letters) return false;
    size_t axis = 0;
    for (const char label : term) {
      if (label == kEllipsis) {
        AddEllipsis(operand, axis, rank - letters);
        axis += rank - letters;
      } else {
        ++uses_[label];
        const auto [place, added] = letters_.try_emplace(label, At(operand, axis));
        if (!added) place->second = Broadcast(place->second, At(operand, axis));
        ++axis;
      }
    }
    return true;
  }

  /// The result's term where the equation names none: what no sum runs over, in the order of the alphabet.
  Term Implicit() const {
    Term term = ellipsis_.empty() ? "" : std::string(1, kEllipsis);
    for (const auto& [label, uses] : uses_)
      if (uses == 1) term += label;
    return term;
  }

  std::optional<TensorType> Result(const Term& term) const {
    TensorType result;
    result.has_shape = true;
    const auto add = [&result](const Dimension& dim) {
      result.dims.push_back(dim.size);
      result.symbols.push_back(dim.symbol);
    };
    for (const char label : term) {
      if (label == kEllipsis) {
        std::for_each(ellipsis_.rbegin(), ellipsis_.rend(), add);
        continue;
      }
      const auto found = letters_.find(label);
      if (found == letters_.end()) return std::nullopt;
      add(found->second);
    }
    return result;
  }

 private:
  static Dimension At(const TensorType& operand, size_t axis) {
    return {operand.dims[axis], axis < operand.symbols.size() ? operand.symbols[axis] : ""};
  }

  void AddEllipsis(const TensorType& operand, size_t first, size_t count) {
    for (size_t back = 0; back < count; ++back) {
      const Dimension dim = At(operand, first + count - 1 - back);
      if (back == ellipsis_.size())
        ellipsis_.push_back(dim);
      else
        ellipsis_[back] = Broadcast(ellipsis_[back], dim);
    }
  }

  std::map<char, Dimension> letters_;
  std::map<char, size_t> uses_;
  std::vector<Dimension> ellipsis_;  ///< from the last one on
};

}  // namespace

std::optional<TensorType> InferEinsum(const std::string& equation, const std::vector<const TensorType*>& operands) {
  std::string text = equation;
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow);
  Labels labels;
  for (size_t i = 0; i < operands.size(); ++i) {
    const size_t comma = left.find(',');
    if ((comma == std::string::npos) != (i + 1 == operands.size()) || !operands[i]->has_shape) return std::nullopt;
    const std::optional<Term> term = ParseTerm(left.substr(0, comma));
    if (!term || !labels.Add(*term, *operands[i])) return std::nullopt;
    if (comma != std::string::npos) left.erase(0, comma + 1);
  }
  if (arrow == std::string::npos) return labels.Result(labels.Implicit());
  const std::optional<Term> result = ParseTerm(text.substr(arrow + 2));
  return result ? labels.Result(*result) : std::nullopt;
}

}  // namespace ortrun
