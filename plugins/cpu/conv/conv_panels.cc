// SPDX-License-Identifier: Apache-2.0
// Channels-last convolution as a matrix product: a row of A is an output pixel's window, read in place through one
// pointer for each run of it that lies together in memory.
#include <algorithm>

#include "plugins/cpu/conv/loops.h"
#include "plugins/cpu/gemm/blocks.h"

namespace ortrun::cpu {
namespace {

/// With few channels a pointer for each pixel of the window costs more than the sums; a row of the window is one run
/// where the image is copied with its padding.
constexpr size_t kFewChannels = 16;
constexpr size_t kBlockRows = 192;
/// Floats of A that one block may cover, so that they stay in the second cache.
constexpr size_t kBlockFloats = 98304;
constexpr size_t kBlockPointers = 2048;
constexpr size_t kBlockWork = size_t{1} << 18;

struct PanelPlan {
  size_t taps;       // runs in a window
  size_t length;     // floats in a run
  size_t run_width;  // pixels of the window's row in a run: 1 or the kernel's width
  bool copy;         // the image is copied with its horizontal padding
  size_t copy_width;
  size_t pixels;  // rows of the product
  size_t row_blocks;
  size_t column_blocks;
  size_t most_rows;  // in a row block
  size_t workers;
};

size_t GroupWork(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  return s.in_channels / s.groups * s.kernel_height * s.kernel_width;
}

PanelPlan MakePlan(const MicroKernels& kernels, const ConvGeometry& g, size_t threads) {
  const Conv2dShape& s = g.shape;
  PanelPlan plan{};
  const bool padded = s.pad_left + s.pad_right != 0;
  const bool merge = s.groups == 1 && s.dilation_width == 1 && (!padded || s.in_channels <= kFewChannels);
  plan.run_width = merge ? s.kernel_width : 1;
  plan.taps = s.kernel_height * s.kernel_width / plan.run_width;
  plan.length = s.in_channels / s.groups * plan.run_width;
  plan.copy = merge && padded && s.kernel_width > 1;
  plan.copy_width = s.pad_left + s.in_width + s.pad_right;
  plan.pixels = s.batch * g.out_height * g.out_width;
  const size_t slice = std::min<size_t>(plan.taps * plan.length, 1024);
  const size_t by_cache = std::clamp<size_t>(kBlockFloats / slice, 48, kBlockRows);
  const size_t rows = std::max<size_t>(1, std::min(by_cache, kBlockPointers / std::max<size_t>(1, plan.taps)));
  const PanelLayout layout(kernels, s.out_channels / s.groups);
  plan.row_blocks = std::max<size_t>(1, (plan.pixels + rows - 1) / rows);
  plan.column_blocks = 1;
  const size_t work = plan.pixels * s.out_channels * GroupWork(g);
  const size_t wanted = threads <= 1 ? 1 : std::clamp<size_t>(work / kBlockWork, 1, threads * 4);
  if (plan.row_blocks < wanted) {
    plan.column_blocks = std::min(layout.panels, (wanted + plan.row_blocks - 1) / plan.row_blocks);
    if (plan.row_blocks * plan.column_blocks < wanted) {
      plan.row_blocks = std::min(std::max<size_t>(1, plan.pixels / kMostTileRows),
                                 (wanted + plan.column_blocks - 1) / plan.column_blocks);
    }
  }
  plan.most_rows = (plan.pixels + plan.row_blocks - 1) / plan.row_blocks;
  plan.workers = std::min(plan.row_blocks * plan.column_blocks, threads <= 1 ? 1 : wanted);
  return plan;
}

size_t CopyFloats(const ConvGeometry& g, const PanelPlan& plan) {
  const Conv2dShape& s = g.shape;
  return plan.copy ? s.batch * s.in_height * plan.copy_width * s.in_channels : 0;
}

void CopyPadded(const Conv2dShape& s, const PanelPlan& plan, const float* input, float* to, const Parallel& parallel) {
  const size_t rows = s.batch * s.in_height;
  const size_t width = s.in_width * s.in_channels;
  const size_t left = s.pad_left * s.in_channels;
  const size_t right = s.pad_right * s.in_channels;
  const size_t blocks = std::clamp<size_t>(rows * width / 16384, 1, parallel.threads);
  parallel.For(blocks, [&](size_t block) {
    const Range range = PartOf(rows, blocks, block);
    for (size_t row = range.begin; row < range.end; ++row) {
      float* out = to + row * plan.copy_width * s.in_channels;
      std::fill_n(out, left, 0.0F);
      std::copy_n(input + row * width, width, out + left);
      std::fill_n(out + left + width, right, 0.0F);
    }
  });
}

/// Each output pixel reads the input pixel of the same number.
bool IsPointwise(const Conv2dShape& s) {
  return s.kernel_height == 1 && s.kernel_width == 1 && s.stride_height == 1 && s.stride_width == 1 &&
         s.pad_top + s.pad_left + s.pad_bottom + s.pad_right == 0;
}

/// table[tap * pitch + i] = the run `tap` of output pixel begin + i.
void FillTable(const ConvGeometry& g, const PanelPlan& plan, const float* image, const float* zeros, Range pixels,
               size_t pitch, const float** table) {
  const Conv2dShape& s = g.shape;
  if (IsPointwise(s)) {
    for (size_t i = 0; i < pixels.end - pixels.begin; ++i) table[i] = image + (pixels.begin + i) * s.in_channels;
    return;
  }
  const size_t width = plan.copy ? plan.copy_width : s.in_width;
  const size_t pad_left = plan.copy ? 0 : s.pad_left;
  const size_t runs_across = s.kernel_width / plan.run_width;
  size_t ox = pixels.begin % g.out_width;
  size_t row = pixels.begin / g.out_width;  // of all images
  const size_t count = pixels.end - pixels.begin;
  for (size_t i = 0; i < count; ++row, ox = 0) {
    const size_t part = std::min(g.out_width - ox, count - i);
    const float* plane = image + row / g.out_height * s.in_height * width * s.in_channels;
    const float** to = table + i;
    for (size_t ky = 0; ky < s.kernel_height; ++ky) {
      // Unsigned: a position left of or above the image is a very large number.
      const size_t iy = row % g.out_height * s.stride_height + ky * s.dilation_height - s.pad_top;
      const bool inside = iy < s.in_height;
      const float* line = inside ? plane + iy * width * s.in_channels : zeros;
      for (size_t run = 0; run < runs_across; ++run, to += pitch) {
        size_t ix = ox * s.stride_width + run * s.dilation_width - pad_left;
        for (size_t j = 0; j < part; ++j, ix += s.stride_width) {
          to[j] = inside && ix < width ? line + ix * s.in_channels : zeros;
        }
      }
    }
    i += part;
  }
}

size_t GroupFloats(const MicroKernels& kernels, const ConvGeometry& g) {
  const PanelLayout layout(kernels, g.shape.out_channels / g.shape.groups);
  return AlignedBytes(GroupWork(g) * layout.PaddedColumns() * sizeof(float)) / sizeof(float);
}

}  // namespace

size_t PanelWeightsSize(const ConvGeometry& g) {
  return GroupFloats(BestMicroKernels(), g) * g.shape.groups * sizeof(float);
}

void PackPanelWeights(const ConvGeometry& g, const float* weights, float* packed, const Parallel& parallel) {
  const MicroKernels& kernels = BestMicroKernels();
  const Conv2dShape& s = g.shape;
  const size_t channels = s.in_channels / s.groups;
  const size_t taps = s.kernel_height * s.kernel_width;
  const size_t depth = channels * taps;
  const size_t columns = s.out_channels / s.groups;
  const PanelLayout layout(kernels, columns);
  const size_t each = GroupFloats(kernels, g);
  parallel.For(s.groups * layout.panels, [&](size_t index) {
    const size_t group = index / layout.panels;
    const Range range = PartOf(layout.vectors, layout.panels, index % layout.panels);
    const size_t first = range.begin * layout.lanes;
    const size_t width = (range.end - range.begin) * layout.lanes;
    const size_t count = std::min(width, columns - first);
    const float* from = weights + (group * columns + first) * depth;
    float* to = packed + group * each + first * depth;
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t channel = 0; channel < channels; ++channel) {
        float* row = to + (tap * channels + channel) * width;
        const float* source = from + channel * taps + tap;
        for (size_t j = 0; j < count; ++j) row[j] = source[j * depth];
        std::fill_n(row + count, width - count, 0.0F);
      }
    }
  });
}

