// SPDX-License-Identifier: Apache-2.0
// Pooling over single-precision images, channels-last or channels-first.
#pragma once

#include <cstddef>

#include "plugins/cpu/conv/conv.h"
#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {

enum class PoolKind {
  kMax,
  kAverage,         ///< the mean over the window's part inside the image
  kAverageWithPad,  ///< count_include_pad: the mean over the window's part inside the padded image
};

/// Sizes as ONNX's MaxPool and AveragePool; the caller computes the output size (floor or ceil mode). Windows may hang
/// over the padded image; a window with no pixel gives -infinity for kMax and 0 for the averages.
struct Pool2dShape {
  ConvLayout layout = ConvLayout::kNhwc;
  size_t batch = 1, channels = 0;
  size_t in_height = 1, in_width = 0;
  size_t out_height = 1, out_width = 0;
  size_t kernel_height = 1, kernel_width = 1;
  size_t stride_height = 1, stride_width = 1;
  size_t dilation_height = 1, dilation_width = 1;
  size_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

void Pool2d(PoolKind kind, const Pool2dShape& shape, const float* input, float* output, const Parallel& parallel);

/// output[b, c] = the mean or the greatest over all `pixels` of input[b, :, c] (NHWC) or input[b, c, :] (NCHW).
/// No pixels: -infinity or NaN.
void GlobalPool(PoolKind kind, ConvLayout layout, size_t batch, size_t channels, size_t pixels, const float* input,
                float* output, const Parallel& parallel);

}  // namespace ortrun::cpu
