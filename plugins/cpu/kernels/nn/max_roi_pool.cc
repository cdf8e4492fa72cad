// SPDX-License-Identifier: Apache-2.0
// MaxRoiPool: the largest element in each cell of a grid over each region of interest (batch index, x1, y1, x2, y2).
#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

/// The cells along one axis of a region, in places of the input.
struct Cells {
  int64_t start;
  double size;
  int64_t extent;

  int64_t Begin(int64_t cell) const { return At(std::floor(static_cast<double>(cell) * size)); }
  int64_t End(int64_t cell) const { return At(std::ceil(static_cast<double>(cell + 1) * size)); }

 private:
  int64_t At(double offset) const { return std::clamp(start + static_cast<int64_t>(offset), int64_t{0}, extent); }
};

class MaxRoiPool : public Kernel {
 public:
  explicit MaxRoiPool(const KernelInfo& info)
      : pooled_(info.Ints("pooled_shape")), scale_(static_cast<double>(info.Float("spatial_scale", 1))) {
    Require(pooled_.size() == 2 && pooled_[0] >= 1 && pooled_[1] >= 1,
            "attribute pooled_shape must have two entries of 1 or more");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor rois = context.Input(1);
    Require(x.rank() == 4, "X must be [batch, channels, height, width], it has rank ", x.rank());
    Require(rois.rank() == 2 && rois.dim(1) == 5, "rois must be [number, 5]");
    const Shape shape{rois.dim(0), x.dim(1), pooled_[0], pooled_[1]};
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    DispatchType<Floats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      context.ParallelRange(static_cast<size_t>(rois.dim(0)), 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          Pool(x, rois.data<T>() + 5 * i, y.data<T>() + i * static_cast<size_t>(shape.Count(1, 4)));
      });
    });
  }

 private:
  Cells CellsOf(double first, double last, int64_t count, int64_t extent) const {
    constexpr double kLargest = 1e9;
    const double start = std::round(first * scale_);
    const double end = std::round(last * scale_);
    Require(std::abs(start) <= kLargest && std::abs(end) <= kLargest, "a region of interest reaches from ", first,
            " to ", last);
    const double length = std::max(end - start + 1, 1.0);
    return {static_cast<int64_t>(start), length / static_cast<double>(count), extent};
  }

  template <typename T>
  void Pool(const Tensor& x, const T* roi, T* y) const {
    const double image = static_cast<double>(roi[0]);
    Require(image >= 0 && image < static_cast<double>(x.dim(0)), "a region of interest is in image ", image, " of ",
            x.dim(0));
    const Cells columns = CellsOf(static_cast<double>(roi[1]), static_cast<double>(roi[3]), pooled_[1], x.dim(3));
    const Cells rows = CellsOf(static_cast<double>(roi[2]), static_cast<double>(roi[4]), pooled_[0], x.dim(2));
    const T* plane = x.data<T>() + static_cast<int64_t>(image) * x.dim(1) * x.dim(2) * x.dim(3);
    for (int64_t channel = 0; channel < x.dim(1); ++channel, plane += x.dim(2) * x.dim(3)) {
      for (int64_t row = 0; row < pooled_[0]; ++row) {
        for (int64_t column = 0; column < pooled_[1]; ++column) {
          T largest = std::numeric_limits<T>::lowest();
          bool empty = true;
          for (int64_t h = rows.Begin(row); h < rows.End(row); ++h) {
            for (int64_t w = columns.Begin(column); w < columns.End(column); ++w) {
              largest = std::max(largest, plane[h * x.dim(3) + w]);
              empty = false;
            }
          }
          *y++ = empty ? T{0} : largest;
        }
      }
    }
  }

  std::vector<int64_t> pooled_;
  double scale_;
};

}  // namespace

void RegisterMaxRoiPool(KernelList& list) {
  list.Add({.op = "MaxRoiPool", .types = {{"T", Floats::Values()}}, .make = MakeKernel<MaxRoiPool>});
  list.Add({.op = "MaxRoiPool", .types = {{"T", Halves::Values()}}, .make = MakeWidened<MaxRoiPool>});
}

}  // namespace ortrun::cpu
