// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Operators that move, select or make elements without computing on them.
void RegisterTensor(KernelList& list);

// One function a file, called by RegisterTensor.
void RegisterBitCast(KernelList& list);
void RegisterConcat(KernelList& list);
void RegisterDepthSpace(KernelList& list);
void RegisterDropout(KernelList& list);
void RegisterExpand(KernelList& list);
void RegisterGather(KernelList& list);
void RegisterGenerators(KernelList& list);
void RegisterOneHot(KernelList& list);
void RegisterPad(KernelList& list);
void RegisterReshape(KernelList& list);
void RegisterScatter(KernelList& list);
void RegisterSelection(KernelList& list);
void RegisterShape(KernelList& list);
void RegisterSlice(KernelList& list);
void RegisterSplit(KernelList& list);
void RegisterTensorScatter(KernelList& list);
void RegisterTranspose(KernelList& list);

}  // namespace ortrun::cpu
