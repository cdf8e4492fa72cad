// SPDX-License-Identifier: Apache-2.0
// Convolution with one filter a channel. Channels-last: vectors over channels, a few output pixels at a time share the
// weights and the input columns. Channels-first: vectors over a row, from a copy of the plane with its padding, split
// by stride so that every tap reads consecutive floats.
#include <algorithm>

#include "plugins/cpu/conv/loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/conv/depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "plugins/cpu/conv/finish-inl.h"
#include "plugins/cpu/vector/clamp-inl.h"
#include "plugins/cpu/vector/partial-inl.h"

#ifndef ORTRUN_CPU_CONV_DEPTHWISE
#define ORTRUN_CPU_CONV_DEPTHWISE
namespace ortrun::cpu {
namespace {

/// Some output pixels of one row, channels-last. Column j of kernel row ky is at columns[ky * column_count + j].
struct PixelGroup {
  const float* const* columns;
  size_t column_count;
  size_t kernel_begin;  ///< kernel rows inside the image
  size_t kernel_end;
  const float* weights;
  size_t padded_channels;
  size_t channels;
  const float* bias;
  const float* residual;
  float residual_scale;
  float* output;
  ConvFinish finish;
};

constexpr size_t kPixelsAtOnce = 4;

}  // namespace
}  // namespace ortrun::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace vec = ortrun::cpu::vector::HWY_NAMESPACE;
namespace {

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

template <bool kWhole>
HWY_INLINE Vec Read(const float* from, size_t count) {
  if constexpr (kWhole) {
    return hn::LoadU(Tag(), from);
  } else {
    return vec::LoadPartial(Tag(), from, count);
  }
}

/// kWidth 0: any width and dilation, given at run time.
template <size_t kWidth, size_t kStride, size_t kPixels, bool kWhole>
HWY_INLINE void PixelVector(const PixelGroup& g, size_t width, size_t dilation, size_t channel, size_t count) {
  const Tag d;
  Vec sum[kPixels];
  const Vec start = g.bias == nullptr ? hn::Zero(d) : Read<kWhole>(g.bias + channel, count);
#pragma GCC unroll 8
  for (size_t p = 0; p < kPixels; ++p) sum[p] = start;
  for (size_t ky = g.kernel_begin; ky < g.kernel_end; ++ky) {
    const float* const* columns = g.columns + ky * g.column_count;
    if constexpr (kWidth == 0) {
      const float* weights = g.weights + ky * width * g.padded_channels + channel;
      for (size_t kx = 0; kx < width; ++kx, weights += g.padded_channels) {
        sum[0] = hn::MulAdd(Read<kWhole>(columns[kx * dilation] + channel, count), hn::LoadU(d, weights), sum[0]);
      }
    } else {
      const float* weights = g.weights + ky * kWidth * g.padded_channels + channel;
      Vec w[kWidth == 0 ? 1 : kWidth];
#pragma GCC unroll 8
      for (size_t kx = 0; kx < kWidth; ++kx) w[kx] = hn::LoadU(d, weights + kx * g.padded_channels);
#pragma GCC unroll 16
      for (size_t j = 0; j < (kPixels - 1) * kStride + kWidth; ++j) {
        const Vec x = Read<kWhole>(columns[j] + channel, count);
#pragma GCC unroll 8
        for (size_t p = 0; p < kPixels; ++p) {
          if (j >= p * kStride && j - p * kStride < kWidth) sum[p] = hn::MulAdd(x, w[j - p * kStride], sum[p]);
        }
      }
    }
  }
  if (g.finish.residual_first) {
    const Vec scale = hn::Set(d, g.residual_scale);
#pragma GCC unroll 8
    for (size_t p = 0; p < kPixels; ++p) {
      sum[p] = hn::MulAdd(Read<kWhole>(g.residual + p * g.channels + channel, count), scale, sum[p]);
    }
  }
  if (g.finish.clamp) {
    const Vec low = hn::Set(d, g.finish.low);
    const Vec high = hn::Set(d, g.finish.high);
#pragma GCC unroll 8
    for (size_t p = 0; p < kPixels; ++p) sum[p] = vec::Clamp(low, high, sum[p]);
  }
#pragma GCC unroll 8
  for (size_t p = 0; p < kPixels; ++p) {
    float* to = g.output + p * g.channels + channel;
    if constexpr (kWhole) {
      hn::StoreU(sum[p], d, to);
    } else {
      vec::StorePartial(sum[p], d, to, count);
    }
  }
}

template <size_t kWidth, size_t kStride, size_t kPixels>
void Pixels(const PixelGroup& g, size_t width, size_t dilation) {
  const size_t lanes = hn::Lanes(Tag());
  size_t channel = 0;
  for (; channel + lanes <= g.channels; channel += lanes) {
    PixelVector<kWidth, kStride, kPixels, true>(g, width, dilation, channel, lanes);
  }
  if (channel < g.channels) {
    PixelVector<kWidth, kStride, kPixels, false>(g, width, dilation, channel, g.channels - channel);
  }
}

using PixelFunction = void (*)(const PixelGroup& g, size_t width, size_t dilation);

template <size_t kPixels>
PixelFunction FastPixels(size_t width, size_t stride) {
  if (width == 3 && stride == 1) return &Pixels<3, 1, kPixels>;
  if (width == 3 && stride == 2) return &Pixels<3, 2, kPixels>;
  if (width == 5 && stride == 1) return &Pixels<5, 1, kPixels>;
  if (width == 5 && stride == 2) return &Pixels<5, 2, kPixels>;
  if (width == 7 && stride == 1) return &Pixels<7, 1, kPixels>;
  return nullptr;
}

/// One output row of a channels-last image. `table` has room for the columns of one group of pixels.
void ChannelsRow(const ConvGeometry& g, const ConvOperands& o, size_t row, const float** table) {
  const Conv2dShape& s = g.shape;
  const size_t lanes = hn::Lanes(Tag());
  const size_t batch = row / g.out_height;
  const size_t oy = row % g.out_height;
  const float* image = o.input + batch * s.in_height * s.in_width * s.in_channels;
  PixelGroup group{};
  group.columns = table;
  group.weights = o.weights;
  group.channels = s.in_channels;
  group.padded_channels = (s.in_channels + lanes - 1) / lanes * lanes;
  group.bias = o.epilogue.bias;
  group.residual_scale = o.epilogue.residual_scale;
  group.finish = MakeFinish(o.epilogue);
  const PixelFunction many =
      s.dilation_width == 1 ? FastPixels<kPixelsAtOnce>(s.kernel_width, s.stride_width) : nullptr;
  const PixelFunction single = s.dilation_width == 1 ? FastPixels<1>(s.kernel_width, s.stride_width) : nullptr;
  const size_t top = oy * s.stride_height;
  group.kernel_begin =
      top >= s.pad_top ? 0 : HWY_MIN(s.kernel_height, (s.pad_top - top + s.dilation_height - 1) / s.dilation_height);
  group.kernel_end = group.kernel_begin;
  while (group.kernel_end < s.kernel_height && top + group.kernel_end * s.dilation_height - s.pad_top < s.in_height) {
    ++group.kernel_end;
  }
  for (size_t ox = 0; ox < g.out_width;) {
    const bool together = many != nullptr && g.out_width - ox >= kPixelsAtOnce;
    const size_t pixels = together ? kPixelsAtOnce : 1;
    group.column_count = (pixels - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width + 1;
    for (size_t ky = group.kernel_begin; ky < group.kernel_end; ++ky) {
      const size_t iy = top + ky * s.dilation_height - s.pad_top;
      for (size_t j = 0; j < group.column_count; ++j) {
        const size_t ix = ox * s.stride_width + j - s.pad_left;
        table[ky * group.column_count + j] = ix < s.in_width ? image + (iy * s.in_width + ix) * s.in_channels : o.zeros;
      }
    }
    const size_t at = (row * g.out_width + ox) * s.in_channels;
    group.output = o.output + at;
    group.residual = o.epilogue.residual == nullptr ? nullptr : o.epilogue.residual + at;
    if (together) {
      many(group, s.kernel_width, 1);
    } else if (single != nullptr) {
      single(group, s.kernel_width, 1);
    } else {
      Pixels<0, 1, 1>(group, s.kernel_width, s.dilation_width);
    }
    if (group.finish.second_pass) FinishRow(o.epilogue, group.output, pixels * s.in_channels, group.residual);
    ox += pixels;
  }
}

/// One channels-first plane: batch and channel. `copy` is laid out as PlaneScratch says.
void Plane(const ConvGeometry& g, const ConvOperands& o, size_t plane, float* copy, size_t phase_width) {
  const Conv2dShape& s = g.shape;
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  const size_t channel = plane % s.in_channels;
  const float* image = o.input + plane * s.in_height * s.in_width;
  const size_t row_floats = phase_width * s.stride_width;
  for (size_t y = 0; y < s.in_height; ++y) {
    const float* from = image + y * s.in_width;
    float* to = copy + y * row_floats;
    if (s.stride_width == 1) {
      std::copy_n(from, s.in_width, to + s.pad_left);  // the padding stays zero from plane to plane
    } else {
      size_t phase = s.pad_left % s.stride_width;
      size_t index = s.pad_left / s.stride_width;
      for (size_t x = 0; x < s.in_width; ++x) {
        to[phase * phase_width + index] = from[x];
        if (++phase == s.stride_width) {
          phase = 0;
          ++index;
        }
      }
    }
  }
  const float* weights = o.weights + channel * s.kernel_height * s.kernel_width;
  const Vec bias = hn::Set(d, o.epilogue.bias == nullptr ? 0.0F : o.epilogue.bias[channel]);
  const ConvFinish finish = MakeFinish(o.epilogue);
  const Vec low = hn::Set(d, finish.low);
  const Vec high = hn::Set(d, finish.high);
  const Vec scale = hn::Set(d, o.epilogue.residual_scale);
  for (size_t oy = 0; oy < g.out_height; ++oy) {
    const size_t at = (plane * g.out_height + oy) * g.out_width;
    const float* residual = o.epilogue.residual == nullptr ? nullptr : o.epilogue.residual + at;
    for (size_t ox = 0; ox < g.out_width; ox += lanes) {
      const size_t count = HWY_MIN(lanes, g.out_width - ox);
      Vec sum = bias;
      for (size_t ky = 0; ky < s.kernel_height; ++ky) {
        const size_t iy = oy * s.stride_height + ky * s.dilation_height - s.pad_top;
        if (iy >= s.in_height) continue;
        for (size_t kx = 0; kx < s.kernel_width; ++kx) {
          const size_t shift = kx * s.dilation_width;
          const float* from = copy + iy * row_floats + shift % s.stride_width * phase_width + shift / s.stride_width;
          sum = hn::MulAdd(hn::LoadU(d, from + ox), hn::Set(d, weights[ky * s.kernel_width + kx]), sum);
        }
      }
      if (finish.residual_first) sum = hn::MulAdd(vec::LoadPartial(d, residual + ox, count), scale, sum);
      if (finish.clamp) sum = vec::Clamp(low, high, sum);
      vec::StorePartial(sum, d, o.output + at + ox, count);
    }
    if (finish.second_pass) FinishRow(o.epilogue, o.output + at, g.out_width, residual);
  }
}

size_t LaneCount() { return hn::Lanes(Tag()); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
namespace {

HWY_EXPORT(ChannelsRow);
HWY_EXPORT(Plane);
HWY_EXPORT(LaneCount);

constexpr size_t kBlockWork = size_t{1} << 15;

size_t Lanes() { return HWY_DYNAMIC_DISPATCH(LaneCount)(); }

size_t Blocks(size_t parts, size_t work, size_t threads) {
  return threads <= 1 ? 1 : std::max<size_t>(1, std::min({parts, work / kBlockWork, threads * 4}));
}

size_t Work(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  return s.batch * g.out_height * g.out_width * s.in_channels * s.kernel_height * s.kernel_width;
}

size_t TableBytes(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  const size_t columns = (kPixelsAtOnce - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width + 1;
  return AlignedBytes(s.kernel_height * columns * sizeof(const float*));
}

/// Each row of the copy holds stride_width phases: padded column x is element x / stride of phase x % stride.
size_t PhaseWidth(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  const size_t padded = s.pad_left + s.in_width + s.pad_right;
  return padded / s.stride_width + 1 + Lanes();  // vectors read past the last column
}

size_t PlaneBytes(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  // The last vector of the last phase may start at its last element.
  return AlignedBytes((s.in_height * PhaseWidth(g) * s.stride_width + Lanes()) * sizeof(float));
}

}  // namespace

size_t ChannelWeightsSize(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  const size_t lanes = Lanes();
  return s.kernel_height * s.kernel_width * ((s.in_channels + lanes - 1) / lanes * lanes) * sizeof(float);
}

void PackChannelWeights(const ConvGeometry& g, const float* weights, float* packed) {
  const Conv2dShape& s = g.shape;
  const size_t taps = s.kernel_height * s.kernel_width;
  const size_t padded = ChannelWeightsSize(g) / sizeof(float) / taps;
  for (size_t tap = 0; tap < taps; ++tap) {
    for (size_t channel = 0; channel < padded; ++channel) {
      packed[tap * padded + channel] = channel < s.in_channels ? weights[channel * taps + tap] : 0.0F;
    }
  }
}

size_t ChannelScratchSize(const ConvGeometry& g, size_t threads) {
  return Blocks(g.shape.batch * g.out_height, Work(g), threads) * TableBytes(g);
}

void RunChannels(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel) {
  const size_t rows = g.shape.batch * g.out_height;
  const size_t blocks = Blocks(rows, Work(g), parallel.threads);
  const size_t bytes = TableBytes(g);
  const auto run = HWY_DYNAMIC_DISPATCH(ChannelsRow);
  parallel.For(blocks, [&](size_t block) {
    const float** table = reinterpret_cast<const float**>(operands.scratch + block * bytes);
    const Range range = PartOf(rows, blocks, block);
    for (size_t row = range.begin; row < range.end; ++row) run(g, operands, row, table);
  });
}

size_t PlaneScratchSize(const ConvGeometry& g, size_t threads) {
  return Blocks(g.shape.batch * g.shape.in_channels, Work(g), threads) * PlaneBytes(g);
}

void RunPlanes(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel) {
  const size_t planes = g.shape.batch * g.shape.in_channels;
  const size_t blocks = Blocks(planes, Work(g), parallel.threads);
  const size_t bytes = PlaneBytes(g);
  const size_t phase_width = PhaseWidth(g);
  const auto run = HWY_DYNAMIC_DISPATCH(Plane);
  parallel.For(blocks, [&](size_t block) {
    float* copy = reinterpret_cast<float*>(operands.scratch + block * bytes);
    std::fill_n(copy, bytes / sizeof(float), 0.0F);
    const Range range = PartOf(planes, blocks, block);
    for (size_t plane = range.begin; plane < range.end; ++plane) run(g, operands, plane, copy, phase_width);
  });
}

}  // namespace ortrun::cpu
#endif
