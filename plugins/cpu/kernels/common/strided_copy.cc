// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/strided_copy.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kMaxAxes = 32;
/// Bytes below which a second thread costs more than it saves.
constexpr size_t kGrainBytes = 1 << 17;
/// Side of the square that a transposition moves at a time.
constexpr int64_t kBlock = 16;
/// Rows that it moves at a time where each has a few elements only, as the pixels of a colour image.
constexpr int64_t kNarrowBlock = 1024;
constexpr int64_t kFewColumns = 4;

struct Axis {
  int64_t extent;
  int64_t stride;  ///< in the source
  int64_t target;  ///< stride in the result
};

/// The view with its axes of extent 1 dropped and those merged that the source steps through as one.
struct View {
  std::array<Axis, kMaxAxes> axes;
  size_t rank = 0;
  int64_t count = 1;

  View(std::span<const int64_t> extents, std::span<const int64_t> strides) {
    Require(extents.size() <= kMaxAxes, "rank ", extents.size(), " is larger than the ", kMaxAxes, " supported");
    for (size_t i = 0; i < extents.size(); ++i) {
      count *= extents[i];
      if (extents[i] == 1) continue;
      if (rank > 0 && axes[rank - 1].stride == strides[i] * extents[i]) {
        axes[rank - 1].extent *= extents[i];
        axes[rank - 1].stride = strides[i];
      } else {
        axes[rank++] = {extents[i], strides[i], 0};
      }
    }
    if (rank == 0) axes[rank++] = {1, 1, 1};
    int64_t target = 1;
    for (size_t i = rank; i-- > 0;) {
      axes[i].target = target;
      target *= axes[i].extent;
    }
  }
};

/// Offsets of the `index`-th combination of the given axes.
struct Offsets {
  int64_t source = 0;
  int64_t target = 0;
  Offsets(std::span<const Axis> axes, int64_t index) {
    for (size_t i = axes.size(); i-- > 0;) {
      const int64_t at = index % axes[i].extent;
      index /= axes[i].extent;
      source += at * axes[i].stride;
      target += at * axes[i].target;
    }
  }
};

template <typename T>
void CopyRow(const T* from, T* to, const Axis& axis) {
  if (axis.stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(axis.extent) * sizeof(T));
  } else if (axis.stride == 0) {
    std::fill_n(to, axis.extent, *from);
  } else {
    for (int64_t i = 0; i < axis.extent; ++i) to[i] = from[i * axis.stride];
  }
}

/// Stands in for a KernelContext where there is none.
struct OneThread {
  template <typename Body>
  void ParallelRange(size_t count, size_t, const Body& body) const {
    body(size_t{0}, count);
  }
};

template <typename T, typename Context>
void CopyRows(const Context& context, const T* source, T* target, const View& view) {
  const std::span<const Axis> outer(view.axes.data(), view.rank - 1);
  const Axis& row = view.axes[view.rank - 1];
  const auto rows = static_cast<size_t>(view.count / row.extent);
  const size_t grain = std::max<size_t>(1, kGrainBytes / (static_cast<size_t>(row.extent) * sizeof(T)));
  context.ParallelRange(rows, grain, [&](size_t begin, size_t end) {
    // The innermost outer axis is walked without division.
    if (outer.empty()) return CopyRow(source, target, row);
    const Axis& near = outer.back();
    const std::span<const Axis> far = outer.first(outer.size() - 1);
    for (auto r = static_cast<int64_t>(begin); r < static_cast<int64_t>(end);) {
      const Offsets start(far, r / near.extent);
      const int64_t first = r % near.extent;
      const int64_t last = std::min(near.extent, first + static_cast<int64_t>(end) - r);
      for (int64_t i = first; i < last; ++i)
        CopyRow(source + start.source + i * near.stride, target + start.target + i * near.target, row);
      r += last - first;
    }
  });
}

