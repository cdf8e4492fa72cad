// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterAffineGrid(KernelList& list);
void RegisterCenterCropPad(KernelList& list);
void RegisterCol2Im(KernelList& list);
void RegisterGridSample(KernelList& list);
void RegisterNonMaxSuppression(KernelList& list);
void RegisterResize(KernelList& list);
void RegisterRoiAlign(KernelList& list);

/// Operators on images and boxes.
void RegisterImage(KernelList& list);

}  // namespace ortrun::cpu
