// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterNonMaxSuppression(KernelList& list);
void RegisterResize(KernelList& list);

/// Operators on images and boxes.
void RegisterImage(KernelList& list);

}  // namespace ortrun::cpu
