// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterSoftmax(KernelList& list);
void RegisterLayerNormalization(KernelList& list);
void RegisterChannelNormalization(KernelList& list);

/// Every normalisation: softmax, layer, skip, batch, instance, group and local response.
void RegisterNormalization(KernelList& list);

}  // namespace ortrun::cpu
