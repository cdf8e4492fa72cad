// SPDX-License-Identifier: Apache-2.0
// GroupNormalization and InstanceNormalization, whose groups are single channels: each group of channels of each
// example is brought to mean 0 and variance 1, then scaled and shifted.
#include <algorithm>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/normalization/double_rows.h"
#include "plugins/cpu/kernels/normalization/float_rows.h"
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< elements that pay for handing a task to another thread

struct Groups {
  size_t rows;      ///< batch * groups
  size_t groups;    ///< of one example
  size_t channels;  ///< of one group
  size_t inner;
  bool scale_per_group;
};

void Affine(const float* x, float centre, float factor, float offset, float* y, size_t n) {
  AffineRow(x, centre, factor, offset, y, n);
}
void Affine(const double* x, double centre, double factor, double offset, double* y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = (x[i] - centre) * factor + offset;
}

RowStatistics Measure(const float* x, float epsilon, size_t n) { return MeasureRow(x, epsilon, n); }
DoubleStatistics Measure(const double* x, float epsilon, size_t n) {
  return MeasureDoubles(x, true, static_cast<double>(epsilon), n);
}

template <typename T>
void NormalizeGroups(const KernelContext& context, const Groups& g, float epsilon, const T* x, const T* scale,
                     const T* bias, T* y) {
  const size_t n = g.channels * g.inner;
  context.ParallelRange(g.rows, std::max<size_t>(1, kGrain / n), [=](size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
      const auto found = Measure(x + row * n, epsilon, n);
      const size_t group = row % g.groups;
      for (size_t c = 0; c < g.channels; ++c) {
        const size_t at = g.scale_per_group ? group : group * g.channels + c;
        const size_t offset = row * n + c * g.inner;
        const T factor = scale[at] * found.inverse_std;
        Affine(x + offset, found.mean, factor, bias[at] - found.mean_rest * factor, y + offset, g.inner);
      }
    }
  });
}

template <bool kInstance>
class GroupNormalization : public Kernel {
 public:
  explicit GroupNormalization(const KernelInfo& info)
      : epsilon_(info.Float("epsilon", 1e-5F)),
        scale_per_group_(!kInstance && info.SinceVersion() < 21),
        groups_(kInstance ? 0 : info.Int("num_groups")) {
    Require(kInstance || groups_ >= 1, "attribute num_groups=", groups_, " must be at least 1");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor scale = context.Input(1);
    const Tensor bias = context.Input(2);
    Require(x.rank() >= 2, "the input needs batch and channels, it has rank ", x.rank());
    const Shape shape = x.shape();
    const int64_t groups = kInstance ? shape[1] : groups_;
    Require(groups == 0 || shape[1] % groups == 0, "the input's ", shape[1],
            " channels do not divide into num_groups=", groups);
    const auto wanted = static_cast<size_t>(scale_per_group_ ? groups : shape[1]);
    Require(scale.count() == wanted && bias.count() == wanted, "scale and bias have ", scale.count(), " and ",
            bias.count(), " elements, ", wanted, " are needed");
    Require(scale.type() == x.type() && bias.type() == x.type(), "scale and bias must have the input's type");
    const Tensor y = context.Output(0, shape);
    if (x.count() == 0) return;
    const Groups g{static_cast<size_t>(shape[0] * groups), static_cast<size_t>(groups),
                   static_cast<size_t>(shape[1] / groups), static_cast<size_t>(shape.Count(2, shape.rank())),
                   scale_per_group_};
    if (x.type() == kTypeOf<double>)
      return NormalizeGroups(context, g, epsilon_, x.data<double>(), scale.data<double>(), bias.data<double>(),
                             y.data<double>());
    const FloatOutput to(context, y);
    NormalizeGroups(context, g, epsilon_, ReadFloats(context, x), ReadFloats(context, scale), ReadFloats(context, bias),
                    to.data());
    to.Finish();
  }

 private:
  float epsilon_;
  bool scale_per_group_;
  int64_t groups_;
};

}  // namespace

void RegisterGroupNormalization(KernelList& list) {
  const std::vector<TypeRule> types = {{"T", AllFloats::Values()}};
  list.Add({.op = "GroupNormalization", .since = 18, .types = types, .make = MakeKernel<GroupNormalization<false>>});
  list.Add({.op = "InstanceNormalization", .types = types, .make = MakeKernel<GroupNormalization<true>>});
}

}  // namespace ortrun::cpu
