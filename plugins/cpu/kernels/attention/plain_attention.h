// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/attention/attention_problem.h"

namespace ortrun::cpu {

/// Attention with all scores of a head in memory: for double, where the scores are an output,
/// and where steps are rounded. float and double.
template <typename T>
void RunPlainAttention(KernelContext& context, const AttentionProblem<T>& problem);

extern template void RunPlainAttention(KernelContext& context, const AttentionProblem<float>& problem);
extern template void RunPlainAttention(KernelContext& context, const AttentionProblem<double>& problem);

}  // namespace ortrun::cpu
