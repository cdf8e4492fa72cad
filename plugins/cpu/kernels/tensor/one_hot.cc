// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class OneHot : public Kernel {
 public:
  explicit OneHot(const KernelInfo& info) : axis_(info.Int("axis", -1)) {}

  void Compute(KernelContext& context) const override {
    const Tensor indices = context.Input(0);
    const Tensor depth_input = context.Input(1);
    const Tensor values = context.Input(2);
    Require(depth_input.count() == 1, "input depth must be a scalar");
    Require(values.rank() == 1 && values.count() == 2, "input values must be [off, on]");
    const int64_t depth = AsInteger(depth_input, 0);
    Require(depth >= 0, "input depth=", depth, " must not be negative");
    const size_t axis = NormalizeAxis(axis_, indices.rank() + 1);
    Shape shape;
    for (size_t i = 0; i < axis; ++i) shape.Append(indices.dim(i));
    shape.Append(depth);
    for (size_t i = axis; i < indices.rank(); ++i) shape.Append(indices.dim(i));
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    ElementMover mover(context, values.type());
    const void* pair = mover.Input(values);
    void* to = mover.Output(y);
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    DispatchSize(mover.size(), [&]<typename T>(std::type_identity<T>) {
      T* out = static_cast<T*>(to);
      const T* off_on = static_cast<const T*>(pair);
      std::fill_n(out, y.count(), off_on[0]);
      for (size_t i = 0; i < indices.count(); ++i) {
        int64_t at = AsInteger(indices, i);
        if (at < 0) at += depth;
        if (at < 0 || at >= depth) continue;  // out of range: the whole line is off, as the standard says
        out[(i / inner * static_cast<size_t>(depth) + static_cast<size_t>(at)) * inner + i % inner] = off_on[1];
      }
    });
    mover.Finish();
  }

 private:
  static int64_t AsInteger(const Tensor& tensor, size_t index) {
    int64_t value = -1;
    DispatchType<NumbersAndHalf>(tensor.type(), [&]<typename T>(std::type_identity<T>) {
      const T given = tensor.data<T>()[index];
      if constexpr (!std::is_integral_v<T>) {
        const auto number = static_cast<double>(given);
        Require(std::abs(number) < 1e15, "the number ", number, " is no index");
        value = static_cast<int64_t>(number);
      } else if constexpr (std::is_same_v<T, uint64_t>) {
        value = static_cast<int64_t>(std::min<uint64_t>(given, uint64_t{1} << 62));
      } else {
        value = static_cast<int64_t>(given);
      }
    });
    return value;
  }

  int64_t axis_;
};

}  // namespace

void RegisterOneHot(KernelList& list) {
  list.Add({.op = "OneHot",
            .since = 9,
            .types = {{"T1", NumbersAndHalf::Values()}, {"T2", NumbersAndHalf::Values()}, {"T3", AllTypes()}},
            .make = MakeKernel<OneHot>});
}

}  // namespace ortrun::cpu
