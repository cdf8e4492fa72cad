// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
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

/// y = act(conv(x, w) + bias + residual); bias (one value a channel) and residual (shaped as y) may be NULL.
void Convolve(KernelContext& context, const ConvolutionShape& shape, const float* x, const float* w, const float* bias,
              const float* residual, const FusedActivation& activation, float* y);
void Convolve(KernelContext& context, const ConvolutionShape& shape, const double* x, const double* w,
              const double* bias, double* y);

/// Each channel has its own single filter over two spatial axes (window.in[0] is 1). One plane of the output, in one
/// thread; `scratch` has DepthwiseScratch(window) floats.
void ConvolveDepthwisePlane(const WindowGeometry& window, const float* x, const float* w, float bias, float* scratch,
                            float* y);
size_t DepthwiseScratch(const WindowGeometry& window);

/// Writes the patches of output places [first, last) as the columns of a matrix of in_channels * kernel rows and
/// last - first columns; what lies in the padding is 0.
template <typename T>
void PatchesToColumns(const WindowGeometry& window, size_t in_channels, const T* x, size_t first, size_t last,
                      T* columns);

}  // namespace ortrun::cpu
