// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/reduction/reduce_ops.h"
#include "plugins/cpu/kernels/reduction/reduction_layout.h"

namespace ortrun::cpu {

/// Elements that one parallel task should at least read.
constexpr int64_t kReduceGrain = 16384;
/// Outputs folded at a time where neighbouring elements belong to neighbouring outputs.
constexpr int64_t kColumnBlock = 256;

/// Floating-point means are taken around an element of each output: they are exact where all its elements are the same,
/// and close where those lie far from 0 and close together.
template <typename Op, typename A>
constexpr bool kAroundOrigin = std::is_same_v<Op, MeanOp>&& std::is_floating_point_v<A>;

/// The element that a mean is taken around; 0 where differences from it could overflow, and for other reductions.
template <typename Op, typename A, typename T>
A OriginOf(T first) {
  if constexpr (kAroundOrigin<Op, A>) {
    const auto value = static_cast<A>(first);
    return std::abs(value) < std::numeric_limits<A>::max() / 4 ? value : A(0);
  } else {
    return A(0);
  }
}

template <typename Op, typename T, typename A>
A FinishAround(A origin, A all, int64_t folded) {
  if constexpr (kAroundOrigin<Op, A>)
    return origin + Op::template Finish<A, T>(all, folded);
  else
    return Op::template Finish<A, T>(all, folded);
}

template <typename Op, typename T, typename A>
A ReduceRow(const T* x, int64_t n, A start, [[maybe_unused]] A origin) {
  if constexpr (std::is_same_v<T, float>) {
    const float part = FoldRow(Op::kFold, Op::kMap, x, static_cast<size_t>(n), origin);
    if constexpr (Op::kFold == Fold::kSum)
      return start + part;
    else
      return Op::Apply(start, part);
  } else if constexpr (kAroundOrigin<Op, A>) {
    for (int64_t i = 0; i < n; ++i) start = Op::Apply(start, static_cast<A>(x[i]) - origin);
    return start;
  } else {
    for (int64_t i = 0; i < n; ++i) start = Op::Apply(start, static_cast<A>(x[i]));
    return start;
  }
}

template <typename Op, typename T, typename A>
void ReduceColumns(A* to, const T* x, int64_t n, int64_t rows, int64_t stride, [[maybe_unused]] const A* origins) {
  if constexpr (std::is_same_v<T, float>) {
    FoldColumns(Op::kFold, Op::kMap, to, x, static_cast<size_t>(n), static_cast<size_t>(rows),
                static_cast<size_t>(stride), origins);
  } else {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < n; ++i) {
        auto value = static_cast<A>(x[row * stride + i]);
        if constexpr (kAroundOrigin<Op, A>) value -= origins[i];
        to[i] = Op::Apply(to[i], value);
      }
  }
}

/// Joins two folds of parts.
template <typename Op, typename A>
A JoinFolds(A a, A b) {
  if constexpr (Op::kFold == Fold::kSum)
    return WrapAdd(a, b);
  else
    return Op::Apply(a, b);
}

/// One long row into one number: fixed blocks in parallel, joined in order, so that the bits do not depend on threads.
template <typename Op, typename T>
void ReduceToOne(KernelContext& context, const T* x, int64_t n, T* y) {
  using A = FoldType<T>;
  const auto blocks = static_cast<size_t>((n + kReduceGrain - 1) / kReduceGrain);
  A* parts = context.Scratch<A>(blocks);
  const A origin = OriginOf<Op, A>(x[0]);
  context.ParallelFor(blocks, [&](size_t block) {
    const int64_t begin = static_cast<int64_t>(block) * kReduceGrain;
    parts[block] =
        ReduceRow<Op, T, A>(x + begin, std::min(kReduceGrain, n - begin), Op::template Identity<A, T>(), origin);
  });
  A all = Op::template Identity<A, T>();
  for (size_t block = 0; block < blocks; ++block) all = JoinFolds<Op>(all, parts[block]);
  *y = static_cast<T>(FinishAround<Op, T>(origin, all, n));
}

template <typename Op, typename T>
void ReduceRows(KernelContext& context, const ReductionLayout& layout, const T* x, T* y) {
  using A = FoldType<T>;
  const int64_t strips = layout.reduced.Count();
  if (layout.outputs == 1 && strips == 1 && layout.run > 2 * kReduceGrain)
    return ReduceToOne<Op, T>(context, x, layout.run, y);
  const int64_t grain = std::max<int64_t>(1, kReduceGrain / std::max<int64_t>(1, layout.folded));
  context.ParallelRange(static_cast<size_t>(layout.outputs), static_cast<size_t>(grain), [&](size_t begin, size_t end) {
    OffsetWalk kept = layout.kept;
    OffsetWalk reduced = layout.reduced;
    kept.Seek(static_cast<int64_t>(begin));
    for (size_t i = begin; i < end; ++i, kept.Next()) {
      A all = Op::template Identity<A, T>();
      if (strips > 0) reduced.Seek(0);
      const A origin = layout.folded == 0 ? A(0) : OriginOf<Op, A>(x[kept.offset() + reduced.offset()]);
      for (int64_t strip = 0; strip < strips; ++strip, reduced.Next())
        all = ReduceRow<Op, T, A>(x + kept.offset() + reduced.offset(), layout.run, all, origin);
      y[i] = static_cast<T>(FinishAround<Op, T>(origin, all, layout.folded));
    }
  });
}

