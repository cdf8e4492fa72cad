// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_info.h"
#include "plugins/cpu/gemm/epilogue.h"

namespace ortrun::cpu {

/// The activation that a fused operator applies to its result, from its attributes `activation` and
/// `activation_params`; none where the first is absent or empty. Throws for a name that is not known.
Activation ReadFusedActivation(const KernelInfo& info);

}  // namespace ortrun::cpu
