// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {

/// The inner loops' parallel-for on the threads of a kernel call. The context must outlive the use of the result.
inline Parallel ParallelOf(const KernelContext& context) {
  Parallel parallel;
  parallel.threads = context.Concurrency();
  parallel.run = [](void* self, size_t blocks, void (*fn)(void* arg, size_t block), void* arg) {
    static_cast<const KernelContext*>(self)->ParallelFor(blocks, [fn, arg](size_t block) { fn(arg, block); });
  };
  parallel.self = const_cast<void*>(static_cast<const void*>(&context));  // NOLINT: only ParallelFor is called, const
  return parallel;
}

}  // namespace ortrun::cpu
