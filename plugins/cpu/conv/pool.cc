// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/conv/pool.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/conv/pool.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "plugins/cpu/vector/partial-inl.h"

#ifndef ORTRUN_CPU_CONV_POOL
#define ORTRUN_CPU_CONV_POOL
namespace ortrun::cpu {
namespace {

/// The window of one output position along one axis: kernel indices [begin, end) lie inside the image; `counted` is
/// what an average divides by.
struct PoolWindow {
  size_t begin;
  size_t end;
  size_t counted;
};

inline PoolWindow WindowAt(PoolKind kind, size_t out, size_t in, size_t kernel, size_t stride, size_t dilation,
                           size_t before, size_t after) {
  const size_t start = out * stride;  // in the padded image
  PoolWindow window{kernel, kernel, 0};
  for (size_t k = 0; k < kernel; ++k) {
    const size_t at = start + k * dilation;
    if (at < in + before + after) ++window.counted;
    if (at < before || at >= in + before) continue;
    if (window.begin == kernel) window.begin = k;
    window.end = k + 1;
  }
  if (window.begin == kernel) window.end = kernel;
  if (kind != PoolKind::kAverageWithPad) window.counted = window.end - window.begin;
  return window;
}

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

constexpr float kLowest = -std::numeric_limits<float>::infinity();

template <bool kMax>
HWY_INLINE Vec Combine(Vec sum, Vec x) {
  return kMax ? hn::Max(sum, x) : hn::Add(sum, x);
}

/// One output pixel, channels-last: `window` is its first pixel inside the image, rows and columns inside it.
struct WindowPixels {
  const float* window;
  size_t rows;
  size_t row_step;
  size_t columns;
  size_t column_step;
  float factor;
  float* output;
};

/// kVectors of channels together, so that each pixel is read in longer runs; the last one holds `last` of them.
template <bool kMax, size_t kVectors>
HWY_INLINE void PoolVectors(const WindowPixels& w, size_t channel, size_t last) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kLast = kVectors - 1;
  Vec sum[kVectors];
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Set(d, kMax ? kLowest : 0.0F);
  const auto pool = [&](auto load_last) HWY_ATTR {
    for (size_t y = 0; y < w.rows; ++y) {
      const float* from = w.window + y * w.row_step + channel;
      for (size_t x = 0; x < w.columns; ++x, from += w.column_step) {
#pragma GCC unroll 4
        for (size_t v = 0; v < kLast; ++v) sum[v] = Combine<kMax>(sum[v], hn::LoadU(d, from + v * lanes));
        sum[kLast] = Combine<kMax>(sum[kLast], load_last(from + kLast * lanes));
      }
    }
  };
  if (last == lanes) {
    pool([&](const float* from) HWY_ATTR { return hn::LoadU(d, from); });
  } else {
    pool([&](const float* from) HWY_ATTR { return vec::LoadPartial(d, from, last); });
  }
  const Vec scale = hn::Set(d, w.factor);
  float* to = w.output + channel;
#pragma GCC unroll 4
  for (size_t v = 0; v < kVectors; ++v) {
    vec::StorePartial(kMax ? sum[v] : hn::Mul(sum[v], scale), d, to + v * lanes, v == kLast ? last : lanes);
  }
}

template <bool kMax>
void PixelChannels(const WindowPixels& w, size_t channels) {
  const size_t lanes = hn::Lanes(Tag());
  for (size_t channel = 0; channel < channels;) {
    const size_t vectors = HWY_MIN(size_t{4}, (channels - channel + lanes - 1) / lanes);
    const size_t count = HWY_MIN(vectors * lanes, channels - channel);
    const size_t last = count - (vectors - 1) * lanes;
    switch (vectors) {
      case 4:
        PoolVectors<kMax, 4>(w, channel, last);
        break;
      case 3:
        PoolVectors<kMax, 3>(w, channel, last);
        break;
      case 2:
        PoolVectors<kMax, 2>(w, channel, last);
        break;
      default:
        PoolVectors<kMax, 1>(w, channel, last);
    }
    channel += count;
  }
}

template <bool kMax>
void ChannelsLastRow(PoolKind kind, const Pool2dShape& s, const float* image, size_t oy, float* output) {
  const PoolWindow y =
      WindowAt(kind, oy, s.in_height, s.kernel_height, s.stride_height, s.dilation_height, s.pad_top, s.pad_bottom);
  for (size_t ox = 0; ox < s.out_width; ++ox) {
    const PoolWindow x =
        WindowAt(kind, ox, s.in_width, s.kernel_width, s.stride_width, s.dilation_width, s.pad_left, s.pad_right);
    const size_t rows = y.end - y.begin;
    const size_t columns = x.end - x.begin;
    const bool empty = rows == 0 || columns == 0;
    const size_t iy = oy * s.stride_height + y.begin * s.dilation_height - s.pad_top;
    const size_t ix = ox * s.stride_width + x.begin * s.dilation_width - s.pad_left;
    const float* window = empty ? image : image + (iy * s.in_width + ix) * s.channels;
    const float counted = static_cast<float>(y.counted * x.counted);
    PixelChannels<kMax>({.window = window,
                         .rows = empty ? 0 : rows,
                         .row_step = s.dilation_height * s.in_width * s.channels,
                         .columns = columns,
                         .column_step = s.dilation_width * s.channels,
                         .factor = empty ? 0.0F : 1.0F / counted,
                         .output = output + ox * s.channels},
                        s.channels);
  }
}

/// One row of one channels-first plane: row by row of the window, the output row stays in the first cache.
template <bool kMax>
void PlaneRow(PoolKind kind, const Pool2dShape& s, const float* plane, size_t oy, float* output) {
  const PoolWindow y =
      WindowAt(kind, oy, s.in_height, s.kernel_height, s.stride_height, s.dilation_height, s.pad_top, s.pad_bottom);
  std::fill_n(output, s.out_width, kMax ? kLowest : 0.0F);
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  for (size_t ky = y.begin; ky < y.end; ++ky) {
    const float* row = plane + (oy * s.stride_height + ky * s.dilation_height - s.pad_top) * s.in_width;
    for (size_t kx = 0; kx < s.kernel_width; ++kx) {
      const size_t shift = kx * s.dilation_width;
      const size_t first = shift >= s.pad_left ? 0 : (s.pad_left - shift + s.stride_width - 1) / s.stride_width;
      const size_t beyond = s.in_width + s.pad_left <= shift
                                ? 0
                                : (s.in_width + s.pad_left - shift + s.stride_width - 1) / s.stride_width;
      size_t ox = std::min(first, s.out_width);
      const size_t end = std::min(beyond, s.out_width);
      if (ox >= end) continue;
      const float* from = row + (ox * s.stride_width + shift - s.pad_left);
      if (s.stride_width == 1) {
        for (; ox + lanes <= end; ox += lanes, from += lanes) {
          hn::StoreU(Combine<kMax>(hn::LoadU(d, output + ox), hn::LoadU(d, from)), d, output + ox);
        }
      } else if (s.stride_width == 2) {
        // One pair more than is used, so that no load passes the row.
        for (; ox + lanes < end; ox += lanes, from += 2 * lanes) {
          Vec even;
          Vec odd;
          hn::LoadInterleaved2(d, from, even, odd);
          hn::StoreU(Combine<kMax>(hn::LoadU(d, output + ox), even), d, output + ox);
        }
      }
      for (; ox < end; ++ox, from += s.stride_width) {
        output[ox] = kMax ? (output[ox] > *from ? output[ox] : *from) : output[ox] + *from;
      }
    }
  }
  if constexpr (!kMax) {
    for (size_t ox = 0; ox < s.out_width; ++ox) {
      const PoolWindow x =
          WindowAt(kind, ox, s.in_width, s.kernel_width, s.stride_width, s.dilation_width, s.pad_left, s.pad_right);
      const size_t counted = x.counted * y.counted;
      output[ox] = counted == 0 ? 0.0F : output[ox] * (1.0F / static_cast<float>(counted));
    }
  }
}

/// Output row `row` of all rows: (batch, oy) channels-last, (batch, channel, oy) channels-first.
void PoolRow(PoolKind kind, const Pool2dShape& s, const float* input, float* output, size_t row) {
  const size_t image = row / s.out_height;
  const size_t oy = row % s.out_height;
  if (s.layout == ConvLayout::kNhwc) {
    const float* from = input + image * s.in_height * s.in_width * s.channels;
    float* to = output + row * s.out_width * s.channels;
    kind == PoolKind::kMax ? ChannelsLastRow<true>(kind, s, from, oy, to)
                           : ChannelsLastRow<false>(kind, s, from, oy, to);
  } else {
    const float* from = input + image * s.in_height * s.in_width;
    float* to = output + row * s.out_width;
    kind == PoolKind::kMax ? PlaneRow<true>(kind, s, from, oy, to) : PlaneRow<false>(kind, s, from, oy, to);
  }
}

template <bool kMax>
void PoolPixels(size_t channels, size_t stride, size_t pixels, const float* input, float* output) {
  PixelChannels<kMax>({.window = input,
                       .rows = 1,
                       .row_step = 0,
                       .columns = pixels,
                       .column_step = stride,
                       .factor = 1.0F / static_cast<float>(pixels),
                       .output = output},
                      channels);
}

/// `channels` of one image, channels-last, pixels `stride` floats apart.
void GlobalChannels(PoolKind kind, size_t channels, size_t stride, size_t pixels, const float* input, float* output) {
  kind == PoolKind::kMax ? PoolPixels<true>(channels, stride, pixels, input, output)
                         : PoolPixels<false>(channels, stride, pixels, input, output);
}

template <bool kMax>
float PoolPlane(size_t pixels, const float* input) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  Vec sums[4];
  for (Vec& sum : sums) sum = hn::Set(d, kMax ? kLowest : 0.0F);
  size_t i = 0;
  for (; i + 4 * lanes <= pixels; i += 4 * lanes) {
    for (size_t j = 0; j < 4; ++j) sums[j] = Combine<kMax>(sums[j], hn::LoadU(d, input + i + j * lanes));
  }
  const Vec sum = Combine<kMax>(Combine<kMax>(sums[0], sums[1]), Combine<kMax>(sums[2], sums[3]));
  float result = kMax ? hn::GetLane(hn::MaxOfLanes(d, sum)) : hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < pixels; ++i) result = kMax ? (result > input[i] ? result : input[i]) : result + input[i];
  return kMax ? result : result / static_cast<float>(pixels);
}

