// SPDX-License-Identifier: Apache-2.0
// The ways to compute a convolution; ConvPlan chooses. Internal to conv/.
#pragma once

#include <cstddef>

#include "plugins/cpu/conv/conv.h"

namespace ortrun::cpu {

struct ConvOperands {
  const float* input;
  const float* weights;  ///< packed in the form of the way
  float* output;
  const float* zeros;  ///< as many as ZeroCount says
  Epilogue epilogue;
  std::byte* scratch;
};

/// Floats of zeros that stand in for pixels outside the image.
size_t ZeroCount(const ConvGeometry& g);

/// Channels-last as a matrix product over pointers to pixels. Weights: per group, panels of (kh kw ic) x oc.
size_t PanelWeightsSize(const ConvGeometry& g);
void PackPanelWeights(const ConvGeometry& g, const float* weights, float* packed, const Parallel& parallel);
size_t PanelScratchSize(const ConvGeometry& g, size_t threads);
void RunPanels(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel);

/// 3 x 3, channels-last, by tiles of 2 x 2 or 4 x 4 outputs; 0 where it cannot or does not pay. Weights: (tile + 2)^2
/// packed matrices ic x oc.
size_t WinogradTileSize(const ConvGeometry& g);
size_t WinogradWeightsSize(const ConvGeometry& g, size_t tile);
void PackWinogradWeights(const ConvGeometry& g, size_t tile, const float* weights, float* packed,
                         const Parallel& parallel);
size_t WinogradScratchSize(const ConvGeometry& g, size_t tile, size_t threads);
void RunWinograd(const ConvGeometry& g, size_t tile, const ConvOperands& operands, const Parallel& parallel);

/// Channels-last, one filter a channel; takes no scratch. Weights: kh x kw x channels, the channels padded to whole
/// vectors.
size_t ChannelWeightsSize(const ConvGeometry& g);
void PackChannelWeights(const ConvGeometry& g, const float* weights, float* packed);
void RunChannels(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel);

/// Channels-first as a matrix product of the weights as they are with columns of pixels.
size_t ColumnScratchSize(const ConvGeometry& g, size_t threads);
void RunColumns(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel);

/// Channels-first, one filter a channel.
size_t PlaneScratchSize(const ConvGeometry& g, size_t threads);
void RunPlanes(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel);

/// Bytes, rounded up so that what follows stays aligned.
inline size_t AlignedBytes(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace ortrun::cpu
