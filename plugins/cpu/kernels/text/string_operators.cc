// SPDX-License-Identifier: Apache-2.0
// StringNormalizer, StringConcat, StringSplit and RegexFullMatch.

#include <algorithm>
#include <string>
#include <unordered_set>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/text/strings.h"
#include "plugins/cpu/kernels/text/text.h"
#include "plugins/cpu/kernels/text/token_pattern.h"
#include "plugins/cpu/kernels/text/utf8.h"

namespace ortrun::cpu {
namespace {

CaseChange ParseCaseChange(const std::string& name) {
  if (name == "NONE") return CaseChange::kNone;
  if (name == "LOWER") return CaseChange::kLower;
  if (name == "UPPER") return CaseChange::kUpper;
  throw Error(ORT_INVALID_ARGUMENT, Concat("case_change_action '", name, "' is none of LOWER, UPPER, NONE"));
}

class StringNormalizer : public Kernel {
 public:
  explicit StringNormalizer(const KernelInfo& info)
      : change_(ParseCaseChange(info.String("case_change_action", "NONE"))),
        case_sensitive_(info.Int("is_case_sensitive", 0) != 0) {
    for (const std::string& word : info.Strings("stopwords"))
      stop_words_.insert(case_sensitive_ ? word : ChangeCase(word, CaseChange::kLower));
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 1 || (x.rank() == 2 && x.dim(0) == 1), "input must have the shape [C] or [1, C]");
    const StringInput texts(context, x);
    std::vector<std::string> kept;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (!stop_words_.empty()) {
        const std::string key = case_sensitive_ ? std::string(texts[i]) : ChangeCase(texts[i], CaseChange::kLower);
        if (stop_words_.contains(key)) continue;
      }
      kept.push_back(change_ == CaseChange::kNone ? std::string(texts[i]) : ChangeCase(texts[i], change_));
    }
    if (kept.empty()) kept.emplace_back();  // the standard's form of "nothing"
    const auto count = static_cast<int64_t>(kept.size());
    const Tensor y = context.Output(0, x.rank() == 1 ? Shape{count} : Shape{1, count});
    for (size_t i = 0; i < kept.size(); ++i) WriteString(context, y, i, kept[i]);
  }

 private:
  CaseChange change_;
  bool case_sensitive_;
  std::unordered_set<std::string> stop_words_;
};

class StringConcat : public Kernel {
 public:
  explicit StringConcat(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const BroadcastLoop loop({a.dims(), b.dims()});
    const Tensor y = context.Output(0, loop.shape());
    if (y.count() == 0) return;
    const StringInput left(context, a);
    const StringInput right(context, b);
    loop.ForEachRun(context, SIZE_MAX, [&](size_t at, size_t length, const BroadcastLoop::Offsets& offsets) {
      for (size_t i = 0; i < length; ++i) {
        std::string text(left[offsets[0] + (loop.steps(0) ? i : 0)]);
        text += right[offsets[1] + (loop.steps(1) ? i : 0)];
        WriteString(context, y, at + i, text);
      }
    });
  }
};

class StringSplit : public Kernel {
 public:
  explicit StringSplit(const KernelInfo& info)
      : delimiter_(info.String("delimiter", "")), most_(info.Int("maxsplit", -1)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const StringInput texts(context, x);
    std::vector<std::string_view> pieces;
    std::vector<size_t> ends;
    size_t widest = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      const size_t before = pieces.size();
      Split(texts[i], pieces);
      ends.push_back(pieces.size());
      widest = std::max(widest, pieces.size() - before);
    }
    Shape shape = x.shape();
    shape.Append(static_cast<int64_t>(widest));
    const Tensor y = context.Output(0, shape);
    const Tensor counts = context.Output(1, x.shape());
    for (size_t i = 0; i < ends.size(); ++i) {
      const size_t begin = i == 0 ? 0 : ends[i - 1];
      for (size_t k = 0; y && k < widest; ++k)
        WriteString(context, y, i * widest + k, begin + k < ends[i] ? pieces[begin + k] : std::string_view());
      if (counts) counts.data<int64_t>()[i] = static_cast<int64_t>(ends[i] - begin);
    }
  }

 private:
  void Split(std::string_view text, std::vector<std::string_view>& pieces) const {
    int64_t left = most_ < 0 ? INT64_MAX : most_;
    if (text.empty()) return;
    if (!delimiter_.empty()) {
      for (size_t at; left > 0 && (at = text.find(delimiter_)) != text.npos; --left) {
        pieces.push_back(text.substr(0, at));
        text.remove_prefix(at + delimiter_.size());
      }
      pieces.push_back(text);
      return;
    }
    // Without a delimiter any run of white space separates, and white space at the ends does not count.
    constexpr std::string_view kSpace = " \t\n\v\f\r";
    while (true) {
      const size_t begin = text.find_first_not_of(kSpace);
      if (begin == text.npos) return;
      text.remove_prefix(begin);
      if (left-- == 0) {
        pieces.push_back(text.substr(0, text.find_last_not_of(kSpace) + 1));
        return;
      }
      const size_t end = std::min(text.find_first_of(kSpace), text.size());
      pieces.push_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }

  std::string delimiter_;
  int64_t most_;
};

class RegexFullMatch : public Kernel {
 public:
  explicit RegexFullMatch(const KernelInfo& info) : pattern_(info.String("pattern", "")) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.shape());
    const StringInput texts(context, x);
    for (size_t i = 0; i < texts.size(); ++i) y.data<bool>()[i] = pattern_.FullMatch(texts[i]);
  }

 private:
  TokenPattern pattern_;
};

}  // namespace

void RegisterStringOperators(KernelList& list) {
  const std::vector<ElementType> string = {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING};
  list.Add({.op = "StringNormalizer", .make = MakeKernel<StringNormalizer>});
  list.Add({.op = "StringConcat", .types = {{"T", string}}, .make = MakeKernel<StringConcat>});
  list.Add({.op = "StringSplit", .types = {{"T1", string}}, .make = MakeKernel<StringSplit>});
  list.Add({.op = "RegexFullMatch", .types = {{"T1", string}}, .make = MakeKernel<RegexFullMatch>});
}

void RegisterText(KernelList& list) {
  RegisterTokenizer(list);
  RegisterTfIdfVectorizer(list);
  RegisterStringOperators(list);
}

}  // namespace ortrun::cpu
