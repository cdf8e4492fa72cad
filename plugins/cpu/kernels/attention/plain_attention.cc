// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/attention/plain_attention.h"

#include <cmath>
#include <limits>

#include "plugins/cpu/gemm/parallel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"

namespace ortrun::cpu {
namespace {

template <typename T>
constexpr T kMasked = -std::numeric_limits<T>::infinity();

template <typename T>
T Rounded(bool rounds, T value) {
  return rounds ? static_cast<T>(static_cast<float>(BFloat16(static_cast<float>(value)))) : value;
}

template <typename T>
void RoundRow(bool rounds, T* x, size_t n) {
  if (!rounds) return;
  for (size_t j = 0; j < n; ++j) x[j] = Rounded(true, x[j]);
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
        value = Rounded(p.rounds_steps, value + added);
      }
    }
    x[j] = masked ? kMasked<T> : value;
    any = any || !masked;
  }
  return any;
}

template <typename T>
void SoftmaxRow(T* x, size_t n, bool any, bool rounds, T of_no_key) {
  if (!any) {
    std::fill_n(x, n, of_no_key);
    return;
  }
  T largest = kMasked<T>;
  for (size_t j = 0; j < n; ++j) largest = std::max(largest, x[j]);
  if (largest == kMasked<T>) largest = 0;
  T sum = 0;
  for (size_t j = 0; j < n; ++j) {
    x[j] = Rounded(rounds, std::exp(Rounded(rounds, x[j] - largest)));
    sum += x[j];  // a sum kept in bfloat16 would stand still at 256 equal keys
  }
  if (sum == 0) {
    std::fill_n(x, n, of_no_key);
    return;
  }
  sum = Rounded(rounds, sum);
  for (size_t j = 0; j < n; ++j) x[j] = Rounded(rounds, x[j] / sum);
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
    RoundRow(p.rounds_steps, x, p.keys);
    const auto keep = [&](ScoreStage stage) {
      if (kept != nullptr && p.stage == stage) std::copy_n(x, p.keys, kept + i * p.keys);
    };
    keep(ScoreStage::kProduct);
    if (p.softcap != 0) {
      const T cap = static_cast<T>(p.softcap);
      for (size_t j = 0; j < p.keys; ++j) x[j] = cap * std::tanh(x[j] / cap);
      RoundRow(p.rounds_steps, x, p.keys);
    }
    keep(ScoreStage::kSoftcap);
    const bool any = MaskRow(p, b, h, i, x);
    keep(ScoreStage::kMasked);
    SoftmaxRow(x, p.keys, any, p.rounds_softmax, p.of_no_key);
    RoundRow(p.rounds_steps, x, p.keys);
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
