// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugins/cpu/attention/attention_problem.h"
#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {

// Float attention that never holds a whole row of scores (the method of FlashAttention): for a block of queries and a
// block of keys, scores, softmax and product with the values happen in cache; the results of earlier blocks of keys are
// rescaled as the largest score grows. Few queries (decoding) read keys and values where they lie, once.
// Every result depends on the sizes alone, not on the number of threads.

/// Bytes of scratch for such a problem (only sizes are read).
size_t BlockedAttentionScratch(const AttentionProblem<float>& problem, size_t threads);

/// `problem.scores` and `problem.product_step` are not served: see plain_attention.h. `scratch` holds
/// BlockedAttentionScratch(problem, parallel.threads) bytes, aligned to 64.
void RunBlockedAttention(const AttentionProblem<float>& problem, void* scratch, const Parallel& parallel);

}  // namespace ortrun::cpu
