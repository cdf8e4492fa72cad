// SPDX-License-Identifier: Apache-2.0
// com.microsoft.Tokenizer: strings into words, by a pattern of the words, by separators, or into characters.

#include <algorithm>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/text/strings.h"
#include "plugins/cpu/kernels/text/text.h"
#include "plugins/cpu/kernels/text/token_pattern.h"
#include "plugins/cpu/kernels/text/utf8.h"

namespace ortrun::cpu {
namespace {

constexpr std::string_view kStartMark = "\x02";
constexpr std::string_view kEndMark = "\x03";

class Tokenizer : public Kernel {
 public:
  explicit Tokenizer(const KernelInfo& info)
      : mark_(info.Int("mark") != 0), pad_(info.String("pad_value")), shortest_(info.Int("mincharnum")) {
    Require(shortest_ > 0, "mincharnum must be positive, is ", shortest_);
    const std::vector<std::string> separators = info.Strings("separators");
    const std::string words = info.String("tokenexp", "");
    Require(separators.empty() != words.empty(), "exactly one of separators and tokenexp must be given");
    if (!words.empty()) {
      mode_ = Mode::kWords;
      patterns_.emplace_back(words);
    } else if (separators.size() == 1 && separators[0].empty()) {
      mode_ = Mode::kCharacters;
    } else {
      mode_ = Mode::kSeparators;
      for (const std::string& separator : separators) {
        Require(!separator.empty(), "a separator is empty; only a single one may be, which asks for characters");
        patterns_.emplace_back(separator);
      }
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 1 || x.rank() == 2, "input must have 1 or 2 dimensions, has ", x.rank());
    const StringInput texts(context, x);
    std::vector<std::string_view> tokens;
    std::vector<size_t> ends;
    ends.reserve(texts.size());
    size_t most = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      const size_t before = tokens.size();
      Split(texts[i], tokens);
      ends.push_back(tokens.size());
      most = std::max(most, tokens.size() - before);
    }
    if (mark_ && most != 0) most += 2;
    Shape shape = x.shape();
    shape.Append(static_cast<int64_t>(most));
    const Tensor y = context.Output(0, shape);
    size_t at = 0;
    size_t next = 0;
    for (size_t i = 0; i < ends.size() && most != 0; ++i) {
      const size_t row_end = at + most;
      if (mark_) WriteString(context, y, at++, kStartMark);
      for (; next < ends[i]; ++next) WriteString(context, y, at++, tokens[next]);
      if (mark_) WriteString(context, y, at++, kEndMark);
      while (at < row_end) WriteString(context, y, at++, pad_);
    }
  }

 private:
  enum class Mode { kWords, kSeparators, kCharacters };

  bool LongEnough(std::string_view token) const {
    return !token.empty() && CountUtf8(token) >= static_cast<size_t>(shortest_);
  }

  void Split(std::string_view text, std::vector<std::string_view>& tokens) const {
    switch (mode_) {
      case Mode::kWords:
        return SplitWords(text, tokens);
      case Mode::kSeparators:
        return SplitAtSeparators(text, tokens);
      case Mode::kCharacters:
        CountUtf8(text);
        for (size_t at = 0; at < text.size();) {
          const size_t length = Utf8Length(text, at);
          tokens.push_back(text.substr(at, length));
          at += length;
        }
    }
  }

  void SplitWords(std::string_view text, std::vector<std::string_view>& tokens) const {
    TokenPattern::Match match{};
    for (size_t from = 0; from <= text.size() && patterns_[0].Find(text, from, match);) {
      const std::string_view token = text.substr(match.begin, match.end - match.begin);
      if (LongEnough(token)) {
        tokens.push_back(token);
        from = match.end;
      } else {  // try again one character further
        if (match.begin >= text.size()) break;
        from = match.begin + std::max<size_t>(1, Utf8Length(text, match.begin));
      }
    }
  }

  void SplitAtSeparators(std::string_view text, std::vector<std::string_view>& tokens) const {
    std::vector<std::string_view> pieces = {text};
    std::vector<std::string_view> finer;
    for (const TokenPattern& separator : patterns_) {
      finer.clear();
      for (std::string_view piece : pieces) {
        size_t begin = 0;
        TokenPattern::Match match{};
        for (size_t from = 0; from < piece.size() && separator.Find(piece, from, match);) {
          if (match.begin >= piece.size()) break;
          const std::string_view token = piece.substr(begin, match.begin - begin);
          if (LongEnough(token)) finer.push_back(token);
          const bool empty = match.end == match.begin;
          from = empty ? match.begin + std::max<size_t>(1, Utf8Length(piece, match.begin)) : match.end;
          begin = from;
        }
        if (LongEnough(piece.substr(std::min(begin, piece.size())))) finer.push_back(piece.substr(begin));
      }
      pieces.swap(finer);
    }
    tokens.insert(tokens.end(), pieces.begin(), pieces.end());
  }

  bool mark_;
  std::string pad_;
  int64_t shortest_;
  Mode mode_ = Mode::kWords;
  std::vector<TokenPattern> patterns_;
};

}  // namespace

void RegisterTokenizer(KernelList& list) {
  list.Add({.domain = "com.microsoft",
            .op = "Tokenizer",
            .types = {{"T", {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING}}},
            .make = MakeKernel<Tokenizer>});
}

}  // namespace ortrun::cpu
