// SPDX-License-Identifier: Apache-2.0
// A block of rows times a range of B's panels: the loops between the work division and the tiles. Internal to gemm/,
// conv/ and attention/.
#pragma once

#include <cstddef>

#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/gemm/micro_kernels.h"

namespace ortrun::cpu {

/// How N columns fall into panels: nearly equal widths of whole vectors, the last vector perhaps partial.
struct PanelLayout {
  size_t columns;
  size_t lanes;
  size_t vectors;
  size_t panels;

  PanelLayout(const MicroKernels& kernels, size_t n)
      : columns(n),
        lanes(kernels.lanes),
        vectors((n + lanes - 1) / lanes),
        panels((vectors + kernels.panel_vectors - 1) / kernels.panel_vectors) {}

  /// Columns with those that fill the last vector.
  size_t PaddedColumns() const { return vectors * lanes; }
};

/// One operand B, K x N.
struct PanelMatrix {
  const float* data;
  size_t ld;  ///< floats from row to row; 0: packed, panel after panel, each K x its padded width
  size_t k;
};

struct Block {
  /// Row r of tap t starts at a[t * a_pitch + r] + a_offset and is `length` long; K = taps * length.
  const float* const* a;
  size_t a_pitch;
  size_t a_offset;
  size_t rows;
  size_t taps;
  size_t length;
  float* c;  ///< row 0, column 0
  size_t ldc;
  float alpha;
  /// Its row_bias and residual are of the block's row 0 and of column 0.
  Epilogue epilogue;
};

/// C(rows, columns of the panels [first, last)) = epilogue(alpha A B).
void RunBlock(const MicroKernels& kernels, const PanelLayout& layout, const PanelMatrix& b, const Block& block,
              size_t first, size_t last);

}  // namespace ortrun::cpu