template <typename Op, typename T>
void ReduceColumnBlocks(KernelContext& context, const ReductionLayout& layout, const T* x, T* y) {
  using A = FoldType<T>;
  const int64_t strips = layout.reduced.Count();
  const int64_t blocks = (layout.inner + kColumnBlock - 1) / kColumnBlock;
  const int64_t work = std::max<int64_t>(1, layout.folded) * std::min(layout.inner, kColumnBlock);
  const int64_t tasks = layout.outputs / layout.inner * blocks;
  context.ParallelRange(
      static_cast<size_t>(tasks), static_cast<size_t>(std::max<int64_t>(1, kReduceGrain / work)),
      [&](size_t begin, size_t end) {
        OffsetWalk kept = layout.kept;
        OffsetWalk reduced = layout.reduced;
        std::array<A, kColumnBlock> folds;
        std::array<A, kColumnBlock> origins{};
        for (auto task = static_cast<int64_t>(begin); task < static_cast<int64_t>(end); ++task) {
          const int64_t outer = task / blocks;
          const int64_t first = task % blocks * kColumnBlock;
          const int64_t width = std::min(kColumnBlock, layout.inner - first);
          kept.Seek(outer);
          folds.fill(Op::template Identity<A, T>());
          const T* from = x + kept.offset() + first;
          if (strips > 0) reduced.Seek(0);
          if (kAroundOrigin<Op, A> && layout.folded != 0)
            for (int64_t i = 0; i < width; ++i)
              origins[static_cast<size_t>(i)] = OriginOf<Op, A>(from[reduced.offset() + i]);
          if (reduced.IsEven()) {
            ReduceColumns<Op, T, A>(folds.data(), from, width, strips, reduced.stride(), origins.data());
          } else {
            for (int64_t strip = 0; strip < strips; ++strip, reduced.Next())
              ReduceColumns<Op, T, A>(folds.data(), from + reduced.offset(), width, 1, 0, origins.data());
          }
          T* to = y + outer * layout.inner + first;
          for (int64_t i = 0; i < width; ++i)
            to[i] = static_cast<T>(
                FinishAround<Op, T>(origins[static_cast<size_t>(i)], folds[static_cast<size_t>(i)], layout.folded));
        }
      });
}

template <typename Op, typename T>
void Reduce(KernelContext& context, const ReductionLayout& layout, const T* x, T* y) {
  if (layout.outputs == 0) return;
  if (layout.inner == 1)
    ReduceRows<Op, T>(context, layout, x, y);
  else
    ReduceColumnBlocks<Op, T>(context, layout, x, y);
}

/// log(sum(exp(x))) by way of the largest element, which keeps exp in range.
template <typename T>
void ReduceLogSumExp(KernelContext& context, const ReductionLayout& layout, const T* x, T* y) {
  using A = std::conditional_t<std::is_integral_v<T> || std::is_same_v<T, double>, double, float>;
  if (layout.outputs == 0) return;
  const int64_t strips = layout.reduced.Count();
  const int64_t grain = std::max<int64_t>(1, kReduceGrain / 8 / std::max<int64_t>(1, layout.folded));
  context.ParallelRange(static_cast<size_t>(layout.outputs), static_cast<size_t>(grain), [&](size_t begin, size_t end) {
    OffsetWalk kept = layout.kept;
    OffsetWalk reduced = layout.reduced;
    for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
      kept.Seek(i / layout.inner);
      const T* from = x + kept.offset() + i % layout.inner;
      A largest = LowestOf<A, T>();
      if (strips > 0) reduced.Seek(0);
      for (int64_t strip = 0; strip < strips; ++strip, reduced.Next())
        for (int64_t k = 0; k < layout.run; ++k)
          largest = MaxOp::Apply(largest, static_cast<A>(from[reduced.offset() + k]));
      const A shift = std::isfinite(largest) ? largest : A(0);
      A sum = 0;
      if (strips > 0) reduced.Seek(0);
      for (int64_t strip = 0; strip < strips; ++strip, reduced.Next()) {
        if constexpr (std::is_same_v<T, float>) {
          sum += FoldRow(Fold::kSum, Map::kExp, from + reduced.offset(), static_cast<size_t>(layout.run), shift);
        } else {
          for (int64_t k = 0; k < layout.run; ++k) sum += std::exp(static_cast<A>(from[reduced.offset() + k]) - shift);
        }
      }
      const A value = std::log(sum) + shift;
      if constexpr (std::is_integral_v<T>)
        y[i] = std::isfinite(value) ? static_cast<T>(value) : std::numeric_limits<T>::lowest();
      else
        y[i] = static_cast<T>(value);
    }
  });
}

}  // namespace ortrun::cpu
