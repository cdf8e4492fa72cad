// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Fourier transforms, windows and what else audio models start with.
void RegisterSignal(KernelList& list);

// One function a file, called by RegisterSignal.
void RegisterFourierTransforms(KernelList& list);
void RegisterMelWeightMatrix(KernelList& list);
void RegisterWindows(KernelList& list);

}  // namespace ortrun::cpu