float GlobalPlane(PoolKind kind, size_t pixels, const float* input) {
  return kind == PoolKind::kMax ? PoolPlane<true>(pixels, input) : PoolPlane<false>(pixels, input);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
namespace {

HWY_EXPORT(PoolRow);
HWY_EXPORT(GlobalChannels);
HWY_EXPORT(GlobalPlane);

constexpr size_t kBlockWork = size_t{1} << 15;

size_t Blocks(size_t parts, size_t work, size_t threads) {
  return threads <= 1 ? 1 : std::max<size_t>(1, std::min({parts, work / kBlockWork, threads * 4}));
}

}  // namespace

void Pool2d(PoolKind kind, const Pool2dShape& shape, const float* input, float* output, const Parallel& parallel) {
  const Pool2dShape& s = shape;
  const size_t rows = s.batch * s.out_height * (s.layout == ConvLayout::kNhwc ? 1 : s.channels);
  const size_t row_work =
      s.out_width * s.kernel_height * s.kernel_width * (s.layout == ConvLayout::kNhwc ? s.channels : 1);
  const size_t blocks = Blocks(rows, rows * row_work, parallel.threads);
  const auto run = HWY_DYNAMIC_DISPATCH(PoolRow);
  parallel.For(blocks, [&](size_t block) {
    const Range range = PartOf(rows, blocks, block);
    for (size_t row = range.begin; row < range.end; ++row) run(kind, s, input, output, row);
  });
}

void GlobalPool(PoolKind kind, ConvLayout layout, size_t batch, size_t channels, size_t pixels, const float* input,
                float* output, const Parallel& parallel) {
  const size_t work = batch * channels * pixels;
  if (layout == ConvLayout::kNchw) {
    const size_t planes = batch * channels;
    const size_t blocks = Blocks(planes, work, parallel.threads);
    const auto run = HWY_DYNAMIC_DISPATCH(GlobalPlane);
    parallel.For(blocks, [&](size_t block) {
      const Range range = PartOf(planes, blocks, block);
      for (size_t plane = range.begin; plane < range.end; ++plane) {
        output[plane] = run(kind, pixels, input + plane * pixels);
      }
    });
    return;
  }
  // Whole cache lines of channels to each block.
  constexpr size_t kChannels = 64;
  const size_t parts = (channels + kChannels - 1) / kChannels;
  const size_t blocks = Blocks(batch * parts, work, parallel.threads);
  const auto run = HWY_DYNAMIC_DISPATCH(GlobalChannels);
  parallel.For(blocks, [&](size_t block) {
    const Range range = PartOf(batch * parts, blocks, block);
    for (size_t part = range.begin; part < range.end; ++part) {
      const size_t image = part / parts;
      const size_t channel = part % parts * kChannels;
      run(kind, std::min(kChannels, channels - channel), channels, pixels, input + image * pixels * channels + channel,
          output + image * channels + channel);
    }
  });
}

}  // namespace ortrun::cpu
#endif
