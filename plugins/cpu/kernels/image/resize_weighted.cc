// SPDX-License-Identifier: Apache-2.0
// A resize with weights is separable: each axis by itself, rows first, then a blend of whole rows. The two innermost
// steps share one pass over memory in which only as many resampled rows are kept as one output row is made of.
#include <algorithm>
#include <cstring>

#include "plugins/cpu/kernels/image/resample.h"
#include "plugins/cpu/kernels/image/resize_steps.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 16384;  ///< elements that pay for handing a task to another thread

/// [outer, rows.in, columns.in, inner] to [outer, rows.out, columns.out, inner]. A direction that keeps its extent has
/// a NULL table.
template <typename W>
struct Plane {
  size_t outer = 1;
  size_t inner = 1;
  AxisTaps<W> rows;
  AxisTaps<W> columns;
  W fill = 0;

  size_t FromWidth() const { return static_cast<size_t>(columns.in) * inner; }
  size_t ToWidth() const { return static_cast<size_t>(columns.out) * inner; }
};

template <typename W>
void ResampleColumns(const Plane<W>& plane, const W* x, W* y) {
  ResampleRow(x, plane.columns, plane.inner, y);
  if (plane.columns.outside == nullptr) return;
  for (size_t i = 0; i < static_cast<size_t>(plane.columns.out); ++i)
    if (plane.columns.outside[i] != 0) std::fill_n(y + i * plane.inner, plane.inner, plane.fill);
}

/// Makes the output rows of one task. Resampled rows stay in a ring, each at its input row modulo the number of taps:
/// the taps of a row are neighbours, so none of them share a place.
template <typename W>
class RowMaker {
 public:
  /// `ring` holds taps * ToWidth elements, `held` and `sources` an entry a tap.
  RowMaker(const Plane<W>& plane, W* ring, int64_t* held, const W** sources)
      : plane_(plane), ring_(ring), held_(held), sources_(sources) {
    std::fill_n(held_, plane.rows.taps, int64_t{-1});
  }

  void Make(size_t outer, size_t row, const W* x, W* y) {
    const AxisTaps<W>& rows = plane_.rows;
    const auto in = static_cast<size_t>(rows.in);
    const W* image = x + outer * in * plane_.FromWidth();
    if (rows.index == nullptr) return ResampleColumns(plane_, image + row * plane_.FromWidth(), y);
    if (rows.outside != nullptr && rows.outside[row] != 0) {
      std::fill_n(y, plane_.ToWidth(), plane_.fill);
      return;
    }
    const auto out = static_cast<size_t>(rows.out);
    for (size_t k = 0; k < rows.taps; ++k) {
      const auto at = static_cast<size_t>(rows.index[k * out + row]);
      const W* from = image + at * plane_.FromWidth();
      sources_[k] = plane_.columns.index == nullptr ? from : Resampled(from, outer * in + at, at);
    }
    BlendRows(sources_, rows.weight + row, out, rows.taps, y, plane_.ToWidth());
  }

 private:
  const W* Resampled(const W* from, size_t name, size_t at) {
    const size_t place = at % plane_.rows.taps;
    W* to = ring_ + place * plane_.ToWidth();
    if (held_[place] != static_cast<int64_t>(name)) {
      ResampleColumns(plane_, from, to);
      held_[place] = static_cast<int64_t>(name);
    }
    return to;
  }

  const Plane<W>& plane_;
  W* ring_;
  int64_t* held_;
  const W** sources_;
};

template <typename W>
void ResizePlane(KernelContext& context, const Plane<W>& plane, const W* x, W* y) {
  const auto out = static_cast<size_t>(plane.rows.out);
  const size_t rows = plane.outer * out;
  const size_t width = plane.ToWidth();
  const size_t blocks = std::clamp<size_t>(rows * width / kGrain, 1, std::min(rows, 2 * context.Concurrency()));
  const bool both = plane.rows.index != nullptr && plane.columns.index != nullptr;
  const size_t taps = plane.rows.taps;
  W* rings = context.Scratch<W>(both ? blocks * taps * width : 0);
  auto* held = context.Scratch<int64_t>(blocks * taps);
  auto* sources = context.Scratch<const W*>(blocks * taps);
  context.ParallelFor(blocks, [&](size_t block) {
    RowMaker<W> maker(plane, both ? rings + block * taps * width : nullptr, held + block * taps,
                      sources + block * taps);
    for (size_t i = rows * block / blocks; i < rows * (block + 1) / blocks; ++i)
      maker.Make(i / out, i % out, x, y + i * width);
  });
}

}  // namespace

template <typename W>
void ResizeWeighted(KernelContext& context, const ResizeRules& rules, std::span<const ResizeAxis> axes, const W* x,
                    W* y) {
  Shape shape;
  for (const ResizeAxis& axis : axes) shape.Append(axis.in);
  size_t left = static_cast<size_t>(std::count_if(axes.begin(), axes.end(), [](auto& a) { return !a.IsIdentity(); }));
  if (left == 0) {
    std::memcpy(y, x, static_cast<size_t>(shape.Count()) * sizeof(W));
    return;
  }
  for (size_t last = axes.size(); last-- > 0;) {
    if (axes[last].IsIdentity()) continue;
    const bool pair = last != 0 && !axes[last - 1].IsIdentity();
    const size_t first = pair ? last - 1 : last;
    Plane<W> plane;
    plane.fill = static_cast<W>(rules.extrapolation_value);
    plane.inner = static_cast<size_t>(shape.Count(last + 1, shape.rank()));
    plane.outer = static_cast<size_t>(shape.Count(0, first));
    const AxisTaps<W> taps = MakeAxisTaps<W>(context, rules, axes[last]);
    if (pair) plane.rows = MakeAxisTaps<W>(context, rules, axes[first]);
    // A single axis with elements behind it is a blend of rows; the innermost one resamples within the row.
    (pair || plane.inner == 1 ? plane.columns : plane.rows) = taps;
    if (!pair && plane.inner == 1) {
      plane.rows.in = plane.rows.out = static_cast<int64_t>(plane.outer);
      plane.outer = 1;
    }
    for (size_t i = first; i <= last; ++i) shape[i] = axes[i].out;
    left -= pair ? 2 : 1;
    W* to = left == 0 ? y : context.Scratch<W>(static_cast<size_t>(shape.Count()));
    ResizePlane(context, plane, x, to);
    x = to;
    last = first;
  }
}

template void ResizeWeighted<float>(KernelContext&, const ResizeRules&, std::span<const ResizeAxis>, const float*,
                                    float*);
template void ResizeWeighted<double>(KernelContext&, const ResizeRules&, std::span<const ResizeAxis>, const double*,
                                     double*);

}  // namespace ortrun::cpu
