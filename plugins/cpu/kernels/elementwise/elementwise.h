// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Operators that compute each element of the output from the elements at the same (broadcast) place.
void RegisterElementwise(KernelList& list);

// One function a file, called by RegisterElementwise.
void RegisterActivations(KernelList& list);
void RegisterArithmetic(KernelList& list);
void RegisterCast(KernelList& list);
void RegisterComparisons(KernelList& list);
void RegisterElementwiseChain(KernelList& list);
void RegisterGelu(KernelList& list);
void RegisterPow(KernelList& list);
void RegisterUnaries(KernelList& list);
void RegisterVariadics(KernelList& list);
void RegisterWhere(KernelList& list);

}  // namespace ortrun::cpu
