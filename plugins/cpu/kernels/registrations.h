// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Appends every kernel of this provider.
void RegisterAllKernels(KernelList& list, const Host& host);

}  // namespace ortrun::cpu
