// SPDX-License-Identifier: Apache-2.0
// MaxPool (with indices), AveragePool, LpPool over one to three spatial axes of channels-first data.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/nn.h"
#include "plugins/cpu/kernels/nn/spatial.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;

/// The input places that one output place sees along one axis: start + i * dilation for i in [first, last).
struct Reach {
  int64_t start;
  int64_t first;
  int64_t last;

  Reach(const WindowGeometry& g, size_t axis, int64_t out) {
    start = out * g.stride[axis] - g.pad_begin[axis];
    const int64_t dilation = g.dilation[axis];
    first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    last = start >= g.in[axis] ? 0 : std::min(g.kernel[axis], (g.in[axis] - start - 1) / dilation + 1);
    last = std::max(last, first);
  }
};

/// Calls body(offset) for each input place inside the image that an output place sees, in rising order.
template <typename Body>
void ForEachPlace(const WindowGeometry& g, const Reach& depth, const Reach& height, const Reach& width, const Body& body) {
  for (int64_t kd = depth.first; kd < depth.last; ++kd)
    for (int64_t kh = height.first; kh < height.last; ++kh) {
      const int64_t row = ((depth.start + kd * g.dilation[0]) * g.in[1] + height.start + kh * g.dilation[1]) * g.in[2];
      for (int64_t kw = width.first; kw < width.last; ++kw) body(row + width.start + kw * g.dilation[2]);
    }
}

/// Calls body(plane, out_index, depth, height, width) for every place of the output, planes on several threads.
template <typename Body>
void ForEachOutput(const KernelContext& context, const WindowGeometry& g, size_t planes, const Body& body) {
  const auto out = static_cast<size_t>(WindowGeometry::Count(g.out));
  const auto work = out * static_cast<size_t>(WindowGeometry::Count(g.kernel));
  context.ParallelRange(planes, std::max<size_t>(1, kGrain / std::max<size_t>(1, work)), [&](size_t begin, size_t end) {
    for (size_t plane = begin; plane < end; ++plane) {
      size_t index = plane * out;
      for (int64_t od = 0; od < g.out[0]; ++od) {
        const Reach depth(g, 0, od);
        for (int64_t oh = 0; oh < g.out[1]; ++oh) {
          const Reach height(g, 1, oh);
          for (int64_t ow = 0; ow < g.out[2]; ++ow, ++index) body(plane, index, depth, height, Reach(g, 2, ow));
        }
      }
    }
  });
}

/// What all pools share: the window, the shape of the output, the number of planes.
class Pool : public Kernel {
 public:
  explicit Pool(const KernelInfo& info) : window_(info) {
    Require(window_.has_kernel(), "attribute kernel_shape is missing");
  }

 protected:
  WindowGeometry Geometry(const Tensor& x) const {
    Require(x.rank() >= 3, "a pool needs an input of rank 3 or more, it has ", x.rank());
    return window_.Apply(x.dims().subspan(2));
  }
  static Shape OutputShape(const Tensor& x, const WindowGeometry& g) {
    Shape shape{x.dim(0), x.dim(1)};
    for (size_t i = 2; i < x.rank(); ++i) shape.Append(g.out[WindowGeometry::kAxes - x.rank() + i]);
    return shape;
  }
  static size_t Planes(const Tensor& x) { return static_cast<size_t>(x.dim(0) * x.dim(1)); }

 private:
  WindowAttributes window_;
};

using MaxPoolTypes = TypeList<float, double, int8_t, uint8_t, Float16, BFloat16>;

