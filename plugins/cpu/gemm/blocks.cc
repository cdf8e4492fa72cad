// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/gemm/blocks.h"

#include <algorithm>
#include <limits>

#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {
namespace {

/// Rows of B that are used at once: a panel of so many stays in the second cache beside the rows of A.
constexpr size_t kSlice = 1024;

/// What a tile can do in registers, and what is left for a second pass over the tile while it is in the first cache.
struct FinishPlan {
  bool clamp = false;
  float low = 0.0F;
  float high = 0.0F;
  bool residual_in_tile = false;
  bool second_pass = false;
};

FinishPlan PlanFinish(const Epilogue& epilogue) {
  FinishPlan plan;
  const bool has_residual = epilogue.residual != nullptr;
  switch (epilogue.activation.kind) {
    case ActivationKind::kNone:
      plan.residual_in_tile = has_residual;  // before and after are the same
      return plan;
    case ActivationKind::kRelu:
      plan.low = 0.0F;
      plan.high = std::numeric_limits<float>::infinity();
      break;
    case ActivationKind::kClip:
      plan.low = epilogue.activation.alpha;
      plan.high = epilogue.activation.beta;
      break;
    default:
      plan.second_pass = true;
      plan.residual_in_tile = has_residual && !epilogue.residual_after;
      return plan;
  }
  if (has_residual && epilogue.residual_after) {
    plan.second_pass = true;
  } else {
    plan.clamp = true;
    plan.residual_in_tile = has_residual;
  }
  return plan;
}

/// Part of K: taps [tap, tap + taps), of each the elements [begin, begin + length).
struct Slice {
  size_t tap;
  size_t taps;
  size_t begin;
  size_t length;
};

/// Cuts K into slices of at most about kSlice; the cut depends on K's shape alone.
template <class Body>
void ForEachSlice(size_t taps, size_t length, Body&& body) {
  if (length >= kSlice) {
    const size_t parts = (length + kSlice - 1) / kSlice;
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t part = 0; part < parts; ++part) {
        const Range range = PartOf(length, parts, part);
        body(Slice{tap, 1, range.begin, range.end - range.begin}, tap + 1 == taps && part + 1 == parts);
      }
    }
    return;
  }
  const size_t most = std::max<size_t>(1, kSlice / std::max<size_t>(1, length));
  const size_t parts = std::max<size_t>(1, (taps + most - 1) / most);
  for (size_t part = 0; part < parts; ++part) {
    const Range range = PartOf(taps, parts, part);
    body(Slice{range.begin, range.end - range.begin, 0, length}, part + 1 == parts);
  }
}

}  // namespace

void RunBlock(const MicroKernels& kernels, const PanelLayout& layout, const PanelMatrix& b, const Block& block,
              size_t first, size_t last) {
  const Epilogue& epilogue = block.epilogue;
  const FinishPlan plan = PlanFinish(epilogue);
  const bool packed = b.ld == 0;
  TileArguments tile{};
  tile.a_pitch = block.a_pitch;
  tile.ldc = block.ldc;
  tile.alpha = block.alpha;
  tile.residual_ld = epilogue.residual_ld;
  tile.residual_scale = epilogue.residual_scale;
  tile.clamp = plan.clamp;
  tile.low = plan.low;
  tile.high = plan.high;

  ForEachSlice(block.taps, block.length, [&](const Slice& slice, bool is_last) {
    const size_t slice_row = slice.tap * block.length + slice.begin;
    tile.taps = slice.taps;
    tile.length = slice.length;
    tile.a_offset = block.a_offset + slice.begin;
    tile.accumulate = slice_row != 0;
    tile.finish = is_last;
    for (size_t panel = first; panel < last; ++panel) {
      const Range range = PartOf(layout.vectors, layout.panels, panel);
      const size_t vectors = range.end - range.begin;
      const size_t column = range.begin * layout.lanes;
      const size_t columns = std::min(layout.columns, range.end * layout.lanes) - column;
      tile.last = columns - (vectors - 1) * layout.lanes;
      tile.ldb = packed ? vectors * layout.lanes : b.ld;
      tile.mask_b = !packed;
      tile.b = packed ? b.data + column * b.k + slice_row * tile.ldb : b.data + slice_row * b.ld + column;
      tile.bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + column;
      const size_t most_rows = kernels.rows[vectors];
      const size_t tiles = (block.rows + most_rows - 1) / most_rows;
      // As PartOf says, without its divisions: tiles over a short K are done in less time.
      const size_t each = tiles == 0 ? 0 : block.rows / tiles;
      const size_t longer = block.rows - each * tiles;
      // While the tiles go over one panel the next one comes out of memory, a little with each row of this one: else
      // its first tile would wait for it.
      const size_t panel_rows = slice.taps * slice.length;
      const bool has_next = packed && panel + 1 < last && tiles > 1;
      const float* next = has_next ? b.data + range.end * layout.lanes * b.k + slice_row * tile.ldb : tile.b;
      tile.ahead_step = has_next ? (tile.ldb * sizeof(float) + tiles - 1) / tiles : 0;
      size_t row = 0;
      for (size_t index = 0; index < tiles; ++index) {
        tile.ahead = reinterpret_cast<const char*>(next) + index * panel_rows * tile.ahead_step;
        const size_t count = each + (index < longer ? 1 : 0);
        const float* residual =
            epilogue.residual == nullptr ? nullptr : epilogue.residual + row * epilogue.residual_ld + column;
        tile.a = block.a + slice.tap * block.a_pitch + row;
        tile.c = block.c + row * block.ldc + column;
        tile.row_bias = epilogue.row_bias == nullptr ? nullptr : epilogue.row_bias + row;
        row += count;
        tile.residual = plan.residual_in_tile ? residual : nullptr;
        kernels.tile[vectors][count](tile);
        if (is_last && plan.second_pass) {
          kernels.activate_rows(epilogue.activation, count, columns, tile.c, tile.ldc,
                                plan.residual_in_tile ? nullptr : residual, epilogue.residual_ld,
                                epilogue.residual_scale);
        }
      }
    }
  });
}

}  // namespace ortrun::cpu
