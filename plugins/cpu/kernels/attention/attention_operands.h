// SPDX-License-Identifier: Apache-2.0
// What attention operators share between their tensors and the loops.
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/attention/attention_problem.h"
#include "plugins/cpu/kernels/common/float_view.h"

namespace ortrun::cpu {

/// The elements as T: float takes any type of FloatAndHalf, double its own only.
template <typename T>
const T* ReadAs(KernelContext& context, const Tensor& tensor) {
  if constexpr (std::is_same_v<T, float>) {
    return ReadFloats(context, tensor);
  } else {
    Require(!tensor || tensor.type() == kTypeOf<T>, "all floating-point inputs must be double when the query is");
    return tensor ? tensor.data<T>() : nullptr;
  }
}

/// FloatOutput for double.
class DoubleOutput {
 public:
  DoubleOutput(KernelContext& /*context*/, const Tensor& tensor) : data_(tensor ? tensor.data<double>() : nullptr) {}
  double* data() const { return data_; }
  void Finish() const {}

 private:
  double* data_;
};

template <typename T>
using OutputAs = std::conditional_t<std::is_same_v<T, double>, DoubleOutput, FloatOutput>;

/// The steps of a mask of `shape` that broadcasts to [batch, heads, queries, keys]. Its last axis may be shorter than
/// keys: what is beyond is masked; where `repeats_one` is set, a length of 1 repeats instead. Throws when it does not
/// fit.
ScoreMask MaskSteps(std::span<const int64_t> shape, size_t batch, size_t heads, size_t queries, size_t keys,
                    bool repeats_one);

/// present[b, h] = the rows of past[b, h], then those of fresh[b, h]; `past` rows are [batch, heads, past_rows, size]
/// and may be none, present is [batch, heads, past_rows + fresh_rows, size]. float and double.
template <typename T>
void AppendRows(const KernelContext& context, size_t batch, size_t heads, size_t size, const T* past, size_t past_rows,
                const HeadsView<const T>& fresh, size_t fresh_rows, T* present);

extern template void AppendRows(const KernelContext&, size_t, size_t, size_t, const float*, size_t,
                                const HeadsView<const float>&, size_t, float*);
extern template void AppendRows(const KernelContext&, size_t, size_t, size_t, const double*, size_t,
                                const HeadsView<const double>&, size_t, double*);

/// Keys or values with what came before them: where they are to be read. `present` (may be NULL) receives them all;
/// with a past and no `present`, scratch does.
template <typename T>
HeadsView<const T> WithPast(KernelContext& context, size_t batch, size_t heads, size_t size, const T* past,
                            size_t past_rows, const HeadsView<const T>& fresh, size_t fresh_rows, T* present) {
  const size_t rows = past_rows + fresh_rows;
  if (past == nullptr && present == nullptr) return fresh;
  T* all = present == nullptr ? context.Scratch<T>(batch * heads * rows * size) : present;
  AppendRows(context, batch, heads, size, past, past_rows, fresh, fresh_rows, all);
  return HeadsFirst<const T>(all, heads, rows, size);
}

/// Runs the problem on the loops that serve it. An empty problem writes nothing; without keys the result is zeros.
template <typename T>
void RunAttention(KernelContext& context, const AttentionProblem<T>& problem);

extern template void RunAttention(KernelContext& context, const AttentionProblem<float>& problem);
extern template void RunAttention(KernelContext& context, const AttentionProblem<double>& problem);

}  // namespace ortrun::cpu
