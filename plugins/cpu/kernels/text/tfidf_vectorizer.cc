// SPDX-License-Identifier: Apache-2.0
// TfIdfVectorizer: counts the n-grams of a pool in each row of tokens.

#include <algorithm>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/text/ngram_pool.h"
#include "plugins/cpu/kernels/text/strings.h"
#include "plugins/cpu/kernels/text/text.h"

namespace ortrun::cpu {
namespace {

class TfIdfVectorizer : public Kernel {
 public:
  explicit TfIdfVectorizer(const KernelInfo& info)
      : shortest_(info.Int("min_gram_length")),
        longest_(info.Int("max_gram_length")),
        most_skips_(info.Int("max_skip_count")),
        columns_of_(info.Ints("ngram_indexes")),
        weights_(info.Floats("weights")) {
    const std::string mode = info.String("mode");
    Require(mode == "TF" || mode == "IDF" || mode == "TFIDF", "mode '", mode, "' is none of TF, IDF, TFIDF");
    counts_ = mode != "IDF";
    weighs_ = mode != "TF";
    Require(shortest_ >= 1 && longest_ >= shortest_, "gram lengths ", shortest_, " to ", longest_, " make no range");
    Require(most_skips_ >= 0, "max_skip_count must not be negative");
    Require(weights_.empty() || weights_.size() == columns_of_.size(), "weights has ", weights_.size(), " entries for ",
            columns_of_.size(), " n-grams");
    Require(!columns_of_.empty(), "ngram_indexes is empty");
    for (int64_t column : columns_of_) {
      Require(column >= 0 && column < (int64_t{1} << 31), "ngram_indexes holds ", column);
      width_ = std::max(width_, column + 1);
    }
    ReadPool(info);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() <= 2, "input must have at most 2 dimensions, has ", x.rank());
    const size_t length = x.rank() == 0 ? 1 : static_cast<size_t>(x.dim(x.rank() - 1));
    const size_t rows = x.rank() < 2 ? 1 : static_cast<size_t>(x.dim(0));
    const Tensor y = context.Output(0, x.rank() < 2 ? Shape{width_} : Shape{x.dim(0), width_});
    uint32_t* tokens = context.Scratch<uint32_t>(x.count());
    if (x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      Require(has_strings_, "the pool holds integers, the input strings");
      const StringInput texts(context, x);
      for (size_t i = 0; i < texts.size(); ++i) tokens[i] = strings_.Find(texts[i]);
    } else {
      Require(!has_strings_, "the pool holds strings, the input integers");
      DispatchType<TypeList<int32_t, int64_t>>(x.type(), [&](auto type) {
        using T = typename decltype(type)::type;
        for (size_t i = 0; i < x.count(); ++i)
          tokens[i] = integers_.Find(static_cast<uint64_t>(static_cast<int64_t>(x.data<T>()[i])));
      });
    }
    const auto width = static_cast<size_t>(width_);
    context.ParallelRange(rows, std::max<size_t>(1, 2048 / (length + 1)), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) CountRow(tokens + row * length, length, y.data<float>() + row * width);
    });
  }

 private:
  void ReadPool(const KernelInfo& info) {
    const std::vector<std::string> strings = info.Strings("pool_strings");
    const std::vector<int64_t> integers = info.Ints("pool_int64s");
    Require(strings.empty() != integers.empty(), "exactly one of pool_strings and pool_int64s must be given");
    has_strings_ = !strings.empty();
    const size_t total = has_strings_ ? strings.size() : integers.size();
    const std::vector<int64_t> starts = info.Ints("ngram_counts");
    Require(!starts.empty() && starts.size() >= static_cast<size_t>(longest_), "ngram_counts has ", starts.size(),
            " entries for n-grams of up to ", longest_);
    uint32_t ngram = 0;
    std::vector<uint32_t> tokens;
    for (size_t n = 1; n <= starts.size(); ++n) {
      const int64_t first = starts[n - 1];
      const int64_t last = n < starts.size() ? starts[n] : static_cast<int64_t>(total);
      Require(first >= 0 && first <= last && last <= static_cast<int64_t>(total), "ngram_counts: ", n, "-grams from ",
              first, " to ", last, " of ", total);
      const auto size = static_cast<size_t>(last - first);
      Require(size % n == 0, "ngram_counts: ", size, " tokens are no whole number of ", n, "-grams");
      for (size_t at = static_cast<size_t>(first); at < static_cast<size_t>(last); at += n, ++ngram) {
        tokens.clear();
        for (size_t i = 0; i < n; ++i)
          tokens.push_back(has_strings_ ? strings_.Insert(strings[at + i])
                                        : integers_.Insert(static_cast<uint64_t>(integers[at + i]), next_integer_++));
        pool_.Add(tokens, ngram);
      }
    }
    Require(ngram <= columns_of_.size(), "the pool has ", ngram, " n-grams, ngram_indexes ", columns_of_.size());
  }

  void CountRow(const uint32_t* tokens, size_t length, float* y) const {
    std::fill_n(y, width_, 0.0f);
    const auto longest = static_cast<size_t>(longest_);
    const auto shortest = static_cast<size_t>(shortest_);
    for (size_t distance = 1; distance <= static_cast<size_t>(most_skips_) + 1; ++distance) {
      if (distance > 1 && (longest == 1 || distance >= length)) break;  // skips change nothing for single tokens
      for (size_t start = 0; start < length; ++start) {
        uint32_t node = NgramPool::kRoot;
        size_t at = start;
        for (size_t n = 1; n <= longest && at < length; ++n, at += distance) {
          if (tokens[at] == NgramPool::kNone) break;
          node = pool_.Step(node, tokens[at]);
          if (node == NgramPool::kNone) break;
          const uint32_t ngram = pool_.Ngram(node);
          if (ngram == NgramPool::kNone || n < shortest || (n == 1 && distance > 1)) continue;
          y[columns_of_[ngram]] += 1.0f;
        }
      }
    }
    if (counts_ && !weighs_) return;
    for (size_t ngram = 0; ngram < columns_of_.size(); ++ngram) {
      float& value = y[columns_of_[ngram]];
      const float weight = weighs_ && !weights_.empty() ? weights_[ngram] : 1.0f;
      if (value > 0) value = (counts_ ? value : 1.0f) * weight;
    }
  }

  int64_t shortest_;
  int64_t longest_;
  int64_t most_skips_;
  std::vector<int64_t> columns_of_;
  std::vector<float> weights_;
  bool counts_ = true;
  bool weighs_ = false;
  bool has_strings_ = false;
  int64_t width_ = 0;
  uint32_t next_integer_ = 0;
  TokenNumbers strings_;
  KeyTable integers_;
  NgramPool pool_;
};

}  // namespace

void RegisterTfIdfVectorizer(KernelList& list) {
  list.Add({.op = "TfIdfVectorizer",
            .since = 9,
            .types = {{"T",
                       {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
                        ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64}}},
            .make = MakeKernel<TfIdfVectorizer>});
}

}  // namespace ortrun::cpu
