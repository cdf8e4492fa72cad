// SPDX-License-Identifier: Apache-2.0
// Channels-first convolution: weights (oc x (ic kh kw)) times columns of pixels, gathered a block at a time.
#include <algorithm>

#include "plugins/cpu/conv/loops.h"
#include "plugins/cpu/gemm/blocks.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kBlockRows = 192;
/// Floats of gathered columns, which should stay in the second cache.
constexpr size_t kBlockFloats = 131072;
constexpr size_t kBlockWork = size_t{1} << 18;

struct ColumnPlan {
  size_t depth;   // ic kh kw of a group
  size_t pixels;  // of one image
  size_t pixel_blocks;
  size_t most_pixels;
  size_t row_blocks;
  size_t units;
  size_t workers;
};

ColumnPlan MakePlan(const MicroKernels& kernels, const ConvGeometry& g, size_t threads) {
  const Conv2dShape& s = g.shape;
  ColumnPlan plan{};
  plan.depth = s.in_channels / s.groups * s.kernel_height * s.kernel_width;
  plan.pixels = g.out_height * g.out_width;
  const size_t panel = kernels.panel_vectors * kernels.lanes;
  const size_t block = std::max<size_t>(1, kBlockFloats / (plan.depth * panel)) * panel;
  plan.pixel_blocks = (plan.pixels + block - 1) / block;
  plan.row_blocks = 1;
  const size_t rows = s.out_channels / s.groups;
  const size_t images = std::max<size_t>(1, s.batch * s.groups);
  const size_t work = images * rows * plan.depth * plan.pixels;
  const size_t wanted = threads <= 1 ? 1 : std::clamp<size_t>(work / kBlockWork, 1, threads * 4);
  if (images * plan.pixel_blocks < wanted) {
    plan.pixel_blocks = std::min((plan.pixels + panel - 1) / panel, (wanted + images - 1) / images);
    const size_t so_far = images * plan.pixel_blocks;
    plan.row_blocks = std::min((rows + 2 * kMostTileRows - 1) / (2 * kMostTileRows), (wanted + so_far - 1) / so_far);
  }
  plan.most_pixels = (plan.pixels + plan.pixel_blocks - 1) / plan.pixel_blocks;
  plan.units = images * plan.pixel_blocks * plan.row_blocks;
  plan.workers = std::min(plan.units, threads <= 1 ? 1 : wanted);
  return plan;
}

size_t ColumnBytes(const MicroKernels& kernels, const ColumnPlan& plan) {
  return AlignedBytes(plan.depth * PanelLayout(kernels, plan.most_pixels).PaddedColumns() * sizeof(float));
}

/// One row of the columns: what input row position (ky, kx) of `plane` gives to output pixels [begin, end).
void GatherRow(const ConvGeometry& g, const float* plane, size_t ky, size_t kx, size_t begin, size_t end, float* to) {
  const Conv2dShape& s = g.shape;
  const size_t shift = kx * s.dilation_width;
  // Output positions whose input column lies in the image.
  const size_t first = shift >= s.pad_left ? 0 : (s.pad_left - shift + s.stride_width - 1) / s.stride_width;
  const size_t beyond =
      s.in_width + s.pad_left <= shift ? 0 : (s.in_width + s.pad_left - shift + s.stride_width - 1) / s.stride_width;
  size_t ox = begin % g.out_width;
  size_t oy = begin / g.out_width;
  for (size_t at = begin; at < end; ++oy, ox = 0) {
    const size_t run = std::min(g.out_width - ox, end - at);
    const size_t iy = oy * s.stride_height + ky * s.dilation_height - s.pad_top;
    const size_t from = iy < s.in_height ? std::clamp(first, ox, ox + run) : ox + run;
    const size_t until = iy < s.in_height ? std::clamp(beyond, from, ox + run) : ox + run;
    to = std::fill_n(to, from - ox, 0.0F);
    if (from < until) {
      const float* source = plane + iy * s.in_width + (from * s.stride_width + shift - s.pad_left);
      if (s.stride_width == 1) {
        to = std::copy_n(source, until - from, to);
      } else {
        for (size_t x = from; x < until; ++x, source += s.stride_width) *to++ = *source;
      }
    }
    to = std::fill_n(to, ox + run - until, 0.0F);
    at += run;
  }
}

