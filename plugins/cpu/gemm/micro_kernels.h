// SPDX-License-Identifier: Apache-2.0
// The innermost loops, one set per instruction set, behind plain function pointers: whatever blocks and packs is
// ordinary code. Internal to gemm/, conv/ and attention/.
#pragma once

#include <cstddef>

#include "plugins/cpu/gemm/epilogue.h"

namespace ortrun::cpu {

/// One tile of C, rows x (vectors of columns): C (+)= sum over taps t and i < length of A[t][row][i] * B[t * length +
/// i].
struct TileArguments {
  /// Row r of tap t starts at a[t * a_pitch + r] + a_offset.
  const float* const* a;
  size_t a_pitch;
  size_t a_offset;
  size_t taps;
  size_t length;
  const float* b;  ///< whole vectors are read from each row, `last` aside (see mask_b)
  size_t ldb;      ///< floats from row to row of B
  /// What is fetched into the second cache, `ahead_step` bytes further with each of B's rows: memory to be read soon,
  /// or B again. It is not read here.
  const char* ahead;
  size_t ahead_step;
  float* c;
  size_t ldc;
  size_t last;      ///< columns in the tile's last vector, 1..lanes
  bool mask_b;      ///< B ends with its last column: read no further (plain matrices; packed ones are padded)
  bool accumulate;  ///< start from C, else from zero
  bool finish;      ///< apply what follows, else store the bare sums
  float alpha;
  const float* bias;      ///< of this tile's first column, or null
  const float* row_bias;  ///< of this tile's first row, or null
  const float* residual;  ///< of this tile's first element, or null: added before the clamp
  size_t residual_ld;
  float residual_scale;
  bool clamp;
  float low;
  float high;
};

using TileFunction = void (*)(const TileArguments& tile);

inline constexpr size_t kMostPanelVectors = 4;
inline constexpr size_t kMostTileRows = 12;

struct MicroKernels {
  size_t lanes;                        ///< floats in a vector
  size_t panel_vectors;                ///< most vectors in a panel of B
  size_t rows[kMostPanelVectors + 1];  ///< most rows in a tile of so many vectors
  TileFunction tile[kMostPanelVectors + 1][kMostTileRows + 1];

  /// to[k * ldt + n] = from[n * ldf + k] for n < columns, k < rows. Writes nothing else.
  void (*transpose)(size_t rows, size_t columns, const float* from, size_t ldf, float* to, size_t ldt);
  /// dots[j] = sum over k of a[k] b[j * ldb + k] for j < columns; the order of the sum depends on k alone.
  void (*dots)(size_t columns, size_t k, const float* a, const float* b, size_t ldb, float* dots);
  void (*activate)(const Activation& activation, const float* x, float* y, size_t count);
  /// In place over rows x columns: c = act(c), then, where residual is not null, c += scale * residual.
  void (*activate_rows)(const Activation& activation, size_t rows, size_t columns, float* c, size_t ldc,
                        const float* residual, size_t residual_ld, float scale);
};

/// The set for this machine; the choice is made once for the process.
const MicroKernels& BestMicroKernels();

}  // namespace ortrun::cpu
