// SPDX-License-Identifier: Apache-2.0
// MaxUnpool: puts each element where MaxPool found it, zeros elsewhere. The indices count in the shape that the window
// attributes infer; a larger output_shape takes that as its corner.
#include <algorithm>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/nn.h"
#include "plugins/cpu/kernels/nn/spatial.h"

namespace ortrun::cpu {
namespace {

class MaxUnpool : public Kernel {
 public:
  explicit MaxUnpool(const KernelInfo& info) : window_(info), kernel_(info.Ints("kernel_shape")) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor indices = context.Input(1);
    const Tensor wanted = context.OptionalInput(2);
    Require(x.rank() == kernel_.size() + 2, "attribute kernel_shape has ", kernel_.size(),
            " entries for an input of rank ", x.rank());
    Require(indices.shape() == x.shape(), "the indices must have the shape of X");
    const Shape inferred = InferredShape(x.shape());
    Shape shape = inferred;
    if (wanted) {
      Require(wanted.rank() == 1, "input output_shape must have rank 1");
      shape = Shape(ReadIntegers(wanted));
      Require(shape.rank() == inferred.rank(), "input output_shape has ", shape.rank(), " entries, X has rank ",
              inferred.rank());
      for (size_t i = 0; i < shape.rank(); ++i)
        Require(shape[i] >= inferred[i], "input output_shape has ", shape[i], " along axis ", i, ", at least ",
                inferred[i], " are needed");
    }
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      std::fill_n(y.data<T>(), y.count(), T{});
      const int64_t count = inferred.Count();
      for (size_t i = 0; i < x.count(); ++i) {
        const int64_t index = indices.data<int64_t>()[i];
        Require(index >= 0 && index < count, "index ", index, " lies outside an output of ", count, " elements");
        y.data<T>()[Place(index, inferred, shape)] = x.data<T>()[i];
      }
    });
  }

 private:
  Shape InferredShape(const Shape& x) const {
    const size_t axes = kernel_.size();
    const auto entry = [](const std::vector<int64_t>& values, size_t i, int64_t otherwise) {
      return i < values.size() ? values[i] : otherwise;
    };
    Require(window_.strides().empty() || window_.strides().size() == axes, "attribute strides has ",
            window_.strides().size(), " entries for ", axes, " axes");
    Require(window_.pads().empty() || window_.pads().size() == 2 * axes, "attribute pads has ", window_.pads().size(),
            " entries for ", axes, " axes");
    Shape shape = x;
    for (size_t i = 0; i < axes; ++i) {
      int64_t reach = 0;
      Require(!__builtin_mul_overflow(x[i + 2] - 1, entry(window_.strides(), i, 1), &reach), "the output is too large");
      shape[i + 2] = reach - entry(window_.pads(), i, 0) - entry(window_.pads(), axes + i, 0) + kernel_[i];
      Require(shape[i + 2] >= 0, "the pads remove more than spatial axis ", i, " has");
    }
    CheckedCount(shape.dims());
    return shape;
  }

  static int64_t Place(int64_t index, const Shape& from, const Shape& to) {
    int64_t place = 0;
    int64_t step = 1;
    for (size_t axis = from.rank(); axis-- > 0;) {
      place += index % from[axis] * step;
      index /= from[axis];
      step *= to[axis];
    }
    return place;
  }

  WindowAttributes window_;
  std::vector<int64_t> kernel_;
};

}  // namespace

void RegisterMaxUnpool(KernelList& list) {
  const std::vector<TypeRule> types = {{"T1", AllFloats::Values()}};
  list.Add({.op = "MaxUnpool", .since = 9, .types = types, .make = MakeKernel<MaxUnpool>});
}

}  // namespace ortrun::cpu
