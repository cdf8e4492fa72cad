// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Matrix products, convolutions, pools and losses.
void RegisterNn(KernelList& list);

// One function a file, called by RegisterNn.
void RegisterCausalConvWithState(KernelList& list);
void RegisterConv(KernelList& list);
void RegisterConvTranspose(KernelList& list);
void RegisterDeformConv(KernelList& list);
void RegisterDet(KernelList& list);
void RegisterEinsum(KernelList& list);
void RegisterGemm(KernelList& list);
void RegisterGlobalPools(KernelList& list);
void RegisterLosses(KernelList& list);
void RegisterMatMul(KernelList& list);
void RegisterMaxRoiPool(KernelList& list);
void RegisterMaxUnpool(KernelList& list);
void RegisterPools(KernelList& list);

}  // namespace ortrun::cpu