class MaxPool : public Pool {
 public:
  explicit MaxPool(const KernelInfo& info) : Pool(info), column_major_(info.Int("storage_order", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const WindowGeometry g = Geometry(x);
    const Shape shape = OutputShape(x, g);
    const Tensor y = context.Output(0, shape);
    const Tensor indices = context.OutputCount() > 1 ? context.Output(1, shape) : Tensor();
    DispatchType<MaxPoolTypes>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const auto plane_size = static_cast<size_t>(WindowGeometry::Count(g.in));
      int64_t* places = indices ? indices.data<int64_t>() : nullptr;
      ForEachOutput(context, g, Planes(x), [&](size_t plane, size_t index, const Reach& d, const Reach& h, const Reach& w) {
        const T* from = x.data<T>() + plane * plane_size;
        int64_t best = -1;
        T most = Lowest<T>();
        ForEachPlace(g, d, h, w, [&](int64_t at) {
          if (best < 0 || from[at] > most || from[at] != from[at]) {
            most = from[at];
            best = at;
          }
        });
        y.data<T>()[index] = most;
        if (places != nullptr)
          places[index] = static_cast<int64_t>(plane * plane_size) + (column_major_ ? ColumnMajor(g, best) : best);
      });
    });
  }

 private:
  template <typename T>
  static T Lowest() {
    if constexpr (std::is_integral_v<T>)
      return std::numeric_limits<T>::min();
    else
      return static_cast<T>(-std::numeric_limits<float>::infinity());
  }

  static int64_t ColumnMajor(const WindowGeometry& g, int64_t place) {
    const int64_t w = place % g.in[2];
    const int64_t h = place / g.in[2] % g.in[1];
    const int64_t d = place / (g.in[2] * g.in[1]);
    return (w * g.in[1] + h) * g.in[0] + d;
  }

  bool column_major_;
};

class AveragePool : public Pool {
 public:
  explicit AveragePool(const KernelInfo& info) : Pool(info), with_pad_(info.Int("count_include_pad", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const WindowGeometry g = Geometry(x);
    const Tensor y = context.Output(0, OutputShape(x, g));
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
      const auto plane_size = static_cast<size_t>(WindowGeometry::Count(g.in));
      ForEachOutput(context, g, Planes(x), [&](size_t plane, size_t index, const Reach& d, const Reach& h, const Reach& w) {
        const T* from = x.data<T>() + plane * plane_size;
        Sum sum{0};
        ForEachPlace(g, d, h, w, [&](int64_t at) { sum += static_cast<Sum>(from[at]); });
        const int64_t count = with_pad_ ? Padded(g, 0, d) * Padded(g, 1, h) * Padded(g, 2, w)
                                        : (d.last - d.first) * (h.last - h.first) * (w.last - w.first);
        y.data<T>()[index] = static_cast<T>(count > 0 ? sum / static_cast<Sum>(count) : Sum{0});
      });
    });
  }

 private:
  /// Places of a window that lie in the padded image: with ceil_mode its end may hang over.
  static int64_t Padded(const WindowGeometry& g, size_t axis, const Reach& reach) {
    const int64_t end = g.in[axis] + g.pad_end[axis];
    return std::min(g.kernel[axis], (end - reach.start - 1) / g.dilation[axis] + 1);
  }

  bool with_pad_;
};

class LpPool : public Pool {
 public:
  explicit LpPool(const KernelInfo& info)
      : Pool(info), p_(info.SinceVersion() == 1 ? info.Float("p", 2) : static_cast<float>(info.Int("p", 2))) {
    Require(p_ > 0, "attribute p=", p_, " must be positive");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const WindowGeometry g = Geometry(x);
    const Tensor y = context.Output(0, OutputShape(x, g));
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
      const auto p = static_cast<Sum>(p_);
      const auto plane_size = static_cast<size_t>(WindowGeometry::Count(g.in));
      ForEachOutput(context, g, Planes(x), [&](size_t plane, size_t index, const Reach& d, const Reach& h, const Reach& w) {
        const T* from = x.data<T>() + plane * plane_size;
        Sum sum{0};
        ForEachPlace(g, d, h, w, [&](int64_t at) { sum += std::pow(std::abs(static_cast<Sum>(from[at])), p); });
        y.data<T>()[index] = static_cast<T>(std::pow(sum, 1 / p));
      });
    });
  }

 private:
  float p_;
};

}  // namespace

void RegisterPools(KernelList& list) {
  list.Add({.op = "MaxPool", .types = {{"T", MaxPoolTypes::Values()}}, .make = MakeKernel<MaxPool>});
  list.Add({.op = "AveragePool", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<AveragePool>});
  list.Add({.op = "LpPool", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<LpPool>});
}

}  // namespace ortrun::cpu
