// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/image/resize_axis.h"

namespace ortrun::cpu {

/// Writes the nearest element to every place of the output. `axes` describes every dimension; no extent is 0.
/// `fill` points at the extrapolation value, an element like the others.
void ResizeNearest(KernelContext& context, const ResizeRules& rules, std::span<const ResizeAxis> axes, const void* x,
                   const void* fill, void* y, size_t element_size);

/// Linear and cubic over data of W (float or double), two neighbouring axes at a time. No extent is 0.
template <typename W>
void ResizeWeighted(KernelContext& context, const ResizeRules& rules, std::span<const ResizeAxis> axes, const W* x,
                    W* y);

}  // namespace ortrun::cpu
