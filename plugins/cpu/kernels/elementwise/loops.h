// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>

#include "ortrun/kernel_info.h"
#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// Elements below which a second thread costs more than it saves, for cheap and for costly functions.
inline constexpr size_t kCheapGrain = 1 << 15;
inline constexpr size_t kCostlyGrain = 1 << 12;

/// The type in which arithmetic on T is done.
template <typename T>
using Arithmetic = std::conditional_t<std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>, float, T>;

/// y = f(a, b) over one run; an operand that does not step is a single element.
template <typename A, typename B, typename Y, typename F>
void BinaryRun(const A* a, bool a_steps, const B* b, bool b_steps, Y* y, size_t count, const F& f) {
  if (a_steps && b_steps) {
    for (size_t i = 0; i < count; ++i) y[i] = static_cast<Y>(f(a[i], b[i]));
  } else if (a_steps) {
    const B single = *b;
    for (size_t i = 0; i < count; ++i) y[i] = static_cast<Y>(f(a[i], single));
  } else {
    const A single = *a;
    for (size_t i = 0; i < count; ++i) y[i] = static_cast<Y>(f(single, b_steps ? b[i] : *b));
  }
}

/// Calls run(output_offset, length, a_offset, a_steps, b_offset, b_steps) over the broadcast of two shapes, after
/// making the output with make_output(shape). Equal shapes and single elements skip the general plan.
template <typename MakeOutput, typename Run>
void ForEachBinaryRun(const KernelContext& context, std::span<const int64_t> a, std::span<const int64_t> b,
                      size_t grain, const MakeOutput& make_output, const Run& run) {
  const auto single = [](std::span<const int64_t> shape) {
    return std::all_of(shape.begin(), shape.end(), [](int64_t dim) { return dim == 1; });
  };
  const bool same = std::equal(a.begin(), a.end(), b.begin(), b.end());
  const bool a_single = !same && single(a) && a.size() <= b.size();
  const bool b_single = !same && !a_single && single(b) && b.size() <= a.size();
  if (same || a_single || b_single) {
    const std::span<const int64_t> shape = a_single ? b : a;
    make_output(shape);
    size_t count = 1;
    for (int64_t dim : shape) count *= static_cast<size_t>(dim);
    context.ParallelRange(count, grain, [&](size_t begin, size_t end) {
      run(begin, end - begin, a_single ? 0 : begin, !a_single, b_single ? 0 : begin, !b_single);
    });
    return;
  }
  const BroadcastLoop loop({a, b});
  make_output(loop.shape().dims());
  loop.ForEachRun(context, grain, [&](size_t offset, size_t length, const BroadcastLoop::Offsets& at) {
    run(offset, length, at[0], loop.steps(0), at[1], loop.steps(1));
  });
}

/// The second shape of the broadcasting that operators had before version 7: `b` is laid against `a` from `axis` on.
Shape LegacyBroadcastShape(std::span<const int64_t> a, std::span<const int64_t> b, int64_t axis);

/// How an operator before version 7 asked for broadcasting; `active` is false for newer versions.
struct LegacyBroadcast {
  bool active = false;
  int64_t axis = -1;
  explicit LegacyBroadcast(const KernelInfo& info);
  /// The shape of `b` as today's rules want it.
  Shape Adapt(std::span<const int64_t> a, std::span<const int64_t> b) const {
    return active ? LegacyBroadcastShape(a, b, axis) : Shape(b);
  }
};

}  // namespace ortrun::cpu
