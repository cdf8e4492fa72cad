// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Conversions between numbers and their quantised forms, and the products of quantised numbers.
void RegisterQuantization(KernelList& list);

// One function a file, called by RegisterQuantization.
void RegisterConvInteger(KernelList& list);
void RegisterDequantizeLinear(KernelList& list);
void RegisterDynamicQuantizeLinear(KernelList& list);
void RegisterMatMulInteger(KernelList& list);
void RegisterQuantizeLinear(KernelList& list);

}  // namespace ortrun::cpu