void GatherColumns(const PanelLayout& layout, const ConvGeometry& g, size_t depth, const float* image, Range pixels,
                   float* to) {
  const Conv2dShape& s = g.shape;
  const bool flat = s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 && s.stride_width == 1 &&
                    s.pad_top + s.pad_left + s.pad_bottom + s.pad_right == 0;
  const size_t plane = s.in_height * s.in_width;
  for (size_t panel = 0; panel < layout.panels; ++panel) {
    const Range range = PartOf(layout.vectors, layout.panels, panel);
    const size_t column = range.begin * layout.lanes;
    const size_t width = (range.end - range.begin) * layout.lanes;
    const size_t count = std::min(width, layout.columns - column);
    const size_t begin = pixels.begin + column;
    float* row = to + column * depth;
    for (size_t channel = 0; channel < s.in_channels / s.groups; ++channel) {
      const float* source = image + channel * plane;
      for (size_t ky = 0; ky < s.kernel_height; ++ky) {
        for (size_t kx = 0; kx < s.kernel_width; ++kx, row += width) {
          if (flat) {
            std::copy_n(source + begin, count, row);
          } else {
            GatherRow(g, source, ky, kx, begin, begin + count, row);
          }
          std::fill_n(row + count, width - count, 0.0F);
        }
      }
    }
  }
}

}  // namespace

size_t ColumnScratchSize(const ConvGeometry& g, size_t threads) {
  const MicroKernels& kernels = BestMicroKernels();
  const ColumnPlan plan = MakePlan(kernels, g, threads);
  return plan.workers * ColumnBytes(kernels, plan);
}

void RunColumns(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel) {
  const MicroKernels& kernels = BestMicroKernels();
  const Conv2dShape& s = g.shape;
  const ColumnPlan plan = MakePlan(kernels, g, parallel.threads);
  const size_t bytes = ColumnBytes(kernels, plan);
  const size_t rows = s.out_channels / s.groups;
  const size_t image_floats = s.in_channels / s.groups * s.in_height * s.in_width;
  parallel.For(plan.workers, [&](size_t worker) {
    float* gathered = reinterpret_cast<float*>(operands.scratch + worker * bytes);
    const Range share = PartOf(plan.units, plan.workers, worker);
    for (size_t unit = share.begin; unit < share.end; ++unit) {
      const size_t image = unit / (plan.pixel_blocks * plan.row_blocks);  // batch and group
      const Range pixels = PartOf(plan.pixels, plan.pixel_blocks, unit / plan.row_blocks % plan.pixel_blocks);
      const Range share_rows = PartOf(rows, plan.row_blocks, unit % plan.row_blocks);
      const PanelLayout layout(kernels, pixels.end - pixels.begin);
      if (unit == share.begin || unit % plan.row_blocks == 0) {
        GatherColumns(layout, g, plan.depth, operands.input + image * image_floats, pixels, gathered);
      }
      const size_t group = image % s.groups;
      for (size_t row = share_rows.begin; row < share_rows.end; row += kBlockRows) {
        const size_t count = std::min(kBlockRows, share_rows.end - row);
        const size_t channel = group * rows + row;
        const float* pointers[kBlockRows];
        for (size_t i = 0; i < count; ++i) pointers[i] = operands.weights + (channel + i) * plan.depth;
        Block block{};
        block.a = pointers;
        block.a_pitch = kBlockRows;
        block.rows = count;
        block.taps = 1;
        block.length = plan.depth;
        const size_t at = (image * rows + row) * plan.pixels + pixels.begin;
        block.c = operands.output + at;
        block.ldc = plan.pixels;
        block.alpha = 1.0F;
        block.epilogue = operands.epilogue;
        block.epilogue.bias = nullptr;
        block.epilogue.row_bias = operands.epilogue.bias == nullptr ? nullptr : operands.epilogue.bias + channel;
        block.epilogue.residual_ld = plan.pixels;
        if (block.epilogue.residual != nullptr) block.epilogue.residual += at;
        RunBlock(kernels, layout, PanelMatrix{gathered, 0, plan.depth}, block, 0, layout.panels);
      }
    }
  });
}

}  // namespace ortrun::cpu
