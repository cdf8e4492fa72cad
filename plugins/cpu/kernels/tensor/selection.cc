// SPDX-License-Identifier: Apache-2.0
// NonZero, Compress, Trilu, ReverseSequence.
#include <algorithm>
#include <cstring>
#include <vector>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class NonZero : public Kernel {
 public:
  explicit NonZero(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    // A scalar is seen as a list of one.
    const Shape shape = x.rank() == 0 ? Shape{1} : x.shape();
    std::vector<size_t> found;
    DispatchType<Types>(x.type(), [&]<typename T>(std::type_identity<T>) {
      for (size_t i = 0; i < x.count(); ++i)
        if (!(x.data<T>()[i] == T{})) found.push_back(i);
    });
    const Tensor y = context.Output(0, Shape{static_cast<int64_t>(shape.rank()), static_cast<int64_t>(found.size())});
    for (size_t i = 0; i < found.size(); ++i) {
      size_t rest = found[i];
      for (size_t axis = shape.rank(); axis-- > 0;) {
        const auto extent = static_cast<size_t>(shape[axis]);
        y.data<int64_t>()[axis * found.size() + i] = static_cast<int64_t>(rest % extent);
        rest /= extent;
      }
    }
  }

  using Types = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool,
                         Float16, BFloat16>;
};

class Compress : public Kernel {
 public:
  explicit Compress(const KernelInfo& info) : flat_(!info.HasAttribute("axis")), axis_(info.Int("axis", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor condition = context.Input(1);
    Require(condition.rank() == 1, "input condition must have rank 1");
    const size_t axis = flat_ ? 0 : NormalizeAxis(axis_, x.rank());
    const size_t extent = flat_ ? x.count() : static_cast<size_t>(x.dim(axis));
    std::vector<size_t> kept;
    for (size_t i = 0; i < condition.count(); ++i) {
      if (!condition.data<bool>()[i]) continue;
      Require(i < extent, "input condition selects index ", i, " of ", extent);
      kept.push_back(i);
    }
    Shape shape = flat_ ? Shape{0} : x.shape();
    const auto outer = flat_ ? size_t{1} : static_cast<size_t>(shape.Count(0, axis));
    const auto inner = flat_ ? size_t{1} : static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    shape[axis] = static_cast<int64_t>(kept.size());
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    ElementMover mover(context, x.type());
    const auto* from = static_cast<const uint8_t*>(mover.Input(x));
    auto* to = static_cast<uint8_t*>(mover.Output(y));
    const size_t piece = inner * mover.size();
    for (size_t o = 0; o < outer; ++o)
      for (size_t i = 0; i < kept.size(); ++i)
        std::memcpy(to + (o * kept.size() + i) * piece, from + (o * extent + kept[i]) * piece, piece);
    mover.Finish();
  }

 private:
  bool flat_;
  int64_t axis_;
};

class Trilu : public Kernel {
 public:
  explicit Trilu(const KernelInfo& info) : upper_(info.Int("upper", 1) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor given = context.OptionalInput(1);
    Require(x.rank() >= 2, "the input must have at least rank 2, it has ", x.rank());
    Require(!given || given.count() == 1, "input k must be a scalar");
    const int64_t rows = x.dim(x.rank() - 2);
    const int64_t columns = x.dim(x.rank() - 1);
    const int64_t k = given ? std::clamp(*given.data<int64_t>(), -rows - 1, columns + 1) : 0;
    const Tensor y = context.Output(0, x.dims());
    if (y.count() == 0) return;
    DispatchSize(ElementSize(x.type()), [&]<typename T>(std::type_identity<T>) {
      const auto lines = static_cast<int64_t>(x.count()) / columns;
      for (int64_t line = 0; line < lines; ++line) {
        const T* from = x.data<T>() + line * columns;
        T* to = y.data<T>() + line * columns;
        // Kept: columns from row + k on (upper), or up to and with row + k (lower).
        const int64_t edge = std::clamp<int64_t>(line % rows + k + (upper_ ? 0 : 1), 0, columns);
        if (upper_) {
          std::fill_n(to, edge, T{});
          std::copy(from + edge, from + columns, to + edge);
        } else {
          std::copy(from, from + edge, to);
          std::fill(to + edge, to + columns, T{});
        }
      }
    });
  }

 private:
  bool upper_;
};

class ReverseSequence : public Kernel {
 public:
  explicit ReverseSequence(const KernelInfo& info)
      : batch_axis_(info.Int("batch_axis", 1)), time_axis_(info.Int("time_axis", 0)) {
    Require(batch_axis_ + time_axis_ == 1 && batch_axis_ >= 0 && time_axis_ >= 0,
            "attributes batch_axis and time_axis must be 0 and 1 or 1 and 0");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor lengths = context.Input(1);
    Require(x.rank() >= 2, "the input must have at least rank 2, it has ", x.rank());
    const int64_t batches = x.dim(static_cast<size_t>(batch_axis_));
    const int64_t times = x.dim(static_cast<size_t>(time_axis_));
    Require(lengths.rank() == 1 && lengths.dim(0) == batches, "input sequence_lens must have ", batches, " entries");
    const Tensor y = context.Output(0, x.dims());
    if (y.count() == 0) return;
    ElementMover mover(context, x.type());
    const auto* from = static_cast<const uint8_t*>(mover.Input(x));
    auto* to = static_cast<uint8_t*>(mover.Output(y));
    const size_t piece = static_cast<size_t>(x.shape().Count(2, x.rank())) * mover.size();
    const auto place = [&](int64_t batch, int64_t time) {
      return static_cast<size_t>(batch_axis_ == 0 ? batch * times + time : time * batches + batch) * piece;
    };
    for (int64_t batch = 0; batch < batches; ++batch) {
      const int64_t length = lengths.data<int64_t>()[batch];
      Require(length >= 0 && length <= times, "input sequence_lens has ", length, ", the sequence has ", times);
      for (int64_t time = 0; time < times; ++time)
        std::memcpy(to + place(batch, time), from + place(batch, time < length ? length - 1 - time : time), piece);
    }
    mover.Finish();
  }

 private:
  int64_t batch_axis_;
  int64_t time_axis_;
};

}  // namespace

void RegisterSelection(KernelList& list) {
  list.Add({.op = "NonZero", .since = 9, .types = {{"T", NonZero::Types::Values()}}, .make = MakeKernel<NonZero>});
  list.Add({.op = "Compress", .since = 9, .types = {{"T", AllTypes()}}, .make = MakeKernel<Compress>});
  list.Add({.op = "Trilu", .since = 14, .types = {{"T", FixedSizeTypes()}}, .make = MakeKernel<Trilu>});
  list.Add({.op = "ReverseSequence", .since = 10, .types = {{"T", AllTypes()}}, .make = MakeKernel<ReverseSequence>});
}

}  // namespace ortrun::cpu
