// SPDX-License-Identifier: Apache-2.0
// The half of the analysis that follows shapes from the inputs of an operator to its outputs.
#include <algorithm>

#include "core/optimizer/symbolic_operators.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

std::optional<SymbolicShape> ShapeAnalysis::Infer(const Node& node, size_t output) {
  const std::string& op = node.op_type;
  const SymbolicShape* first = ShapeOf(Input(&node, 0));
  if (KeepsShape(op)) {
    // The sum of the two inputs is the fourth output of the normalisations that skip.
    if ((output != 0 && (output != 3 || !op.starts_with("Skip"))) || first == nullptr) return std::nullopt;
    return *first;
  }
  if (Broadcasts(op)) return InferBroadcast(node);
  if (first == nullptr) return std::nullopt;
  if (op == "MatMul" || op == "FusedMatMul") {
    const SymbolicShape* second = ShapeOf(Input(&node, 1));
    if (second == nullptr || first->size() < 2 || second->size() < 2) return std::nullopt;
    const bool trans_a = node.Int("transA", 0) != 0, trans_b = node.Int("transB", 0) != 0;
    auto result =
        Broadcast(SymbolicShape(first->begin(), first->end() - 2), SymbolicShape(second->begin(), second->end() - 2));
    if (!result) return std::nullopt;
    result->push_back((*first)[first->size() - (trans_a ? 1 : 2)]);
    result->push_back((*second)[second->size() - (trans_b ? 2 : 1)]);
    return result;
  }
  if (op == "Gemm") {
    const SymbolicShape* second = ShapeOf(Input(&node, 1));
    if (second == nullptr || first->size() != 2 || second->size() != 2) return std::nullopt;
    return SymbolicShape{(*first)[node.Int("transA", 0) != 0 ? 1 : 0], (*second)[node.Int("transB", 0) != 0 ? 0 : 1]};
  }
  if (op == "Gather") {
    const SymbolicShape* indices = ShapeOf(Input(&node, 1));
    const int64_t rank = static_cast<int64_t>(first->size());
    int64_t axis = node.Int("axis", 0);
    if (axis < 0) axis += rank;
    if (indices == nullptr || axis < 0 || axis >= rank) return std::nullopt;
    SymbolicShape result(first->begin(), first->begin() + axis);
    result.insert(result.end(), indices->begin(), indices->end());
    result.insert(result.end(), first->begin() + axis + 1, first->end());
    return result;
  }
  if (op == "Shape") return std::nullopt;
  if (op == "Attention" && node.domain.empty()) return InferAttention(node, output);
  if (op == "Slice" && node.inputs.size() > 2) return InferSlice(node);
  if (op == "Reshape" || op == "Expand") return InferReshape(node);
  if (op == "Conv" || op == "FusedConv") {
    SymbolicShape result = RankOf(node.outputs[output]) >= 0 ? Declared(*node.outputs[output]) : SymbolicShape();
    if (result.size() != first->size() || result.empty()) return std::nullopt;
    result[0] = (*first)[0];
    return result;
  }
  return InferMoved(node, output);
}

std::optional<SymbolicShape> ShapeAnalysis::InferReshape(const Node& node) {
  const SymbolicShape& input = *ShapeOf(node.inputs[0]);
  const std::vector<Dim>* target = ElementsOf(Input(&node, 1));
  if (target == nullptr) return std::nullopt;
  if (node.op_type == "Expand") {
    for (const Dim& dim : *target) {
      if (!forms_.NeverNegative(dim)) return std::nullopt;
    }
    return Broadcast(input, *target);
  }
  SymbolicShape result = *target;
  size_t open = result.size();
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i].Is(0) && node.Int("allowzero", 0) == 0) {
      if (i >= input.size()) return std::nullopt;
      result[i] = input[i];
    } else if (result[i].Is(-1)) {
      if (open != result.size()) return std::nullopt;
      open = i;
    } else if (result[i].known() && result[i].value < 0) {
      return std::nullopt;
    }
  }
  // An element that may be -1 or 0 in some run says nothing.
  for (const Dim& dim : result) {
    if (!dim.known() && !forms_.NeverNegative(dim)) return std::nullopt;
  }
  if (open == result.size()) return result;
  // The open dimension takes what is left once equal factors on both sides are cancelled.
  std::vector<int> symbols;
  int64_t number = 1, divisor = 1;
  for (const Dim& dim : input) {
    if (!dim.known()) {
      symbols.push_back(dim.symbol);
    } else if (dim.value == 0 || __builtin_mul_overflow(number, dim.value, &number)) {
      number = 0;
      break;
    }
  }
  bool cancelled = number != 0;
  for (size_t i = 0; i < result.size() && cancelled; ++i) {
    if (i == open) continue;
    if (result[i].known()) {
      cancelled = result[i].value > 0 && !__builtin_mul_overflow(divisor, result[i].value, &divisor);
    } else {
      const auto found = std::find(symbols.begin(), symbols.end(), result[i].symbol);
      cancelled = found != symbols.end();
      if (cancelled) symbols.erase(found);
    }
  }
  if (cancelled && symbols.empty() && number % divisor == 0) {
    result[open] = {number / divisor, 0};
  } else if (cancelled && symbols.size() == 1 && number == divisor) {
    result[open] = {0, symbols[0]};
  } else {
    result[open] = forms_.Fresh();
  }
  return result;
}

