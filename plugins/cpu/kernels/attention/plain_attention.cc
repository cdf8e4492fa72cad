// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/attention/plain_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/gemm/parallel.h"
#include "plugins/cpu/kernels/common/rounded_steps.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"

namespace ortrun::cpu {
namespace {

template <typename T>
constexpr T kMasked = -std::numeric_limits<T>::infinity();

ElementType TypeOf(StepType step) {
  if (step == StepType::kFloat16) return kTypeOf<Float16>;
  return step == StepType::kBFloat16 ? kTypeOf<BFloat16> : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

/// Rounds `n` numbers in place to the digits of a step's type.
template <typename T>
void RoundRow(StepType step, T* x, size_t n) {
  if constexpr (std::is_same_v<T, float>) RoundToType(TypeOf(step), x, n);
}

/// The row's masks, in place. Answers whether they leave any key.
template <typename T>
bool MaskRow(const AttentionProblem<T>& p, size_t b, size_t h, size_t i, T* x) {
  const KeyRange visible = p.Visible(b, i);
  bool any = false;
  for (size_t j = 0; j < p.keys; ++j) {
    T value = x[j];
    bool masked = j < visible.begin || j >= visible.end;
    for (const ScoreMask& mask : p.masks) {
      if (mask.data == nullptr || masked) continue;
      const size_t at = mask.Offset(b, h, i) + j * mask.column;
      if (mask.boolean) {
        masked = static_cast<const uint8_t*>(mask.data)[at] == 0;
      } else {
        const T added = static_cast<const T*>(mask.data)[at];
        masked = added == kMasked<T>;
        value += added;
      }
    }
    x[j] = masked ? kMasked<T> : value;
    any = any || !masked;
  }
  RoundRow(p.score_step, x, p.keys);
  return any;
}

template <typename T>
void SoftmaxRow(T* x, size_t n, bool any, StepType step, T of_no_key) {
  RoundRow(step, x, n);
  const T largest = any ? *std::max_element(x, x + n) : kMasked<T>;
  if (largest == kMasked<T>) {
    const bool known = !any || std::none_of(x, x + n, [](T score) { return std::isnan(score); });
    std::fill_n(x, n, known ? of_no_key : std::numeric_limits<T>::quiet_NaN());
    return;
  }
  if constexpr (std::is_same_v<T, float>)
    if (step != StepType::kWide) return SoftmaxInType(TypeOf(step), x, n);
  T sum = 0;
  for (size_t j = 0; j < n; ++j) {
    x[j] = std::exp(x[j] - largest);
    sum += x[j];
  }
  for (size_t j = 0; j < n; ++j) x[j] /= sum;
}

/// One head: its queries x keys scores live in `scores`.
template <typename T>
void RunHead(const AttentionProblem<T>& p, size_t b, size_t h, T* scores) {
  const size_t kv_head = h / p.Group();
  T* kept = p.scores == nullptr ? nullptr : p.scores + (b * p.heads + h) * p.queries * p.keys;
  Multiply(p.queries, p.keys, p.head_size, static_cast<T>(p.scale), MatrixView<T>{p.q.Row(b, h, 0), p.q.row, false},
           MatrixView<T>{p.k.Row(b, kv_head, 0), p.k.row, true}, T{0}, scores, p.keys);
  for (size_t i = 0; i < p.queries; ++i) {
    T* x = scores + i * p.keys;
    RoundRow(p.product_step, x, p.keys);
    const auto keep = [&](ScoreStage stage) {
      if (kept != nullptr && p.stage == stage) std::copy_n(x, p.keys, kept + i * p.keys);
    };
    keep(ScoreStage::kProduct);
    if (p.softcap != 0) {
      T cap = static_cast<T>(p.softcap);
      RoundRow(p.score_step, &cap, 1);
      for (size_t j = 0; j < p.keys; ++j) x[j] /= cap;
      RoundRow(p.score_step, x, p.keys);
      for (size_t j = 0; j < p.keys; ++j) x[j] = std::tanh(x[j]);
      RoundRow(p.score_step, x, p.keys);
      for (size_t j = 0; j < p.keys; ++j) x[j] *= cap;
      RoundRow(p.score_step, x, p.keys);
    }
    keep(ScoreStage::kSoftcap);
    const bool any = MaskRow(p, b, h, i, x);
    keep(ScoreStage::kMasked);
    SoftmaxRow(x, p.keys, any, p.softmax_step, p.of_no_key);
    RoundRow(p.product_step, x, p.keys);
    keep(ScoreStage::kSoftmax);
  }
  Multiply(p.queries, p.value_size, p.keys, T{1}, MatrixView<T>{scores, p.keys, false},
           MatrixView<T>{p.v.Row(b, kv_head, 0), p.v.row, false}, T{0}, p.y.Row(b, h, 0), p.y.row);
}

}  // namespace

template <typename T>
void RunPlainAttention(KernelContext& context, const AttentionProblem<T>& problem) {
  const size_t heads = problem.batch * problem.heads;
  const size_t tasks = std::min(heads, context.Concurrency());
  const size_t each = problem.queries * problem.keys;
  T* scores = context.Scratch<T>(tasks * each);
  context.ParallelFor(tasks, [&](size_t task) {
    const Range range = PartOf(heads, tasks, task);
    for (size_t head = range.begin; head < range.end; ++head) {
      RunHead(problem, head / problem.heads, head % problem.heads, scores + task * each);
    }
  });
}

template void RunPlainAttention(KernelContext& context, const AttentionProblem<float>& problem);
template void RunPlainAttention(KernelContext& context, const AttentionProblem<double>& problem);

}  // namespace ortrun::cpu
