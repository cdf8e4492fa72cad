// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterTopK(KernelList& list);
void RegisterUnique(KernelList& list);

/// Operators that order elements.
void RegisterSorting(KernelList& list);

}  // namespace ortrun::cpu
