// SPDX-License-Identifier: Apache-2.0
// Nearest only moves elements: one pass over the output, row by row of the innermost axis that changes.
#include <algorithm>
#include <array>
#include <cstring>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/image/resample.h"
#include "plugins/cpu/kernels/image/resize_steps.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrainBytes = 65536;  ///< output bytes that pay for handing a task to another thread

/// The output as rows; `piece` neighbouring elements move together.
struct NearestRows {
  std::array<AxisTaps<float>, Shape::kMaxRank> outer;  ///< axes of the rows, outermost first
  size_t outer_rank = 0;
  AxisTaps<float> along;
  size_t piece = 1;

  size_t rows() const {
    size_t count = 1;
    for (size_t i = 0; i < outer_rank; ++i) count *= static_cast<size_t>(outer[i].out);
    return count;
  }
  /// The input row of an output row, or -1 where it lies outside.
  int64_t SourceOf(size_t row) const {
    int64_t source = 0;
    int64_t stride = 1;
    for (size_t i = outer_rank; i-- > 0;) {
      const auto extent = static_cast<size_t>(outer[i].out);
      const size_t at = row % extent;
      row /= extent;
      if (outer[i].outside != nullptr && outer[i].outside[at] != 0) return -1;
      source += stride * (outer[i].index == nullptr ? static_cast<int64_t>(at) : outer[i].index[at]);
      stride *= outer[i].in;
    }
    return source;
  }
};

template <typename T>
void MoveRow(const NearestRows& plan, const T* x, T fill, T* y) {
  const auto out = static_cast<size_t>(plan.along.out);
  const int32_t* index = plan.along.index;
  const size_t piece = plan.piece;
  if (piece == 1)
    for (size_t i = 0; i < out; ++i) y[i] = x[index[i]];
  else
    for (size_t i = 0; i < out; ++i)
      std::memcpy(y + i * piece, x + static_cast<size_t>(index[i]) * piece, piece * sizeof(T));
  if (plan.along.outside == nullptr) return;
  for (size_t i = 0; i < out; ++i)
    if (plan.along.outside[i] != 0) std::fill_n(y + i * piece, piece, fill);
}

bool Doubles(const AxisTaps<float>& axis) {
  if (axis.out != 2 * axis.in || axis.outside != nullptr) return false;
  for (int64_t i = 0; i < axis.out; ++i)
    if (axis.index[i] != i / 2) return false;
  return true;
}

/// Twice the size along the innermost axis, and perhaps along the one before, of 4-byte elements: the usual case of
/// networks that go back to a finer scale. Answers false where the plan is another one.
bool MoveDoubled(KernelContext& context, const NearestRows& plan, const void* x, void* y) {
  if (plan.piece != 1 || !Doubles(plan.along)) return false;
  size_t rows = 1;
  size_t copies = 1;
  for (size_t i = 0; i < plan.outer_rank; ++i) {
    rows *= static_cast<size_t>(plan.outer[i].in);
    if (plan.outer[i].index == nullptr) continue;
    if (i + 1 != plan.outer_rank || !Doubles(plan.outer[i])) return false;
    copies = 2;
  }
  const auto n = static_cast<size_t>(plan.along.in);
  const size_t grain = std::max<size_t>(1, kGrainBytes / (2 * n * copies * sizeof(float)));
  context.ParallelRange(rows, grain, [&](size_t begin, size_t end) {
    DoubleRows(static_cast<const float*>(x) + begin * n, static_cast<float*>(y) + begin * copies * 2 * n, end - begin,
               n, copies);
  });
  return true;
}

template <typename T>
void MoveRows(KernelContext& context, const NearestRows& plan, const T* x, T fill, T* y) {
  const size_t from_width = static_cast<size_t>(plan.along.in) * plan.piece;
  const size_t width = static_cast<size_t>(plan.along.out) * plan.piece;
  const size_t grain = std::max<size_t>(1, kGrainBytes / (width * sizeof(T)));
  context.ParallelRange(plan.rows(), grain, [&](size_t begin, size_t end) {
    int64_t last = -2;
    for (size_t row = begin; row < end; ++row) {
      T* to = y + row * width;
      const int64_t source = plan.SourceOf(row);
      if (source == last)  // repeated rows are the usual case of a larger output
        std::memcpy(to, to - width, width * sizeof(T));
      else if (source < 0)
        std::fill_n(to, width, fill);
      else
        MoveRow(plan, x + static_cast<size_t>(source) * from_width, fill, to);
      last = source;
    }
  });
}

}  // namespace

void ResizeNearest(KernelContext& context, const ResizeRules& rules, std::span<const ResizeAxis> axes, const void* x,
                   const void* fill, void* y, size_t element_size) {
  NearestRows plan;
  size_t last = axes.size();
  while (last > 0 && axes[last - 1].IsIdentity()) plan.piece *= static_cast<size_t>(axes[--last].in);
  if (last == 0) {
    std::memcpy(y, x, plan.piece * element_size);
    return;
  }
  plan.along = MakeNearestTaps(context, rules, axes[last - 1]);
  for (const ResizeAxis& axis : axes.first(last - 1)) {
    AxisTaps<float>& before = plan.outer[plan.outer_rank == 0 ? 0 : plan.outer_rank - 1];
    if (!axis.IsIdentity()) {
      plan.outer[plan.outer_rank++] = MakeNearestTaps(context, rules, axis);
    } else if (plan.outer_rank != 0 && before.index == nullptr) {
      before.in = before.out *= axis.in;
    } else {
      plan.outer[plan.outer_rank++] = {.in = axis.in, .out = axis.out};
    }
  }
  if (element_size == sizeof(float) && MoveDoubled(context, plan, x, y)) return;
  DispatchSize(element_size, [&]<typename T>(std::type_identity<T>) {
    MoveRows(context, plan, static_cast<const T*>(x), *static_cast<const T*>(fill), static_cast<T*>(y));
  });
}

}  // namespace ortrun::cpu
