// SPDX-License-Identifier: Apache-2.0
// Shape and Size.
#include <algorithm>
#include <limits>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class ShapeOf : public Kernel {
 public:
  explicit ShapeOf(const KernelInfo& info)
      : start_(info.Int("start", 0)), end_(info.Int("end", std::numeric_limits<int64_t>::max())) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const auto rank = static_cast<int64_t>(x.rank());
    const auto clamp = [rank](int64_t axis) { return std::clamp(axis < 0 ? axis + rank : axis, int64_t{0}, rank); };
    const int64_t first = clamp(start_);
    const int64_t last = std::max(first, clamp(end_));
    const Tensor y = context.Output(0, Shape{last - first});
    std::copy(x.dims().begin() + first, x.dims().begin() + last, y.data<int64_t>());
  }

 private:
  int64_t start_;
  int64_t end_;
};

class Size : public Kernel {
 public:
  explicit Size(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    *context.Output(0, Shape{}).data<int64_t>() = static_cast<int64_t>(x.count());
  }
};

}  // namespace

void RegisterShape(KernelList& list) {
  list.Add({.op = "Shape", .types = {{"T", StoredTypes()}}, .make = MakeKernel<ShapeOf>});
  list.Add({.op = "Size", .types = {{"T", StoredTypes()}}, .make = MakeKernel<Size>});
}

}  // namespace ortrun::cpu
