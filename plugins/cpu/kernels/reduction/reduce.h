// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterArgExtremes(KernelList& list);
void RegisterCumulative(KernelList& list);

/// Reduce*, ArgMax, ArgMin, CumSum, CumProd.
void RegisterReductions(KernelList& list);

}  // namespace ortrun::cpu
