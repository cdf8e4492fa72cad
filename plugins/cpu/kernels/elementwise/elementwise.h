// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Operators that compute each element of the output from the elements at the same (broadcast) place.
void RegisterElementwise(KernelList& list);

// One function a file, called by RegisterElementwise.
void RegisterRelu(KernelList& list);

}  // namespace ortrun::cpu
