// SPDX-License-Identifier: Apache-2.0
// Expand and Tile.
#include <array>

#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/strided_copy.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class Expand : public Kernel {
 public:
  explicit Expand(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor target = context.Input(1);
    Require(target.rank() == 1, "input shape must have rank 1, it has ", target.rank());
    const std::vector<int64_t> wanted = ReadIntegers(target);
    const Shape shape = BroadcastShape(x.dims(), wanted);
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    Shape strides = shape;
    const size_t missing = shape.rank() - x.rank();
    int64_t step = 1;
    for (size_t axis = shape.rank(); axis-- > 0;) {
      const int64_t own = axis < missing ? 1 : x.dim(axis - missing);
      strides[axis] = own == 1 ? 0 : step;
      step *= own;
    }
    ElementMover mover(context, x.type());
    const void* from = mover.Input(x);
    StridedCopy(context, from, mover.Output(y), shape.dims(), strides.dims(), mover.size());
    mover.Finish();
  }
};

/// Version 1 repeats one axis (inputs: tiles, axis); later versions give a count per axis.
class Tile : public Kernel {
 public:
  explicit Tile(const KernelInfo& info) : one_axis_(info.SinceVersion() < 6) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const std::vector<int64_t> repeats = ReadRepeats(context, x.rank());
    Shape shape = x.shape();
    // Each axis becomes two: the repetition, which does not move in the source, and the axis itself.
    std::array<int64_t, 2 * Shape::kMaxRank> extents{};
    std::array<int64_t, 2 * Shape::kMaxRank> strides{};
    int64_t step = 1;
    for (size_t axis = x.rank(); axis-- > 0;) {
      Require(repeats[axis] >= 0, "input repeats has the negative entry ", repeats[axis]);
      Require(!__builtin_mul_overflow(shape[axis], repeats[axis], &shape[axis]), "the tiled shape is too large");
      extents[2 * axis] = repeats[axis];
      strides[2 * axis] = 0;
      extents[2 * axis + 1] = x.dim(axis);
      strides[2 * axis + 1] = step;
      step *= x.dim(axis);
    }
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    ElementMover mover(context, x.type());
    const void* from = mover.Input(x);
    StridedCopy(context, from, mover.Output(y), std::span(extents).first(2 * x.rank()),
                std::span(strides).first(2 * x.rank()), mover.size());
    mover.Finish();
  }

 private:
  std::vector<int64_t> ReadRepeats(const KernelContext& context, size_t rank) const {
    const Tensor repeats = context.Input(1);
    if (!one_axis_) {
      Require(repeats.rank() == 1 && repeats.count() == rank, "input repeats must have ", rank, " entries, it has ",
              repeats.count());
      return ReadIntegers(repeats);
    }
    const Tensor axis = context.Input(2);
    Require(repeats.count() == 1 && axis.count() == 1, "inputs tiles and axis must be scalars");
    std::vector<int64_t> counts(rank, 1);
    counts[NormalizeAxis(Scalar(axis), rank)] = Scalar(repeats);
    return counts;
  }

  static int64_t Scalar(const Tensor& tensor) {
    int64_t value = 0;
    DispatchType<NumbersAndHalf>(tensor.type(), [&]<typename T>(std::type_identity<T>) {
      const auto given = static_cast<double>(*tensor.data<T>());
      Require(given >= 0 && given < 1e15, "tiles and axis must be small non-negative numbers");
      value = static_cast<int64_t>(given);
    });
    return value;
  }

  bool one_axis_;
};

}  // namespace

void RegisterExpand(KernelList& list) {
  list.Add({.op = "Expand", .since = 8, .types = {{"T", AllTypes()}}, .make = MakeKernel<Expand>});
  list.Add(
      {.op = "Tile", .since = 1, .until = 5, .types = {{"T", NumbersAndHalf::Values()}}, .make = MakeKernel<Tile>});
  list.Add({.op = "Tile", .since = 6, .types = {{"T", AllTypes()}}, .make = MakeKernel<Tile>});
}

}  // namespace ortrun::cpu
