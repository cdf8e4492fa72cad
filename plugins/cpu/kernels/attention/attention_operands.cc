// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/attention/attention_operands.h"

#include "plugins/cpu/attention/blocked_attention.h"
#include "plugins/cpu/kernels/attention/plain_attention.h"
#include "plugins/cpu/kernels/common/context_parallel.h"

namespace ortrun::cpu {
ScoreMask MaskSteps(std::span<const int64_t> shape, size_t batch, size_t heads, size_t queries, size_t keys,
                    bool repeats_one) {
  Require(!shape.empty() && shape.size() <= 4, "the attention mask must have 1 to 4 dimensions, has ", shape.size());
  const size_t wanted[4] = {batch, heads, queries, keys};
  size_t dims[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < shape.size(); ++i) dims[4 - shape.size() + i] = static_cast<size_t>(shape[i]);
  for (size_t axis = 0; axis < 3; ++axis) {
    Require(dims[axis] == 1 || dims[axis] == wanted[axis], "the attention mask's dimension ", dims[axis],
            " does not broadcast to ", wanted[axis], " of [batch, heads, queries, keys] = [", batch, ", ", heads, ", ",
            queries, ", ", keys, "]");
  }
  Require(dims[3] <= keys || (keys == 0 && dims[3] == 1), "the attention mask covers ", dims[3], " keys, there are ",
          keys);
  ScoreMask mask;
  const bool repeats = dims[3] == 1 && repeats_one;
  mask.column = repeats ? 0 : 1;
  mask.columns = repeats ? keys : dims[3];
  mask.row = dims[2] == 1 ? 0 : dims[3];
  mask.head = dims[1] == 1 ? 0 : dims[2] * dims[3];
  mask.batch = dims[0] == 1 ? 0 : dims[1] * dims[2] * dims[3];
  return mask;
}

template <typename T>
void RunAttention(KernelContext& context, const AttentionProblem<T>& problem) {
  const AttentionProblem<T>& p = problem;
  const bool empty = p.batch == 0 || p.heads == 0 || p.queries == 0 || p.value_size == 0;
  if constexpr (std::is_same_v<T, float>) {
    if (!empty && p.scores == nullptr && p.product_step == StepType::kWide) {
      const Parallel parallel = ParallelOf(context);
      void* scratch = context.Scratch(BlockedAttentionScratch(p, parallel.threads));
      RunBlockedAttention(p, scratch, parallel);
      return;
    }
  }
  MakeAllRows(context, p);
  if (!empty) RunPlainAttention(context, p);
}

template void RunAttention(KernelContext& context, const AttentionProblem<float>& problem);
template void RunAttention(KernelContext& context, const AttentionProblem<double>& problem);

}  // namespace ortrun::cpu
