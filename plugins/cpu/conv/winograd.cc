// SPDX-License-Identifier: Apache-2.0
// 3 x 3 convolution, channels-last, with fewer products: tiles of kTile x kTile outputs and the filters are taken to
// the values of their polynomials at a few points, multiplied there as matrices over the channels, and taken back
// (Winograd's minimal filtering, by Toom-Cook interpolation). 4 x 4 outputs cost 36 products instead of 144, 2 x 2
// cost 16 instead of 36.
#include <algorithm>
#include <array>
#include <cmath>

#include "plugins/cpu/conv/loops.h"
#include "plugins/cpu/gemm/blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/conv/winograd.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "plugins/cpu/conv/finish-inl.h"
#include "plugins/cpu/vector/clamp-inl.h"
#include "plugins/cpu/vector/partial-inl.h"

#ifndef ORTRUN_CPU_CONV_WINOGRAD
#define ORTRUN_CPU_CONV_WINOGRAD
namespace ortrun::cpu {
namespace {

/// The points for 4 x 4 outputs are 0, +-kNear, +-kFar and infinity: near 1 on both sides, so that no power of them is
/// large, which keeps the rounding small.
constexpr float kNearSquared = 0.5F;
constexpr float kFarSquared = 2.0F;
constexpr float kNear = 0.70710678118654752F;
constexpr float kFar = 1.41421356237309505F;

/// One tile: kTile x kTile outputs from (kTile + 2) x (kTile + 2) inputs.
struct WinogradTile {
  const float* pixels[36];  ///< of the input, channels together; outside the image: zeros
  size_t channels;          ///< of the side that is worked on
  float* values;            ///< the transformed element e of channel c is at values[e * stride + c]
  size_t stride;
  float* output;  ///< its first pixel
  size_t rows;    ///< of the tile inside the image
  size_t columns;
  size_t row_step;  ///< floats between rows of the output
  const float* residual;
};

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

/// The values of a polynomial's dual at the points: x[i * kStep] to y[i * kStep]. y may not be x.
template <size_t kTile>
HWY_INLINE void Forward(const Vec* x, size_t step_x, Vec* y, size_t step_y) {
  if constexpr (kTile == 2) {
    y[0] = hn::Sub(x[2 * step_x], x[0]);
    y[step_y] = hn::Add(x[2 * step_x], x[step_x]);
    y[2 * step_y] = hn::Sub(x[2 * step_x], x[step_x]);
    y[3 * step_y] = hn::Sub(x[3 * step_x], x[step_x]);
  } else {
    const Tag d;
    const Vec near_squared = hn::Set(d, kNearSquared);
    const Vec far_squared = hn::Set(d, kFarSquared);
    const Vec sum = hn::Set(d, kNearSquared + kFarSquared);
    const Vec near = hn::Set(d, kNear);
    const Vec far = hn::Set(d, kFar);
    static_assert(kNearSquared * kFarSquared == 1.0F, "the products below leave this factor out");
    const Vec x0 = x[0];
    const Vec x1 = x[step_x];
    const Vec x2 = x[2 * step_x];
    const Vec x3 = x[3 * step_x];
    const Vec x4 = x[4 * step_x];
    const Vec x5 = x[5 * step_x];
    y[0] = hn::NegMulAdd(sum, x2, hn::Add(x4, x0));
    const Vec even_near = hn::NegMulAdd(far_squared, x2, x4);
    const Vec odd_near = hn::Mul(near, hn::NegMulAdd(far_squared, x1, x3));
    y[step_y] = hn::Add(even_near, odd_near);
    y[2 * step_y] = hn::Sub(even_near, odd_near);
    const Vec even_far = hn::NegMulAdd(near_squared, x2, x4);
    const Vec odd_far = hn::Mul(far, hn::NegMulAdd(near_squared, x1, x3));
    y[3 * step_y] = hn::Add(even_far, odd_far);
    y[4 * step_y] = hn::Sub(even_far, odd_far);
    y[5 * step_y] = hn::NegMulAdd(sum, x3, hn::Add(x5, x1));
  }
}

/// Back from the values at the points to kTile outputs.
template <size_t kTile>
HWY_INLINE void Backward(const Vec* x, size_t step_x, Vec* y, size_t step_y) {
  if constexpr (kTile == 2) {
    y[0] = hn::Add(x[0], hn::Add(x[step_x], x[2 * step_x]));
    y[step_y] = hn::Add(hn::Sub(x[step_x], x[2 * step_x]), x[3 * step_x]);
  } else {
    const Tag d;
    const Vec even_near = hn::Add(x[step_x], x[2 * step_x]);
    const Vec odd_near = hn::Mul(hn::Set(d, kNear), hn::Sub(x[step_x], x[2 * step_x]));
    const Vec even_far = hn::Add(x[3 * step_x], x[4 * step_x]);
    const Vec odd_far = hn::Mul(hn::Set(d, kFar), hn::Sub(x[3 * step_x], x[4 * step_x]));
    const Vec near_squared = hn::Set(d, kNearSquared);
    const Vec far_squared = hn::Set(d, kFarSquared);
    y[0] = hn::Add(x[0], hn::Add(even_near, even_far));
    y[step_y] = hn::Add(odd_near, odd_far);
    y[2 * step_y] = hn::MulAdd(near_squared, even_near, hn::Mul(far_squared, even_far));
    y[3 * step_y] = hn::Add(hn::MulAdd(near_squared, odd_near, hn::Mul(far_squared, odd_far)), x[5 * step_x]);
  }
}

template <size_t kTile>
void TransformInput(const WinogradTile& t) {
  constexpr size_t kSide = kTile + 2;
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  for (size_t channel = 0; channel < t.channels; channel += lanes) {
    const size_t count = HWY_MIN(lanes, t.channels - channel);
    Vec half[kSide * kSide];
#pragma GCC unroll 6
    for (size_t j = 0; j < kSide; ++j) {
      Vec column[kSide];
#pragma GCC unroll 6
      for (size_t i = 0; i < kSide; ++i) {
        const float* from = t.pixels[i * kSide + j] + channel;
        column[i] = count == lanes ? hn::LoadU(d, from) : vec::LoadPartial(d, from, count);
      }
      Forward<kTile>(column, 1, half + j, kSide);
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < kSide; ++i) {
      Vec row[kSide];
      Forward<kTile>(half + i * kSide, 1, row, 1);
#pragma GCC unroll 6
      for (size_t j = 0; j < kSide; ++j) {
        vec::StorePartial(row[j], d, t.values + (i * kSide + j) * t.stride + channel, count);
      }
    }
  }
}

template <size_t kTile>
void TransformOutput(const WinogradTile& t, const Epilogue& e, const ConvFinish& finish) {
  constexpr size_t kSide = kTile + 2;
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  const Vec low = hn::Set(d, finish.low);
  const Vec high = hn::Set(d, finish.high);
  const Vec scale = hn::Set(d, e.residual_scale);
  for (size_t channel = 0; channel < t.channels; channel += lanes) {
    const size_t count = HWY_MIN(lanes, t.channels - channel);
    const Vec bias = e.bias == nullptr ? hn::Zero(d) : vec::LoadPartial(d, e.bias + channel, count);
    Vec half[kTile * kSide];
#pragma GCC unroll 6
    for (size_t j = 0; j < kSide; ++j) {
      Vec column[kSide];
#pragma GCC unroll 6
      for (size_t i = 0; i < kSide; ++i) {
        const float* from = t.values + (i * kSide + j) * t.stride + channel;
        column[i] = count == lanes ? hn::LoadU(d, from) : vec::LoadPartial(d, from, count);
      }
      Backward<kTile>(column, 1, half + j, kSide);
    }
    for (size_t i = 0; i < t.rows; ++i) {
      Vec row[kTile];
      Backward<kTile>(half + i * kSide, 1, row, 1);
#pragma GCC unroll 4
      for (size_t j = 0; j < kTile; ++j) {
        if (j >= t.columns) break;
        const size_t at = i * t.row_step + j * t.channels + channel;
        Vec sum = hn::Add(row[j], bias);
        if (finish.residual_first) sum = hn::MulAdd(vec::LoadPartial(d, t.residual + at, count), scale, sum);
        if (finish.clamp) sum = vec::Clamp(low, high, sum);
        vec::StorePartial(sum, d, t.output + at, count);
      }
    }
  }
  if (!finish.second_pass) return;
  for (size_t i = 0; i < t.rows; ++i) {
    FinishRow(e, t.output + i * t.row_step, t.columns * t.channels,
              t.residual == nullptr ? nullptr : t.residual + i * t.row_step);
  }
}

void InputTile(size_t tile, const WinogradTile& t) { tile == 2 ? TransformInput<2>(t) : TransformInput<4>(t); }

void OutputTile(size_t tile, const WinogradTile& t, const Epilogue& e, const ConvFinish& finish) {
  tile == 2 ? TransformOutput<2>(t, e, finish) : TransformOutput<4>(t, e, finish);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
namespace {

HWY_EXPORT(InputTile);
HWY_EXPORT(OutputTile);

/// Tiles in one block, fewer where the transformed values would leave the second cache.
constexpr size_t kMostTiles = 48;
constexpr size_t kLeastTiles = 12;
constexpr size_t kBlockFloats = size_t{1} << 18;

struct WinogradPlan {
  size_t tile;
  size_t elements;  // (tile + 2)^2
  size_t across;    // tiles in a row
  size_t down;
  size_t tiles;  // of all images
  size_t blocks;
  size_t most_tiles;  // in a block
  size_t workers;
  size_t input_stride;  // floats between the elements' matrices
  size_t output_stride;
};

/// A stride that is no multiple of a page, so that the elements of a tile fall into different sets of the cache.
size_t Stride(size_t floats) { return (floats + 15) / 16 * 16 + 16; }

WinogradPlan MakePlan(const ConvGeometry& g, size_t tile, size_t threads) {
  const Conv2dShape& s = g.shape;
  WinogradPlan plan{};
  plan.tile = tile;
  plan.elements = (tile + 2) * (tile + 2);
  plan.across = (g.out_width + tile - 1) / tile;
  plan.down = (g.out_height + tile - 1) / tile;
  plan.tiles = s.batch * plan.across * plan.down;
  const size_t fit = kBlockFloats / (plan.elements * (s.in_channels + s.out_channels));
  const size_t each = std::clamp(fit / 6 * 6, kLeastTiles, kMostTiles);
  plan.blocks = std::max<size_t>(1, (plan.tiles + each - 1) / each);
  if (threads > 1)
    plan.blocks = std::min((plan.blocks + threads - 1) / threads * threads, std::max<size_t>(1, plan.tiles));
  plan.most_tiles = (plan.tiles + plan.blocks - 1) / plan.blocks;
  plan.workers = std::min(plan.blocks, threads <= 1 ? 1 : threads * 2);
  plan.input_stride = Stride(plan.most_tiles * s.in_channels);
  plan.output_stride = Stride(plan.most_tiles * s.out_channels);
  return plan;
}

size_t WorkerBytes(const WinogradPlan& plan) {
  return AlignedBytes(plan.elements * (plan.input_stride + plan.output_stride) * sizeof(float));
}

size_t ElementFloats(const MicroKernels& kernels, const ConvGeometry& g) {
  return AlignedBytes(g.shape.in_channels * PanelLayout(kernels, g.shape.out_channels).PaddedColumns() *
                      sizeof(float)) /
         sizeof(float);
}

/// The filter's polynomial at the points, divided by the interpolation's denominators.
std::array<double, 6> FilterAt(size_t tile, double g0, double g1, double g2) {
  if (tile == 2) return {-g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2, 0, 0};
  const double near = std::sqrt(static_cast<double>(kNearSquared));
  const double far = std::sqrt(static_cast<double>(kFarSquared));
  const double a2 = near * near;
  const double b2 = far * far;
  const double of_near = 2 * a2 * (a2 - b2);
  const double of_far = 2 * b2 * (b2 - a2);
  return {g0 / (a2 * b2),
          (g0 + g1 * near + g2 * a2) / of_near,
          (g0 - g1 * near + g2 * a2) / of_near,
          (g0 + g1 * far + g2 * b2) / of_far,
          (g0 - g1 * far + g2 * b2) / of_far,
          g2};
}

struct TilePlace {
  size_t batch;
  size_t y;  // first output row and column
  size_t x;
};
TilePlace PlaceOf(const WinogradPlan& plan, size_t index) {
  return {index / (plan.across * plan.down), index / plan.across % plan.down * plan.tile,
          index % plan.across * plan.tile};
}

void InputPixels(const ConvGeometry& g, const ConvOperands& o, const WinogradPlan& plan, size_t index,
                 WinogradTile& tile) {
  const Conv2dShape& s = g.shape;
  const TilePlace place = PlaceOf(plan, index);
  const size_t side = plan.tile + 2;
  for (size_t i = 0; i < side; ++i) {
    const size_t iy = place.y + i - s.pad_top;
    for (size_t j = 0; j < side; ++j) {
      const size_t ix = place.x + j - s.pad_left;
      tile.pixels[i * side + j] = iy < s.in_height && ix < s.in_width
                                      ? o.input + ((place.batch * s.in_height + iy) * s.in_width + ix) * s.in_channels
                                      : o.zeros;
    }
  }
}

}  // namespace

size_t WinogradTileSize(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  const bool fits = s.layout == ConvLayout::kNhwc && s.groups == 1 && s.kernel_height == 3 && s.kernel_width == 3 &&
                    s.stride_height == 1 && s.stride_width == 1 && s.dilation_height == 1 && s.dilation_width == 1 &&
                    s.in_channels >= 16 && s.out_channels >= 16;
  if (!fits) return 0;
  // Fewer tiles than this and reading the larger weights takes longer than the products that are saved.
  constexpr size_t kTilesWorthIt = 40;
  const auto tiles = [&](size_t tile) {
    return s.batch * ((g.out_height + tile - 1) / tile) * ((g.out_width + tile - 1) / tile);
  };
  if (tiles(4) >= kTilesWorthIt) return 4;
  return tiles(2) >= kTilesWorthIt ? 2 : 0;
}

size_t WinogradWeightsSize(const ConvGeometry& g, size_t tile) {
  return (tile + 2) * (tile + 2) * ElementFloats(BestMicroKernels(), g) * sizeof(float);
}

void PackWinogradWeights(const ConvGeometry& g, size_t tile, const float* weights, float* packed,
                         const Parallel& parallel) {
  const MicroKernels& kernels = BestMicroKernels();
  const Conv2dShape& s = g.shape;
  const size_t side = tile + 2;
  const size_t each = ElementFloats(kernels, g);
  const PanelLayout layout(kernels, s.out_channels);
  parallel.For(layout.panels, [&](size_t panel) {
    const Range range = PartOf(layout.vectors, layout.panels, panel);
    const size_t first = range.begin * layout.lanes;
    const size_t width = (range.end - range.begin) * layout.lanes;
    for (size_t channel = 0; channel < s.in_channels; ++channel) {
      for (size_t column = 0; column < width; ++column) {
        float* to = packed + first * s.in_channels + channel * width + column;
        if (first + column >= s.out_channels) {
          for (size_t e = 0; e < side * side; ++e) to[e * each] = 0.0F;
          continue;
        }
        const float* w = weights + ((first + column) * s.in_channels + channel) * 9;
        std::array<std::array<double, 6>, 3> rows;
        for (size_t i = 0; i < 3; ++i) {
          rows[i] = FilterAt(tile, static_cast<double>(w[3 * i]), static_cast<double>(w[3 * i + 1]),
                             static_cast<double>(w[3 * i + 2]));
        }
        for (size_t j = 0; j < side; ++j) {
          const std::array<double, 6> values = FilterAt(tile, rows[0][j], rows[1][j], rows[2][j]);
          for (size_t i = 0; i < side; ++i) to[(i * side + j) * each] = static_cast<float>(values[i]);
        }
      }
    }
  });
}

size_t WinogradScratchSize(const ConvGeometry& g, size_t tile, size_t threads) {
  const WinogradPlan plan = MakePlan(g, tile, threads);
  return plan.workers * WorkerBytes(plan);
}

void RunWinograd(const ConvGeometry& g, size_t tile, const ConvOperands& operands, const Parallel& parallel) {
  const MicroKernels& kernels = BestMicroKernels();
  const Conv2dShape& s = g.shape;
  const WinogradPlan plan = MakePlan(g, tile, parallel.threads);
  const PanelLayout layout(kernels, s.out_channels);
  const size_t each = ElementFloats(kernels, g);
  const ConvFinish finish = MakeFinish(operands.epilogue);
  const auto input_tile = HWY_DYNAMIC_DISPATCH(InputTile);
  const auto output_tile = HWY_DYNAMIC_DISPATCH(OutputTile);
  const size_t bytes = WorkerBytes(plan);
  parallel.For(plan.workers, [&](size_t worker) {
    float* in_values = reinterpret_cast<float*>(operands.scratch + worker * bytes);
    float* out_values = in_values + plan.elements * plan.input_stride;
    const Range share = PartOf(plan.blocks, plan.workers, worker);
    for (size_t index = share.begin; index < share.end; ++index) {
      const Range tiles = PartOf(plan.tiles, plan.blocks, index);
      const size_t count = tiles.end - tiles.begin;
      const float* rows[kMostTiles];
      WinogradTile t{};
      t.channels = s.in_channels;
      t.stride = plan.input_stride;
      for (size_t i = 0; i < count; ++i) {
        InputPixels(g, operands, plan, tiles.begin + i, t);
        t.values = in_values + i * s.in_channels;
        rows[i] = t.values;
        input_tile(tile, t);
      }
      Block block{};
      block.a = rows;
      block.a_pitch = kMostTiles;
      block.rows = count;
      block.taps = 1;
      block.length = s.in_channels;
      block.ldc = s.out_channels;
      block.alpha = 1.0F;
      for (size_t e = 0; e < plan.elements; ++e) {
        block.a_offset = e * plan.input_stride;
        block.c = out_values + e * plan.output_stride;
        RunBlock(kernels, layout, PanelMatrix{operands.weights + e * each, 0, s.in_channels}, block, 0, layout.panels);
      }
      t.channels = s.out_channels;
      t.stride = plan.output_stride;
      t.row_step = g.out_width * s.out_channels;
      for (size_t i = 0; i < count; ++i) {
        const TilePlace place = PlaceOf(plan, tiles.begin + i);
        const size_t at = ((place.batch * g.out_height + place.y) * g.out_width + place.x) * s.out_channels;
        t.values = out_values + i * s.out_channels;
        t.output = operands.output + at;
        t.residual = operands.epilogue.residual == nullptr ? nullptr : operands.epilogue.residual + at;
        t.rows = std::min(tile, g.out_height - place.y);
        t.columns = std::min(tile, g.out_width - place.x);
        output_tile(tile, t, operands.epilogue, finish);
      }
    }
  });
}

}  // namespace ortrun::cpu
#endif
