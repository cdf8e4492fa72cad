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

/// Keys or values with what came before them: names in `rows` what the run is to put together, and answers where it is
/// to be read. `present` (may be NULL) receives them all; with a past and no `present`, scratch does.
template <typename T>
HeadsView<const T> WithPast(KernelContext& context, size_t batch, size_t heads, size_t size, const T* past,
                            size_t past_rows, const HeadsView<const T>& fresh, size_t fresh_rows, T* present,
                            AppendedRows<T>& rows) {
  if (past == nullptr && present == nullptr) return fresh;
  const size_t count = past_rows + fresh_rows;
  rows = {past, past_rows, fresh, present == nullptr ? context.Scratch<T>(batch * heads * count * size) : present};
  return HeadsFirst<const T>(rows.present, heads, count, size);
}

/// Puts all rows together now, for who reads them before the run.
template <typename T>
void MakeAllRows(const KernelContext& context, const AttentionProblem<T>& problem) {
  constexpr size_t kGrain = 16384;  // elements that pay for handing a copy to another thread
  const AttentionProblem<T>& p = problem;
  const size_t each = p.keys * (p.head_size + p.value_size) + 1;
  context.ParallelRange(p.batch * p.kv_heads, std::max<size_t>(1, kGrain / each), [&](size_t begin, size_t end) {
    for (size_t head = begin; head < end; ++head) p.MakeRows(head / p.kv_heads, head % p.kv_heads, 0, p.keys);
  });
}

/// Runs the problem on the loops that serve it. A problem without results only puts its rows together; without keys the
/// result is zeros.
template <typename T>
void RunAttention(KernelContext& context, const AttentionProblem<T>& problem);

extern template void RunAttention(KernelContext& context, const AttentionProblem<float>& problem);
extern template void RunAttention(KernelContext& context, const AttentionProblem<double>& problem);

}  // namespace ortrun::cpu
