// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::accelerator {

/// The operators of the simulated accelerator: some elementwise ones and Softmax, for float only.
void RegisterKernels(KernelList& kernels);

}  // namespace ortrun::accelerator
