// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Reduce*, ArgMax, ArgMin, CumSum.
void RegisterReductions(KernelList& list);

}  // namespace ortrun::cpu
