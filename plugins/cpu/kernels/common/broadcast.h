// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

/// Numpy's broadcasting of two shapes; throws when they do not fit.
Shape BroadcastShape(std::span<const int64_t> a, std::span<const int64_t> b);

/// How to walk up to kMaxOperands dense tensors broadcast to one shape. Axes that all operands step through alike are
/// merged, so that the innermost run is as long as possible; in it each operand steps by 0 or by 1.
class BroadcastLoop {
 public:
  static constexpr size_t kMaxOperands = 3;
  /// Where a run starts in each operand, in elements.
  using Offsets = std::array<size_t, kMaxOperands>;

  /// Throws when the shapes do not broadcast together.
  BroadcastLoop(std::initializer_list<std::span<const int64_t>> shapes);

  const Shape& shape() const { return shape_; }
  size_t count() const { return run_ * runs_; }
  /// Elements in one run, and how many runs make the output.
  size_t run() const { return run_; }
  size_t runs() const { return runs_; }
  /// Whether operand `i` moves within a run (else it stays on one element).
  bool steps(size_t i) const { return step_[i]; }

  /// Calls body(output_offset, length, offsets) for consecutive pieces that cover the output, on several threads when
  /// the output has more than `grain` elements. A piece never crosses a run.
  template <typename Body>
  void ForEachRun(const KernelContext& context, size_t grain, const Body& body) const {
    if (runs_ == 0 || run_ == 0) return;
    if (runs_ == 1) {
      context.ParallelRange(run_, grain, [&](size_t begin, size_t end) {
        Offsets offsets{};
        for (size_t i = 0; i < operands_; ++i) offsets[i] = step_[i] ? begin : 0;
        body(begin, end - begin, offsets);
      });
      return;
    }
    context.ParallelRange(runs_, std::max<size_t>(1, grain / run_), [&](size_t begin, size_t end) {
      std::array<size_t, Shape::kMaxRank> at{};
      Offsets offsets = Start(begin, at);
      for (size_t i = begin; i < end; ++i) {
        body(i * run_, run_, offsets);
        Advance(at, offsets);
      }
    });
  }

 private:
  Offsets Start(size_t run_index, std::array<size_t, Shape::kMaxRank>& at) const;
  void Advance(std::array<size_t, Shape::kMaxRank>& at, Offsets& offsets) const {
    for (size_t axis = outer_rank_; axis-- > 0;) {
      if (++at[axis] < dims_[axis]) {
        for (size_t i = 0; i < operands_; ++i) offsets[i] += strides_[i][axis];
        return;
      }
      at[axis] = 0;
      for (size_t i = 0; i < operands_; ++i) offsets[i] -= strides_[i][axis] * (dims_[axis] - 1);
    }
  }

  Shape shape_;
  size_t operands_ = 0;
  size_t run_ = 1;
  size_t runs_ = 1;
  size_t outer_rank_ = 0;
  std::array<bool, kMaxOperands> step_{};
  std::array<size_t, Shape::kMaxRank> dims_{};  ///< merged axes outside the run
  std::array<std::array<size_t, Shape::kMaxRank>, kMaxOperands> strides_{};
};

}  // namespace ortrun::cpu
