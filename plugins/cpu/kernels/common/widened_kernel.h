// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/half_loops.h"

namespace ortrun::cpu {

/// Lets a kernel that computes in float serve float16 and bfloat16: `inner` is called with those inputs widened to
/// float and writes those outputs as float, which are rounded once when it is done. Constant inputs are widened when
/// the node is made, and packed in the form that `inner` packs. Inputs and outputs of other types pass through.
///
/// Fits kernels that read and write tensors through KernelContext alone and do not ask the node for these types.
std::unique_ptr<Kernel> Widened(const KernelInfo& info, std::unique_ptr<Kernel> inner);

/// The factory of a kernel list's line for the 16-bit types of kernel K.
template <typename K>
std::unique_ptr<Kernel> MakeWidened(const KernelInfo& info) {
  return Widened(info, std::make_unique<K>(info));
}

/// Adds the line of an operator whose types are those of one parameter: `entry` for the types other than the 16-bit
/// ones, and the same made by `widened` for those.
void AddWidened(KernelList& list, const KernelEntry& entry, KernelFactory widened);

}  // namespace ortrun::cpu
