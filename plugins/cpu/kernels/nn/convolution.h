// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/kernels/nn/spatial.h"

namespace ortrun::cpu {

/// A convolution of channels-first data: x is [batch, groups * in_channels, in...], the weights are
/// [groups * out_channels, in_channels, kernel...], y is [batch, groups * out_channels, out...].
struct ConvolutionShape {
  WindowGeometry window;
  size_t batch = 1;
  size_t groups = 1;
  size_t in_channels = 1;   ///< of one group
  size_t out_channels = 1;  ///< of one group
};

/// y = act(conv(x, w) + bias + residual) for any number of axes and either type, through the BLAS: for what the inner
/// loops of plugins/cpu/conv do not serve. `bias` (one value a channel) and `residual` (shaped as y) may be NULL.
template <typename T>
void ConvolveByProducts(KernelContext& context, const ConvolutionShape& shape, const T* x, const T* w, const T* bias,
                        const T* residual, const Activation& activation, T* y);

/// Writes the patches of output places [first, last) as the columns of a matrix of in_channels * kernel rows and
/// last - first columns; what lies in the padding is 0.
template <typename T>
void PatchesToColumns(const WindowGeometry& window, size_t in_channels, const T* x, size_t first, size_t last,
                      T* columns);

}  // namespace ortrun::cpu