/// The standard's Attention, with operands of rank 3 or 4.
std::optional<SymbolicShape> ShapeAnalysis::InferAttention(const Node& node, size_t output) {
  const SymbolicShape* operands[3];
  for (size_t i = 0; i < 3; ++i) {
    operands[i] = ShapeOf(Input(&node, i));
    if (operands[i] == nullptr || operands[i]->size() != operands[0]->size()) return std::nullopt;
  }
  const auto& [query, key, value] = operands;
  const int64_t heads = node.Int("q_num_heads", 0), kv_heads = node.Int("kv_num_heads", 0);
  const bool flat = query->size() == 3;
  if (query->size() != 4 && (!flat || heads < 1 || kv_heads < 1)) return std::nullopt;
  const auto size_of = [&](const SymbolicShape& shape, int64_t count) {
    return flat ? forms_.Quotient(shape[2], count) : std::optional(shape[3]);
  };
  if (output == 0) {
    const auto size = size_of(*value, kv_heads);
    const auto width = flat && size ? forms_.Product(*size, heads) : size;
    if (!width) return std::nullopt;
    SymbolicShape result = *query;
    result.back() = *width;
    return result;
  }
  if (output > 2) return std::nullopt;
  const SymbolicShape& fresh = *operands[output];
  const ValueInfo* past = Input(&node, output + 3);
  const Dim* before = DimAt(past, 2);
  const auto size = size_of(fresh, kv_heads);
  const Dim length = fresh[flat ? 1 : 2];
  const auto all = past == nullptr     ? std::optional(length)
                   : before != nullptr ? forms_.Sum(*before, length)
                                       : std::nullopt;
  if (!size || !all) return std::nullopt;
  return SymbolicShape{fresh[0], flat ? Dim{kv_heads, 0} : fresh[1], *all, *size};
}

std::optional<SymbolicShape> ShapeAnalysis::InferMoved(const Node& node, size_t output) {
  const std::string& op = node.op_type;
  const SymbolicShape& input = *ShapeOf(node.inputs[0]);
  const int64_t rank = static_cast<int64_t>(input.size());
  if (op == "Transpose") {
    const std::vector<int64_t> perm = PermOf(&node);
    if (perm.size() != input.size()) return std::nullopt;
    SymbolicShape result;
    for (int64_t axis : perm) result.push_back(input[static_cast<size_t>(axis)]);
    return result;
  }
  if (op == "Squeeze") {
    const auto axes = AxesOf(&node, rank);
    if (!axes || axes->empty()) return std::nullopt;
    SymbolicShape result;
    for (int64_t i = 0; i < rank; ++i) {
      if (std::find(axes->begin(), axes->end(), i) == axes->end()) result.push_back(input[static_cast<size_t>(i)]);
    }
    return result;
  }
  if (op == "Unsqueeze") {
    auto axes = AxesOf(&node, -1);
    if (!axes) {  // negative axes count in the result
      const auto raw = node.inputs.size() > 1 ? IntsOf(node.inputs[1]) : std::optional(node.Ints("axes"));
      if (!raw) return std::nullopt;
      axes = AxesOf(&node, rank + static_cast<int64_t>(raw->size()));
      if (!axes) return std::nullopt;
    }
    const size_t total = input.size() + axes->size();
    SymbolicShape result;
    auto next = input.begin();
    for (size_t i = 0; i < total; ++i) {
      if (std::find(axes->begin(), axes->end(), static_cast<int64_t>(i)) != axes->end()) {
        result.push_back({1, 0});
      } else if (next != input.end()) {
        result.push_back(*next++);
      }
    }
    if (result.size() != total) return std::nullopt;
    return result;
  }
  if (op == "Split" || op == "Concat" || op.starts_with("Reduce")) {
    // All dimensions but the named ones stay.
    if (RankOf(node.outputs[output]) != rank && op.starts_with("Reduce")) return std::nullopt;
    SymbolicShape result = input;
    std::vector<int64_t> changed;
    if (op.starts_with("Reduce")) {
      const auto axes = AxesOf(&node, rank);
      if (!axes || axes->empty() || node.Int("keepdims", 1) == 0) return std::nullopt;
      changed = *axes;
    } else {
      changed = {node.Int("axis", 0)};
    }
    for (int64_t axis : changed) {
      if (axis < 0) axis += rank;
      if (axis < 0 || axis >= rank) return std::nullopt;
      const int64_t declared = DimOf(node.outputs[output], axis);
      Dim& dim = result[static_cast<size_t>(axis)];
      dim = op.starts_with("Reduce") ? Dim{1, 0} : declared >= 0 ? Dim{declared, 0} : forms_.Fresh();
    }
    if (op == "Split" && changed.size() == 1) {
      const auto sizes = node.inputs.size() > 1 ? IntsOf(node.inputs[1]) : std::optional(node.Ints("split"));
      const int64_t axis = changed[0] < 0 ? changed[0] + rank : changed[0];
      if (sizes && output < sizes->size()) result[static_cast<size_t>(axis)] = {(*sizes)[output], 0};
    }
    if (op == "Concat") {
      const int64_t axis = changed[0] < 0 ? changed[0] + rank : changed[0];
      std::optional<Dim> sum = Dim{0, 0};
      for (const ValueInfo* part : node.inputs) {
        const Dim* dim = DimAt(part, axis);
        sum = dim != nullptr && sum ? forms_.Sum(*sum, *dim) : std::nullopt;
      }
      if (sum) result[static_cast<size_t>(axis)] = *sum;
    }
    return result;
  }
  return std::nullopt;
}

}  // namespace ortrun
