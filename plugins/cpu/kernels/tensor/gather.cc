// SPDX-License-Identifier: Apache-2.0
// Gather, GatherElements, GatherND.
#include <cstring>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

using IndexTypes = TypeList<int32_t, int64_t>;

constexpr size_t kGrainBytes = 1 << 17;

/// An index that may count from the end, checked.
inline int64_t WrapIndex(int64_t index, int64_t extent) {
  const int64_t wrapped = index < 0 ? index + extent : index;
  Require(wrapped >= 0 && wrapped < extent, "index ", index, " is outside [-", extent, ", ", extent, ")");
  return wrapped;
}

/// Copies one piece; the common sizes are constants so that no library call is made.
inline void CopyPiece(uint8_t* to, const uint8_t* from, size_t bytes) {
  if (bytes == 4)
    std::memcpy(to, from, 4);
  else if (bytes == 8)
    std::memcpy(to, from, 8);
  else
    std::memcpy(to, from, bytes);
}

class Gather : public Kernel {
 public:
  explicit Gather(const KernelInfo& info) : axis_(info.Int("axis", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor indices = context.Input(1);
    const size_t axis = NormalizeAxis(axis_, x.rank());
    const Shape from_shape = x.shape();
    Shape shape;
    for (size_t i = 0; i < axis; ++i) shape.Append(from_shape[i]);
    for (int64_t dim : indices.dims()) shape.Append(dim);
    for (size_t i = axis + 1; i < x.rank(); ++i) shape.Append(from_shape[i]);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    ElementMover mover(context, x.type());
    const auto* from = static_cast<const uint8_t*>(mover.Input(x));
    auto* to = static_cast<uint8_t*>(mover.Output(y));
    const int64_t extent = from_shape[axis];
    const size_t piece = static_cast<size_t>(from_shape.Count(axis + 1, x.rank())) * mover.size();
    const size_t plane = static_cast<size_t>(extent) * piece;
    const size_t count = indices.count();
    const auto outer = static_cast<size_t>(from_shape.Count(0, axis));
    DispatchType<IndexTypes>(indices.type(), [&]<typename I>(std::type_identity<I>) {
      const I* index = indices.data<I>();
      context.ParallelRange(outer * count, std::max<size_t>(1, kGrainBytes / piece), [=](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
          const auto at = static_cast<size_t>(WrapIndex(index[i % count], extent));
          CopyPiece(to + i * piece, from + i / count * plane + at * piece, piece);
        }
      });
    });
    mover.Finish();
  }

 private:
  int64_t axis_;
};

class GatherElements : public Kernel {
 public:
  explicit GatherElements(const KernelInfo& info) : axis_(info.Int("axis", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor indices = context.Input(1);
    const size_t axis = NormalizeAxis(axis_, x.rank());
    Require(indices.rank() == x.rank(), "input indices has rank ", indices.rank(), ", data has rank ", x.rank());
    for (size_t i = 0; i < x.rank(); ++i)
      Require(i == axis || indices.dim(i) <= x.dim(i), "input indices has ", indices.dim(i), " along axis ", i,
              ", data has only ", x.dim(i));
    const Tensor y = context.Output(0, indices.dims());
    if (y.count() == 0) return;
    ElementMover mover(context, x.type());
    const void* from = mover.Input(x);
    void* to = mover.Output(y);
    DispatchType<IndexTypes>(indices.type(), [&]<typename I>(std::type_identity<I>) {
      DispatchSize(mover.size(), [&]<typename T>(std::type_identity<T>) {
        Run(context, static_cast<const T*>(from), static_cast<T*>(to), x.shape(), indices, indices.data<I>(), axis);
      });
    });
    mover.Finish();
  }

 private:
  template <typename T, typename I>
  static void Run(const KernelContext& context, const T* from, T* to, const Shape& x, const Tensor& indices,
                  const I* index, size_t axis) {
    const size_t rank = x.rank();
    const size_t inner = static_cast<size_t>(indices.dim(rank - 1));
    Shape steps = x;
    int64_t step = 1;
    for (size_t i = rank; i-- > 0;) {
      steps[i] = step;
      step *= x[i];
    }
    const size_t rows = indices.count() / inner;
    context.ParallelRange(rows, std::max<size_t>(1, 4096 / inner), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        int64_t base = 0;
        size_t rest = row;
        for (size_t i = rank - 1; i-- > 0;) {
          const auto extent = static_cast<size_t>(indices.dim(i));
          if (i != axis) base += static_cast<int64_t>(rest % extent) * steps[i];
          rest /= extent;
        }
        for (size_t i = 0; i < inner; ++i) {
          const int64_t along = axis == rank - 1 ? 0 : static_cast<int64_t>(i);
          const int64_t at = WrapIndex(static_cast<int64_t>(index[row * inner + i]), x[axis]);
          to[row * inner + i] = from[base + along + at * steps[axis]];
        }
      }
    });
  }

  int64_t axis_;
};

