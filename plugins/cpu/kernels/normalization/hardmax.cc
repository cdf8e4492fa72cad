// SPDX-License-Identifier: Apache-2.0
// Hardmax: 1 for the first largest element along an axis, 0 for the others. Until version 13 the input is seen as a
// matrix cut at `axis`.
#include <algorithm>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {
namespace {

class Hardmax : public Kernel {
 public:
  explicit Hardmax(const KernelInfo& info)
      : flattens_(info.SinceVersion() < 13), axis_(info.Int("axis", flattens_ ? 1 : -1)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Shape shape = x.shape();
    const Tensor y = context.Output(0, shape);
    if (x.count() == 0) return;
    // A row may begin behind the last axis: every element is a row of its own then.
    const bool last = flattens_ && axis_ == static_cast<int64_t>(shape.rank());
    const size_t axis = last || shape.rank() == 0 ? shape.rank() : NormalizeAxis(axis_, shape.rank());
    const bool whole = flattens_ || axis == shape.rank();
    const auto n = static_cast<size_t>(whole ? shape.Count(axis, shape.rank()) : shape[axis]);
    const auto inner = static_cast<size_t>(whole ? 1 : shape.Count(axis + 1, shape.rank()));
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      std::fill_n(y.data<T>(), y.count(), static_cast<T>(0.0F));
      for (size_t line = 0; line < x.count() / n; ++line) {
        const size_t at = line / inner * n * inner + line % inner;
        size_t largest = at;
        for (size_t i = 1; i < n; ++i)
          if (x.data<T>()[at + i * inner] > x.data<T>()[largest]) largest = at + i * inner;
        y.data<T>()[largest] = static_cast<T>(1.0F);
      }
    });
  }

 private:
  bool flattens_;
  int64_t axis_;
};

}  // namespace

void RegisterHardmax(KernelList& list) {
  list.Add({.op = "Hardmax", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<Hardmax>});
}

}  // namespace ortrun::cpu
