// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/conv/conv.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "plugins/cpu/conv/loops.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kMostElements = size_t{1} << 48;

void Require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument("convolution: " + message);
}

/// a * b, refused beyond kMostElements.
size_t Product(size_t a, size_t b, const char* what) {
  Require(b == 0 || a <= kMostElements / b, std::string(what) + " has too many elements");
  return a * b;
}

size_t OutputSize(const char* axis, size_t in, size_t kernel, size_t stride, size_t dilation, size_t before,
                  size_t after) {
  const std::string name(axis);
  Require(kernel > 0, "the kernel's " + name + " is 0");
  Require(stride > 0, "the stride of the " + name + " is 0");
  Require(dilation > 0, "the dilation of the " + name + " is 0");
  for (const size_t size : {in, kernel, stride, dilation, before, after}) {
    Require(size <= kMostElements, "a size of the " + name + " is out of range");
  }
  const size_t reach = Product(dilation, kernel - 1, "the kernel") + 1;
  const size_t padded = in + before + after;
  Require(padded >= reach, "the kernel covers a " + name + " of " + std::to_string(reach) + ", the padded input has " +
                               std::to_string(padded));
  return (padded - reach) / stride + 1;
}

bool IsDepthwise(const Conv2dShape& s) {
  return s.groups > 1 && s.groups == s.in_channels && s.groups == s.out_channels;
}

}  // namespace

size_t ZeroCount(const ConvGeometry& g) {
  return g.shape.layout == ConvLayout::kNhwc ? g.shape.in_channels * g.shape.kernel_width : 0;
}

ConvPlan::ConvPlan(const Conv2dShape& shape) {
  const Conv2dShape& s = shape;
  Require(s.groups > 0, "the number of groups is 0");
  Require(s.in_channels > 0 && s.in_channels % s.groups == 0,
          std::to_string(s.in_channels) + " input channels do not divide into " + std::to_string(s.groups) + " groups");
  Require(
      s.out_channels > 0 && s.out_channels % s.groups == 0,
      std::to_string(s.out_channels) + " output channels do not divide into " + std::to_string(s.groups) + " groups");
  geometry_.shape = s;
  geometry_.out_height =
      OutputSize("height", s.in_height, s.kernel_height, s.stride_height, s.dilation_height, s.pad_top, s.pad_bottom);
  geometry_.out_width =
      OutputSize("width", s.in_width, s.kernel_width, s.stride_width, s.dilation_width, s.pad_left, s.pad_right);
  Product(Product(Product(s.batch, s.in_channels, "the input"), s.in_height + s.pad_top + s.pad_bottom, "the input"),
          s.in_width + s.pad_left + s.pad_right, "the input");
  Product(Product(Product(s.batch, s.out_channels, "the output"), geometry_.out_height, "the output"),
          geometry_.out_width, "the output");
  Product(Product(Product(s.out_channels, s.in_channels / s.groups, "the weights"), s.kernel_height, "the weights"),
          s.kernel_width, "the weights");
  form_ = s.layout == ConvLayout::kNchw ? WeightsForm::kPlain
          : IsDepthwise(s)              ? WeightsForm::kChannels
                                        : WeightsForm::kPanels;
  if (form_ == WeightsForm::kPanels) {
    const size_t tile = WinogradTileSize(geometry_);
    if (tile != 0) form_ = tile == 2 ? WeightsForm::kTiles2 : WeightsForm::kTiles4;
  }
  zeros_.assign(ZeroCount(geometry_), 0.0F);
}

size_t ConvPlan::PackedWeightsSize() const {
  const Conv2dShape& s = geometry_.shape;
  switch (form_) {
    case WeightsForm::kPanels:
      return PanelWeightsSize(geometry_);
    case WeightsForm::kChannels:
      return ChannelWeightsSize(geometry_);
    case WeightsForm::kTiles2:
      return WinogradWeightsSize(geometry_, 2);
    case WeightsForm::kTiles4:
      return WinogradWeightsSize(geometry_, 4);
    case WeightsForm::kPlain:
      break;
  }
  return s.out_channels * (s.in_channels / s.groups) * s.kernel_height * s.kernel_width * sizeof(float);
}

void ConvPlan::PackWeights(const float* weights, void* packed, const Parallel& parallel) const {
  float* to = static_cast<float*>(packed);
  switch (form_) {
    case WeightsForm::kPanels:
      return PackPanelWeights(geometry_, weights, to, parallel);
    case WeightsForm::kChannels:
      return PackChannelWeights(geometry_, weights, to);
    case WeightsForm::kTiles2:
      return PackWinogradWeights(geometry_, 2, weights, to, parallel);
    case WeightsForm::kTiles4:
      return PackWinogradWeights(geometry_, 4, weights, to, parallel);
    case WeightsForm::kPlain:
      break;
  }
  std::copy_n(weights, PackedWeightsSize() / sizeof(float), to);
}

size_t ConvPlan::ScratchSize(size_t threads) const {
  threads = std::max<size_t>(1, threads);
  switch (form_) {
    case WeightsForm::kPanels:
      return PanelScratchSize(geometry_, threads);
    case WeightsForm::kChannels:
      return 0;
    case WeightsForm::kTiles2:
      return WinogradScratchSize(geometry_, 2, threads);
    case WeightsForm::kTiles4:
      return WinogradScratchSize(geometry_, 4, threads);
    case WeightsForm::kPlain:
      break;
  }
  return IsDepthwise(geometry_.shape) ? PlaneScratchSize(geometry_, threads) : ColumnScratchSize(geometry_, threads);
}

void ConvPlan::Run(const float* input, const void* packed, float* output, const Epilogue& epilogue, void* scratch,
                   const Parallel& parallel) const {
  if (geometry_.shape.batch == 0) return;
  const ConvOperands operands{input,    static_cast<const float*>(packed), output, zeros_.data(),
                              epilogue, static_cast<std::byte*>(scratch)};
  switch (form_) {
    case WeightsForm::kPanels:
      return RunPanels(geometry_, operands, parallel);
    case WeightsForm::kChannels:
      return RunChannels(geometry_, operands, parallel);
    case WeightsForm::kTiles2:
      return RunWinograd(geometry_, 2, operands, parallel);
    case WeightsForm::kTiles4:
      return RunWinograd(geometry_, 4, operands, parallel);
    case WeightsForm::kPlain:
      break;
  }
  if (IsDepthwise(geometry_.shape)) return RunPlanes(geometry_, operands, parallel);
  RunColumns(geometry_, operands, parallel);
}

}  // namespace ortrun::cpu
