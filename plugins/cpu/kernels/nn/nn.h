// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Matrix products, convolutions and pools.
void RegisterNn(KernelList& list);

// One function a file, called by RegisterNn.
void RegisterConv(KernelList& list);
void RegisterConvTranspose(KernelList& list);
void RegisterGemm(KernelList& list);
void RegisterGlobalPools(KernelList& list);
void RegisterMatMul(KernelList& list);
void RegisterPools(KernelList& list);

}  // namespace ortrun::cpu
