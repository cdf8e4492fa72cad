// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/strided_copy.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class Slice : public Kernel {
 public:
  explicit Slice(const KernelInfo& info) : by_input_(info.SinceVersion() >= 10) {
    if (by_input_) return;
    starts_ = info.Ints("starts");
    ends_ = info.Ints("ends");
    axes_ = info.Ints("axes");
    Require(starts_.size() == ends_.size(), "attributes starts and ends differ in length");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    if (!by_input_) return Run(context, x, starts_, ends_, axes_, {});
    const Tensor axes = context.OptionalInput(3);
    const Tensor steps = context.OptionalInput(4);
    Run(context, x, ReadIntegers(context.Input(1)), ReadIntegers(context.Input(2)),
        axes ? ReadIntegers(axes) : std::vector<int64_t>{}, steps ? ReadIntegers(steps) : std::vector<int64_t>{});
  }

 private:
  static void Run(KernelContext& context, const Tensor& x, const std::vector<int64_t>& starts,
                  const std::vector<int64_t>& ends, const std::vector<int64_t>& axes,
                  const std::vector<int64_t>& steps) {
    const size_t count = starts.size();
    Require(ends.size() == count && (axes.empty() || axes.size() == count) && (steps.empty() || steps.size() == count),
            "starts, ends, axes and steps must have the same length");
    Require(!axes.empty() || count <= x.rank(), count, " starts for an input of rank ", x.rank());
    Shape shape = x.shape();
    Shape strides = shape;
    int64_t stride = 1;
    for (size_t axis = x.rank(); axis-- > 0;) {
      strides[axis] = stride;
      stride *= x.dim(axis);
    }
    std::array<bool, Shape::kMaxRank> seen{};
    int64_t offset = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t axis = NormalizeAxis(axes.empty() ? static_cast<int64_t>(i) : axes[i], x.rank());
      Require(!seen[axis], "axis ", axis, " is named twice");
      seen[axis] = true;
      const int64_t step = steps.empty() ? 1 : steps[i];
      Require(step != 0 && step != std::numeric_limits<int64_t>::min(), "input steps has the invalid step ", step);
      const int64_t extent = x.dim(axis);
      const auto wrap = [extent](int64_t at) { return at < 0 ? at + extent : at; };
      const int64_t first =
          std::clamp(wrap(starts[i]), int64_t{0}, step > 0 ? extent : std::max<int64_t>(extent - 1, 0));
      const int64_t last = step > 0 ? std::clamp(wrap(ends[i]), int64_t{0}, extent)
                                    : std::clamp(wrap(ends[i]), int64_t{-1}, std::max<int64_t>(extent - 1, -1));
      const int64_t span = step > 0 ? last - first : first - last;
      const int64_t size = step > 0 ? step : -step;
      shape[axis] = extent == 0 || span <= 0 ? 0 : (span - 1) / size + 1;
      if (shape[axis] > 0) offset += first * strides[axis];
      strides[axis] = shape[axis] > 1 ? strides[axis] * step : strides[axis];
    }
    const Tensor y = context.Output(0, shape);
    ElementMover mover(context, x.type());
    const auto* from = static_cast<const uint8_t*>(mover.Input(x));
    void* to = mover.Output(y);
    if (y.count() != 0)
      StridedCopy(context, from + static_cast<size_t>(offset) * mover.size(), to, shape.dims(), strides.dims(),
                  mover.size());
    mover.Finish();
  }

  bool by_input_;
  std::vector<int64_t> starts_;
  std::vector<int64_t> ends_;
  std::vector<int64_t> axes_;
};

}  // namespace

void RegisterSlice(KernelList& list) {
  list.Add({.op = "Slice", .types = {{"T", AllTypes()}}, .make = MakeKernel<Slice>});
}

}  // namespace ortrun::cpu
