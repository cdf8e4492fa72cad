// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Every normalisation: softmax, layer, skip, batch, instance, group, local response ...
void RegisterNormalization(KernelList& list);

// One function a file, called by RegisterNormalization; RegisterChannelNormalization calls those below it.
void RegisterLayerNormalization(KernelList& list);
void RegisterHardmax(KernelList& list);
void RegisterSoftmax(KernelList& list);
void RegisterChannelNormalization(KernelList& list);
void RegisterBatchNormalization(KernelList& list);
void RegisterGroupNormalization(KernelList& list);
void RegisterLocalResponseNormalization(KernelList& list);
void RegisterLpNormalization(KernelList& list);
void RegisterMeanVarianceNormalization(KernelList& list);

}  // namespace ortrun::cpu
