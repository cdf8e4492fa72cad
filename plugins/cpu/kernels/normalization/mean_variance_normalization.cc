// SPDX-License-Identifier: Apache-2.0
// MeanVarianceNormalization: y = (x - mean) / (standard deviation + 1e-9), both taken over `axes`.
#include <algorithm>
#include <array>
#include <cmath>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {
namespace {

/// Walks a tensor in runs of neighbouring elements that belong to one group, or to groups that follow each other.
class GroupWalk {
 public:
  GroupWalk(const Shape& shape, const std::vector<int64_t>& axes) : shape_(shape) {
    for (size_t& step : steps_) step = 1;
    for (int64_t axis : axes) steps_[NormalizeAxis(axis, shape.rank())] = 0;
    for (size_t axis = shape.rank(); axis-- > 0;) {
      const bool kept = steps_[axis] != 0;
      if (kept) steps_[axis] = groups_;
      if (kept) groups_ *= static_cast<size_t>(shape[axis]);
    }
    const size_t rank = shape.rank();
    if (rank != 0) run_ = static_cast<size_t>(shape[rank - 1]);
    run_step_ = rank == 0 ? 0 : steps_[rank - 1];
  }

  size_t groups() const { return groups_; }

  /// Calls body(offset, length, first group, step from group to group).
  template <typename Body>
  void ForEachRun(const Body& body) const {
    const size_t outer = shape_.rank() == 0 ? 1 : static_cast<size_t>(shape_.Count(0, shape_.rank() - 1));
    std::array<int64_t, Shape::kMaxRank> at{};
    size_t group = 0;
    for (size_t i = 0; i < outer; ++i) {
      body(i * run_, run_, group, run_step_);
      for (size_t axis = shape_.rank() - std::min<size_t>(1, shape_.rank()); axis-- > 0;) {
        group += steps_[axis];
        if (++at[axis] < shape_[axis]) break;
        group -= static_cast<size_t>(at[axis]) * steps_[axis];
        at[axis] = 0;
      }
    }
  }

 private:
  Shape shape_;
  std::array<size_t, Shape::kMaxRank> steps_{};
  size_t groups_ = 1;
  size_t run_ = 1;
  size_t run_step_ = 0;
};

class MeanVarianceNormalization : public Kernel {
 public:
  explicit MeanVarianceNormalization(const KernelInfo& info) : axes_(info.Ints("axes")) {
    if (axes_.empty()) axes_ = {0, 2, 3};
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const GroupWalk walk(x.shape(), axes_);
    const Tensor y = context.Output(0, x.dims());
    if (x.count() == 0) return;
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      double* mean = context.Scratch<double>(walk.groups());
      double* inverse = context.Scratch<double>(walk.groups());
      double* origin = context.Scratch<double>(walk.groups());
      Normalize(walk, x.count() / walk.groups(), x.data<T>(), origin, mean, inverse, y.data<T>());
    });
  }

 private:
  template <typename T>
  static void Normalize(const GroupWalk& walk, size_t members, const T* x, double* origin, double* mean,
                        double* inverse, T* y) {
    const auto n = static_cast<double>(members);
    // The mean is taken around an element of the group, so that a group of one value has exactly that mean.
    walk.ForEachRun([=](size_t offset, size_t length, size_t group, size_t step) {
      for (size_t i = 0; i < length; ++i) origin[group + i * step] = static_cast<double>(x[offset + i]);
    });
    std::fill_n(mean, walk.groups(), 0.0);
    std::fill_n(inverse, walk.groups(), 0.0);
    walk.ForEachRun([=](size_t offset, size_t length, size_t group, size_t step) {
      for (size_t i = 0; i < length; ++i) {
        const size_t g = group + i * step;
        mean[g] += static_cast<double>(x[offset + i]) - origin[g];
      }
    });
    for (size_t g = 0; g < walk.groups(); ++g) mean[g] = origin[g] + mean[g] / n;
    walk.ForEachRun([=](size_t offset, size_t length, size_t group, size_t step) {
      for (size_t i = 0; i < length; ++i) {
        const double away = static_cast<double>(x[offset + i]) - mean[group + i * step];
        inverse[group + i * step] += away * away;
      }
    });
    for (size_t g = 0; g < walk.groups(); ++g) inverse[g] = 1 / (std::sqrt(inverse[g] / n) + 1e-9);
    walk.ForEachRun([=](size_t offset, size_t length, size_t group, size_t step) {
      using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
      for (size_t i = 0; i < length; ++i) {
        const size_t g = group + i * step;
        y[offset + i] = static_cast<T>(static_cast<Wide>((static_cast<double>(x[offset + i]) - mean[g]) * inverse[g]));
      }
    });
  }

  std::vector<int64_t> axes_;
};

}  // namespace

void RegisterMeanVarianceNormalization(KernelList& list) {
  list.Add({.op = "MeanVarianceNormalization",
            .types = {{"T", AllFloats::Values()}},
            .make = MakeKernel<MeanVarianceNormalization>});
}

}  // namespace ortrun::cpu
