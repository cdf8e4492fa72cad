// SPDX-License-Identifier: Apache-2.0
// Single-precision 2-D convolution, channels-last (NHWC) or channels-first (NCHW); 1-D is height 1.
// A plan is made once per shape, weights are packed once; a run allocates nothing. The bits do not depend on threads.
#pragma once

#include <cstddef>
#include <vector>

#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {

enum class ConvLayout { kNhwc, kNchw };

/// Sizes are in elements. Pads, strides and dilations as ONNX's Conv.
struct Conv2dShape {
  ConvLayout layout = ConvLayout::kNhwc;
  size_t batch = 1;
  size_t in_channels = 0, out_channels = 0;  ///< of all groups together
  size_t groups = 1;
  size_t in_height = 1, in_width = 0;
  size_t kernel_height = 1, kernel_width = 1;
  size_t stride_height = 1, stride_width = 1;
  size_t dilation_height = 1, dilation_width = 1;
  size_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};

/// A shape with what follows from it.
struct ConvGeometry {
  Conv2dShape shape;
  size_t out_height = 0;
  size_t out_width = 0;
};

class ConvPlan {
 public:
  /// Throws std::invalid_argument, saying which size is wrong, where the shape makes no convolution (channels that the
  /// groups do not divide, zero strides, a kernel larger than the padded input, sizes beyond 2^48 elements).
  explicit ConvPlan(const Conv2dShape& shape);

  const Conv2dShape& shape() const { return geometry_.shape; }
  size_t out_height() const { return geometry_.out_height; }
  size_t out_width() const { return geometry_.out_width; }

  /// The packed form depends on layout, channels, groups and kernel size, and on input sizes only through
  /// `WeightsForm`: plans of other input sizes share the weights where it is equal.
  enum class WeightsForm { kPanels, kPlain, kChannels, kTiles2, kTiles4 };
  static constexpr size_t kWeightsForms = 5;
  WeightsForm weights_form() const { return form_; }
  size_t PackedWeightsSize() const;
  /// From OIHW: out_channels x (in_channels / groups) x kernel_height x kernel_width. `packed` 64-byte aligned for
  /// speed.
  void PackWeights(const float* weights, void* packed, const Parallel& parallel) const;

  /// Bytes; 64-byte aligned for speed.
  size_t ScratchSize(size_t threads) const;

  /// epilogue.bias: one per output channel; epilogue.residual: same shape and layout as the output.
  /// `scratch` holds ScratchSize(parallel.threads) bytes.
  void Run(const float* input, const void* packed, float* output, const Epilogue& epilogue, void* scratch,
           const Parallel& parallel) const;

 private:
  ConvGeometry geometry_;
  WeightsForm form_ = WeightsForm::kPanels;
  std::vector<float> zeros_;  // stands in for input pixels outside the image
};

}  // namespace ortrun::cpu
