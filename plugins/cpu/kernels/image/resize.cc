// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample, every version. Nearest serves each type as it lies in memory; linear and cubic compute in float
// for float and half types, else in double.
#include <algorithm>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/image/image.h"
#include "plugins/cpu/kernels/image/narrow.h"
#include "plugins/cpu/kernels/image/resize_geometry.h"
#include "plugins/cpu/kernels/image/resize_steps.h"
#include "plugins/cpu/kernels/nn/layout.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 16384;

class Resize : public Kernel {
 public:
  explicit Resize(const KernelInfo& info) : geometry_(info) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const ResizeAxes all = geometry_.Apply(context, x.shape());
    const std::span<const ResizeAxis> axes(all.data(), x.rank());
    Shape shape;
    for (const ResizeAxis& axis : axes) shape.Append(axis.out);
    const int64_t count = CheckedCount(shape.dims());
    int64_t bytes = 0;
    Require(!__builtin_mul_overflow(count, static_cast<int64_t>(ElementSize(x.type())), &bytes),
            "the resized tensor would have ", count, " elements, too many to address");
    Require(x.count() != 0 || count == 0, "an empty tensor cannot be resized to ", count, " elements");
    const Tensor y = context.Output(0, shape);
    if (!y || count == 0) return;
    DispatchType<Types>(x.type(), [&]<typename T>(std::type_identity<T>) { Run<T>(context, axes, x, y); });
  }

  using Types = NumbersAndHalf;

 private:
  template <typename T>
  void Run(KernelContext& context, std::span<const ResizeAxis> axes, const Tensor& x, const Tensor& y) const {
    const ResizeRules& rules = geometry_.rules();
    using W = Blend<T>;
    if (rules.mode == ResizeMode::kNearest) {
      const T fill = Narrow<T>(static_cast<W>(rules.extrapolation_value));
      ResizeNearest(context, rules, axes, x.raw(), &fill, y.raw(), sizeof(T));
    } else if constexpr (std::is_same_v<T, W>) {
      ResizeWeighted<W>(context, rules, axes, x.data<T>(), y.data<T>());
    } else {
      W* wide = context.Scratch<W>(x.count());
      W* result = context.Scratch<W>(y.count());
      context.ParallelRange(x.count(), kGrain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) wide[i] = static_cast<W>(x.data<T>()[i]);
      });
      ResizeWeighted<W>(context, rules, axes, wide, result);
      context.ParallelRange(y.count(), kGrain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) y.data<T>()[i] = Narrow<T>(result[i]);
      });
    }
  }

  ResizeGeometry geometry_;
};

}  // namespace

void RegisterResize(KernelList& list) {
  const std::vector<TypeRule> until_11 = {{"T", Resize::Types::Values()}};
  const std::vector<TypeRule> since_11 = {{"T1", Resize::Types::Values()}};
  list.Add({.op = "Upsample", .since = 7, .until = 9, .types = until_11, .make = MakeKernel<Resize>});
  list.Add({.op = "Resize", .since = 10, .until = 10, .types = until_11, .make = MakeKernel<Resize>});
  list.Add({.op = "Resize", .since = 11, .types = since_11, .make = MakeKernel<Resize>});
  // Scales, sizes and roi follow the order of the axes of the channels-last input.
  list.Add({.domain = kNhwcDomain,
            .op = "Resize",
            .since = 11,
            .types = {{"T1", TypeList<float>::Values()}},
            .make = MakeKernel<Resize>});
}

}  // namespace ortrun::cpu