class GatherND : public Kernel {
 public:
  explicit GatherND(const KernelInfo& info) : batch_dims_(info.Int("batch_dims", 0)) {
    Require(batch_dims_ >= 0, "attribute batch_dims=", batch_dims_, " must not be negative");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor indices = context.Input(1);
    Require(indices.type() == kTypeOf<int64_t>, "input indices must be int64");
    Require(indices.rank() >= 1 && x.rank() >= 1, "inputs must have at least rank 1");
    const auto batch = static_cast<size_t>(batch_dims_);
    const auto depth = indices.dim(indices.rank() - 1);
    Require(batch < indices.rank() && batch < x.rank(), "attribute batch_dims=", batch, " is too large for ranks ",
            x.rank(), " and ", indices.rank());
    Require(depth >= 1 && batch + static_cast<size_t>(depth) <= x.rank(), "the last dimension of indices is ", depth,
            ", data of rank ", x.rank(), " with batch_dims=", batch, " has no room for it");
    for (size_t i = 0; i < batch; ++i)
      Require(x.dim(i) == indices.dim(i), "batch dimension ", i, " is ", x.dim(i), " in data and ", indices.dim(i),
              " in indices");
    const size_t first = batch + static_cast<size_t>(depth);
    const Shape from_shape = x.shape();
    Shape shape(indices.dims().first(indices.rank() - 1));
    for (size_t i = first; i < x.rank(); ++i) shape.Append(from_shape[i]);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    ElementMover mover(context, x.type());
    const auto* from = static_cast<const uint8_t*>(mover.Input(x));
    auto* to = static_cast<uint8_t*>(mover.Output(y));
    const size_t piece = static_cast<size_t>(from_shape.Count(first, x.rank())) * mover.size();
    const auto batches = static_cast<size_t>(from_shape.Count(0, batch));
    const size_t tuples = indices.count() / static_cast<size_t>(depth);
    const size_t per_batch = tuples / batches;
    const auto plane = static_cast<size_t>(from_shape.Count(batch, first));
    const int64_t* index = indices.data<int64_t>();
    context.ParallelRange(tuples, std::max<size_t>(1, kGrainBytes / piece), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        size_t at = 0;
        for (size_t k = 0; k < static_cast<size_t>(depth); ++k) {
          const int64_t extent = from_shape[batch + k];
          at = at * static_cast<size_t>(extent) +
               static_cast<size_t>(WrapIndex(index[i * static_cast<size_t>(depth) + k], extent));
        }
        CopyPiece(to + i * piece, from + (i / per_batch * plane + at) * piece, piece);
      }
    });
    mover.Finish();
  }

 private:
  int64_t batch_dims_;
};

}  // namespace

void RegisterGather(KernelList& list) {
  list.Add({.op = "Gather", .types = {{"T", AllTypes()}, {"Tind", IndexTypes::Values()}}, .make = MakeKernel<Gather>});
  list.Add({.op = "GatherElements",
            .since = 11,
            .types = {{"T", AllTypes()}, {"Tind", IndexTypes::Values()}},
            .make = MakeKernel<GatherElements>});
  list.Add({.op = "GatherND", .since = 11, .types = {{"T", AllTypes()}}, .make = MakeKernel<GatherND>});
}

}  // namespace ortrun::cpu
