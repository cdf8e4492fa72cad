// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/gemm/gemm.h"

#include <algorithm>
#include <cstring>

#include "plugins/cpu/gemm/blocks.h"
#include "plugins/cpu/gemm/micro_kernels.h"

namespace ortrun::cpu {
namespace {

/// Rows of A in one block: with one slice of K they stay in the second cache.
constexpr size_t kBlockRows = 192;
/// Multiply-adds below which another block costs more than it saves.
constexpr size_t kBlockWork = size_t{1} << 17;
/// B in place pays below so many rows; above, its panels are packed first.
constexpr size_t kRowsInPlace = 12;
/// B transposed in place, by dot products.
constexpr size_t kRowsByDots = 6;

constexpr size_t RoundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
constexpr size_t Bytes(size_t floats) { return RoundUp(floats * sizeof(float), 64); }

enum class Form { kPacked, kInPlace, kDots, kPackNow };

Form FormOf(const GemmArguments& g) {
  if (g.packed_b != nullptr) return Form::kPacked;
  if (g.transpose_b) return g.m <= kRowsByDots ? Form::kDots : Form::kPackNow;
  return g.m <= kRowsInPlace ? Form::kInPlace : Form::kPackNow;
}

size_t PackSize(const MicroKernels& kernels, size_t k, size_t n) {
  return Bytes(k * PanelLayout(kernels, n).PaddedColumns());
}

/// How many blocks are worth it for so many threads.
size_t WantedBlocks(size_t work, size_t threads) {
  if (threads <= 1) return 1;
  return std::clamp<size_t>(work / kBlockWork, 1, threads * 4);
}

void PackPanel(const MicroKernels& kernels, const PanelLayout& layout, size_t panel, bool transposed, size_t k,
               const float* b, size_t ldb, float* packed) {
  const Range range = PartOf(layout.vectors, layout.panels, panel);
  const size_t column = range.begin * layout.lanes;
  const size_t width = (range.end - range.begin) * layout.lanes;
  const size_t columns = std::min(width, layout.columns - column);
  float* to = packed + column * k;
  if (transposed) {
    // A few rows at a time, so that the columns' lines are still there for the next ones.
    constexpr size_t kStep = 64;
    for (size_t row = 0; row < k; row += kStep) {
      kernels.transpose(std::min(kStep, k - row), columns, b + column * ldb + row, ldb, to + row * width, width);
    }
    if (columns < width) {
      for (size_t row = 0; row < k; ++row) std::fill_n(to + row * width + columns, width - columns, 0.0F);
    }
    return;
  }
  for (size_t row = 0; row < k; ++row) {
    std::copy_n(b + row * ldb + column, columns, to + row * width);
    std::fill_n(to + row * width + columns, width - columns, 0.0F);
  }
}

void Pack(const MicroKernels& kernels, bool transposed, size_t k, size_t n, const float* b, size_t ldb, float* packed,
          const Parallel& parallel) {
  const PanelLayout layout(kernels, n);
  const size_t blocks = std::min(layout.panels, WantedBlocks(k * n * 8, parallel.threads));
  parallel.For(blocks, [&](size_t block) {
    const Range panels = PartOf(layout.panels, blocks, block);
    for (size_t panel = panels.begin; panel < panels.end; ++panel) {
      PackPanel(kernels, layout, panel, transposed, k, b, ldb, packed);
    }
  });
}

/// Columns [begin, end) of op(B) where B is N x K in place.
void RunDots(const MicroKernels& kernels, const GemmArguments& g, const float* a, size_t lda, size_t begin,
             size_t end) {
  constexpr size_t kStep = 64;
  float dots[kStep];
  for (size_t column = begin; column < end; column += kStep) {
    const size_t count = std::min(kStep, end - column);
    for (size_t row = 0; row < g.m; ++row) {
      kernels.dots(count, g.k, a + row * lda, g.b + column * g.ldb, g.ldb, dots);
      float* c = g.c + row * g.ldc + column;
      const Epilogue& e = g.epilogue;
      const float* residual = e.residual == nullptr ? nullptr : e.residual + row * e.residual_ld + column;
      const float row_bias = e.row_bias == nullptr ? 0.0F : e.row_bias[row];
      for (size_t j = 0; j < count; ++j) {
        float value = g.alpha * dots[j] + row_bias;
        if (e.bias != nullptr) value += e.bias[column + j];
        if (residual != nullptr && !e.residual_after) value += e.residual_scale * residual[j];
        c[j] = value;
      }
      kernels.activate_rows(e.activation, 1, count, c, 0, e.residual_after ? residual : nullptr, 0, e.residual_scale);
    }
  }
}

/// The product with B ready (packed, in place or by dots) and A not transposed.
void RunProduct(const MicroKernels& kernels, const GemmArguments& g, Form form, const float* a, size_t lda,
                const float* b, const Parallel& parallel) {
  const PanelLayout layout(kernels, g.n);
  const size_t wanted = WantedBlocks(g.m * g.n * std::max<size_t>(g.k, 1), parallel.threads);
  if (form == Form::kDots) {
    const size_t blocks = std::min(wanted, layout.panels);
    parallel.For(blocks, [&](size_t block) {
      const Range columns = PartOf(g.n, blocks, block);
      RunDots(kernels, g, a, lda, columns.begin, columns.end);
    });
    return;
  }
  size_t row_blocks = (g.m + kBlockRows - 1) / kBlockRows;
  const size_t column_blocks = std::min(layout.panels, (wanted + row_blocks - 1) / row_blocks);
  if (row_blocks * column_blocks < wanted) {
    row_blocks = std::min((g.m + kMostTileRows - 1) / kMostTileRows, (wanted + column_blocks - 1) / column_blocks);
  }
  const PanelMatrix matrix{b, form == Form::kInPlace ? g.ldb : 0, g.k};
  parallel.For(row_blocks * column_blocks, [&](size_t index) {
    const Range rows = PartOf(g.m, row_blocks, index / column_blocks);
    const Range panels = PartOf(layout.panels, column_blocks, index % column_blocks);
    const float* pointers[kBlockRows];
    for (size_t row = rows.begin; row < rows.end; ++row) pointers[row - rows.begin] = a + row * lda;
    Block block{};
    block.a = pointers;
    block.a_pitch = kBlockRows;
    block.rows = rows.end - rows.begin;
    block.taps = 1;
    block.length = g.k;
    block.c = g.c + rows.begin * g.ldc;
    block.ldc = g.ldc;
    block.alpha = g.alpha;
    block.epilogue = g.epilogue;
    if (block.epilogue.row_bias != nullptr) block.epilogue.row_bias += rows.begin;
    if (block.epilogue.residual != nullptr) block.epilogue.residual += rows.begin * g.epilogue.residual_ld;
    RunBlock(kernels, layout, matrix, block, panels.begin, panels.end);
  });
}

}  // namespace

size_t PackedBSize(size_t k, size_t n) { return PackSize(BestMicroKernels(), k, n); }

void PackB(bool transposed, size_t k, size_t n, const float* b, size_t ldb, void* packed, const Parallel& parallel) {
  Pack(BestMicroKernels(), transposed, k, n, b, ldb, static_cast<float*>(packed), parallel);
}

size_t GemmScratchSize(const GemmArguments& arguments, size_t /*threads*/) {
  size_t bytes = 0;
  if (arguments.transpose_a) bytes += Bytes(arguments.m * arguments.k);
  if (FormOf(arguments) == Form::kPackNow) bytes += PackedBSize(arguments.k, arguments.n);
  return bytes;
}

void Gemm(const GemmArguments& arguments, void* scratch, const Parallel& parallel) {
  const GemmArguments& g = arguments;
  if (g.m == 0 || g.n == 0) return;
  const MicroKernels& kernels = BestMicroKernels();
  float* space = static_cast<float*>(scratch);
  const float* a = g.a;
  size_t lda = g.lda;
  if (g.transpose_a) {
    const size_t blocks = std::min((g.m + 63) / 64, WantedBlocks(g.m * g.k * 8, parallel.threads));
    parallel.For(blocks, [&](size_t block) {
      const Range rows = PartOf(g.m, blocks, block);
      kernels.transpose(rows.end - rows.begin, g.k, g.a + rows.begin, g.lda, space + rows.begin * g.k, g.k);
    });
    a = space;
    lda = g.k;
    space += Bytes(g.m * g.k) / sizeof(float);
  }
  const Form form = FormOf(g);
  const float* b = form == Form::kPacked ? static_cast<const float*>(g.packed_b) : g.b;
  if (form == Form::kPackNow) {
    Pack(kernels, g.transpose_b, g.k, g.n, g.b, g.ldb, space, parallel);
    b = space;
  }
  RunProduct(kernels, g, form, a, lda, b, parallel);
}

namespace {

/// Products that run side by side; each has its own scratch.
size_t BatchBlocks(const GemmBatch& batch, size_t threads) {
  const size_t work = std::max<size_t>(1, batch.shape.m * batch.shape.n * std::max<size_t>(batch.shape.k, 1));
  // Few large products are shared out one by one instead.
  if (threads <= 1 || (batch.count < 2 * threads && work >= 8 * kBlockWork)) return 1;
  return std::min(batch.count, WantedBlocks(std::min(work, kBlockWork * 64) * batch.count, threads));
}

GemmArguments BatchShape(const GemmBatch& batch) {
  GemmArguments shape = batch.shape;
  shape.packed_b = batch.packed_b == nullptr ? nullptr : batch.packed_b[0];
  return shape;
}

}  // namespace

size_t GemmBatchScratchSize(const GemmBatch& batch, size_t threads) {
  if (batch.count == 0) return 0;
  return GemmScratchSize(BatchShape(batch), threads) * BatchBlocks(batch, threads);
}

void RunGemmBatch(const GemmBatch& batch, void* scratch, const Parallel& parallel) {
  if (batch.count == 0) return;
  const size_t each = GemmScratchSize(BatchShape(batch), parallel.threads);
  const size_t blocks = BatchBlocks(batch, parallel.threads);
  const auto run = [&](size_t i, char* space, const Parallel& inner) {
    GemmArguments product = batch.shape;
    product.a = batch.a[i];
    product.b = batch.b == nullptr ? nullptr : batch.b[i];
    product.packed_b = batch.packed_b == nullptr ? nullptr : batch.packed_b[i];
    product.c = batch.c[i];
    product.epilogue.residual = batch.residual == nullptr ? nullptr : batch.residual[i];
    Gemm(product, space, inner);
  };
  if (blocks == 1) {
    for (size_t i = 0; i < batch.count; ++i) run(i, static_cast<char*>(scratch), parallel);
    return;
  }
  parallel.For(blocks, [&](size_t block) {
    const Range range = PartOf(batch.count, blocks, block);
    for (size_t i = range.begin; i < range.end; ++i) run(i, static_cast<char*>(scratch) + block * each, Parallel());
  });
}

}  // namespace ortrun::cpu