template <int64_t kColumns, typename T>
void TransposeNarrow(const T* from, T* to, const Axis& across, const Axis& along, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r, to += across.target)
    for (int64_t c = 0; c < kColumns; ++c) to[c] = from[c * along.stride + r];
}

/// Moves a block where `across` is dense in the source and `along` is dense in the result.
template <typename T>
void TransposeBlock(const T* from, T* to, const Axis& across, const Axis& along, int64_t rows, int64_t columns) {
  if (rows == kBlock && columns == kBlock) {
    T block[kBlock][kBlock];
    for (int64_t c = 0; c < kBlock; ++c)
      for (int64_t r = 0; r < kBlock; ++r) block[r][c] = from[c * along.stride + r];
    for (int64_t r = 0; r < kBlock; ++r) std::memcpy(to + r * across.target, block[r], sizeof block[r]);
    return;
  }
  if (columns == 2) return TransposeNarrow<2>(from, to, across, along, rows);
  if (columns == 3) return TransposeNarrow<3>(from, to, across, along, rows);
  if (columns == 4) return TransposeNarrow<4>(from, to, across, along, rows);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) to[r * across.target + c] = from[c * along.stride + r];
}

template <typename T, typename Context>
void Transpose(const Context& context, const T* source, T* target, const View& view, size_t dense_axis) {
  const Axis& across = view.axes[dense_axis];
  const Axis& along = view.axes[view.rank - 1];
  std::array<Axis, kMaxAxes> others;
  size_t count = 0;
  for (size_t i = 0; i + 1 < view.rank; ++i)
    if (i != dense_axis) others[count++] = view.axes[i];
  const std::span<const Axis> outer(others.data(), count);
  const int64_t band = along.extent <= kFewColumns ? kNarrowBlock : kBlock;
  const int64_t bands = (across.extent + band - 1) / band;
  const int64_t planes = view.count / (across.extent * along.extent);
  const size_t grain = std::max<size_t>(1, kGrainBytes / (static_cast<size_t>(along.extent * band) * sizeof(T)));
  context.ParallelRange(static_cast<size_t>(planes * bands), grain, [&](size_t begin, size_t end) {
    for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
      const Offsets plane(outer, i / bands);
      const int64_t row = i % bands * band;
      const int64_t rows = std::min(band, across.extent - row);
      for (int64_t column = 0; column < along.extent; column += kBlock)
        TransposeBlock(source + plane.source + row + column * along.stride,
                       target + plane.target + row * across.target + column, across, along, rows,
                       std::min(kBlock, along.extent - column));
    }
  });
}

template <typename T, typename Context>
void Copy(const Context& context, const void* source, void* target, const View& view) {
  const T* from = static_cast<const T*>(source);
  T* to = static_cast<T*>(target);
  const int64_t last = view.axes[view.rank - 1].stride;
  if (last != 1 && last != 0)
    for (size_t i = 0; i + 1 < view.rank; ++i)
      if (view.axes[i].stride == 1) return Transpose(context, from, to, view, i);
  CopyRows(context, from, to, view);
}

template <typename Context>
void CopyView(const Context& context, const void* source, void* target, std::span<const int64_t> extents,
              std::span<const int64_t> strides, size_t element_size) {
  const View view(extents, strides);
  if (view.count == 0) return;
  DispatchSize(element_size, [&]<typename T>(std::type_identity<T>) { Copy<T>(context, source, target, view); });
}

}  // namespace

void StridedCopy(const KernelContext& context, const void* source, void* target, std::span<const int64_t> extents,
                 std::span<const int64_t> strides, size_t element_size) {
  CopyView(context, source, target, extents, strides, element_size);
}

void StridedCopy(const void* source, void* target, std::span<const int64_t> extents, std::span<const int64_t> strides,
                 size_t element_size) {
  CopyView(OneThread{}, source, target, extents, strides, element_size);
}

}  // namespace ortrun::cpu