size_t PanelScratchSize(const ConvGeometry& g, size_t threads) {
  const PanelPlan plan = MakePlan(BestMicroKernels(), g, threads);
  return AlignedBytes(CopyFloats(g, plan) * sizeof(float)) +
         plan.workers * AlignedBytes(plan.most_rows * plan.taps * sizeof(const float*));
}

void RunPanels(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel) {
  const MicroKernels& kernels = BestMicroKernels();
  const Conv2dShape& s = g.shape;
  const PanelPlan plan = MakePlan(kernels, g, parallel.threads);
  const float* image = operands.input;
  std::byte* tables = operands.scratch;
  if (plan.copy) {
    float* copy = reinterpret_cast<float*>(operands.scratch);
    CopyPadded(s, plan, operands.input, copy, parallel);
    image = copy;
    tables += AlignedBytes(CopyFloats(g, plan) * sizeof(float));
  }
  const size_t table_bytes = AlignedBytes(plan.most_rows * plan.taps * sizeof(const float*));
  const size_t group_floats = GroupFloats(kernels, g);
  const size_t columns = s.out_channels / s.groups;
  const PanelLayout layout(kernels, columns);
  const size_t units = plan.row_blocks * plan.column_blocks;
  parallel.For(plan.workers, [&](size_t worker) {
    const float** table = reinterpret_cast<const float**>(tables + worker * table_bytes);
    const Range share = PartOf(units, plan.workers, worker);
    size_t filled = plan.row_blocks;
    for (size_t unit = share.begin; unit < share.end; ++unit) {
      const size_t row_block = unit / plan.column_blocks;
      const Range pixels = PartOf(plan.pixels, plan.row_blocks, row_block);
      const Range panels = PartOf(layout.panels, plan.column_blocks, unit % plan.column_blocks);
      const size_t rows = pixels.end - pixels.begin;
      if (filled != row_block) FillTable(g, plan, image, operands.zeros, pixels, rows, table);
      filled = row_block;
      for (size_t group = 0; group < s.groups; ++group) {
        const size_t column = group * columns;
        Block block{};
        block.a = table;
        block.a_pitch = rows;
        block.a_offset = group * (s.in_channels / s.groups);
        block.rows = rows;
        block.taps = plan.taps;
        block.length = plan.length;
        block.c = operands.output + pixels.begin * s.out_channels + column;
        block.ldc = s.out_channels;
        block.alpha = 1.0F;
        block.epilogue = operands.epilogue;
        block.epilogue.row_bias = nullptr;
        block.epilogue.residual_ld = s.out_channels;
        if (block.epilogue.bias != nullptr) block.epilogue.bias += column;
        if (block.epilogue.residual != nullptr) block.epilogue.residual += pixels.begin * s.out_channels + column;
        const PanelMatrix matrix{operands.weights + group * group_floats, 0, plan.taps * plan.length};
        RunBlock(kernels, layout, matrix, block, panels.begin, panels.end);
      }
    }
  });
}

}  // namespace ortrun::cpu
