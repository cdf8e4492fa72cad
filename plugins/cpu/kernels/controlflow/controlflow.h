// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// If, Loop, Scan: the host runs the subgraphs, this provider lends it the copies that host memory needs.
void RegisterControlFlow(KernelList& list);

}  // namespace ortrun::cpu
