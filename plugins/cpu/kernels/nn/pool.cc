// SPDX-License-Identifier: Apache-2.0
// MaxPool (with indices), AveragePool, LpPool over one to three spatial axes of channels-first data; the first two on
// channels-last data too.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/conv/pool.h"
#include "plugins/cpu/kernels/common/context_parallel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/layout.h"
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
void ForEachPlace(const WindowGeometry& g, const Reach& depth, const Reach& height, const Reach& width,
                  const Body& body) {
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

/// What all pools share: the window and the shape of the output.
template <ConvLayout kLayout>
class Pool : public Kernel {
 public:
  explicit Pool(const KernelInfo& info) : window_(info) {
    Require(window_.has_kernel(), "attribute kernel_shape is missing");
  }

 protected:
  static constexpr bool kChannelsLast = kLayout == ConvLayout::kNhwc;

  WindowGeometry Geometry(const Tensor& x) const {
    Require(x.rank() >= 3, "a pool needs an input of rank 3 or more, it has ", x.rank());
    return window_.Apply(x.dims().subspan(kChannelsLast ? 1 : 2, x.rank() - 2));
  }
  static int64_t Channels(const Tensor& x) { return x.dim(kChannelsLast ? x.rank() - 1 : 1); }
  static Shape OutputShape(const Tensor& x, const WindowGeometry& g) {
    Shape shape{x.dim(0)};
    if (!kChannelsLast) shape.Append(x.dim(1));
    for (size_t i = 2; i < x.rank(); ++i) shape.Append(g.out[WindowGeometry::kAxes - x.rank() + i]);
    if (kChannelsLast) shape.Append(Channels(x));
    return shape;
  }
  static size_t Planes(const Tensor& x) { return static_cast<size_t>(x.dim(0) * Channels(x)); }

  /// Floats over two spatial axes have loops of their own.
  static bool HasPlaneLoop(const Tensor& x) { return x.type() == kTypeOf<float> && x.rank() <= 4; }
  static void RunPlane(const KernelContext& context, PoolKind kind, const WindowGeometry& g, const Tensor& x,
                       const Tensor& y) {
    const auto size = [](int64_t value) { return static_cast<size_t>(value); };
    Pool2dShape shape;
    shape.layout = kLayout;
    shape.batch = size(x.dim(0));
    shape.channels = size(Channels(x));
    shape.in_height = size(g.in[1]);
    shape.in_width = size(g.in[2]);
    shape.out_height = size(g.out[1]);
    shape.out_width = size(g.out[2]);
    shape.kernel_height = size(g.kernel[1]);
    shape.kernel_width = size(g.kernel[2]);
    shape.stride_height = size(g.stride[1]);
    shape.stride_width = size(g.stride[2]);
    shape.dilation_height = size(g.dilation[1]);
    shape.dilation_width = size(g.dilation[2]);
    shape.pad_top = size(g.pad_begin[1]);
    shape.pad_left = size(g.pad_begin[2]);
    shape.pad_bottom = size(g.pad_end[1]);
    shape.pad_right = size(g.pad_end[2]);
    Pool2d(kind, shape, x.data<float>(), y.data<float>(), ParallelOf(context));
  }

  /// Calls body(from, to) with channels-first data, whatever the layout of the tensors.
  template <typename T, typename Body>
  static void WithChannelsFirst(KernelContext& context, const Tensor& x, const Tensor& y, const Body& body) {
    if constexpr (!kChannelsLast) {
      body(static_cast<const T*>(x.data<T>()), y.data<T>());
    } else {
      T* from = context.Scratch<T>(x.count());
      T* to = context.Scratch<T>(y.count());
      ToChannelsFirst(context, x.raw(), from, x.dims(), sizeof(T));
      body(static_cast<const T*>(from), to);
      ToChannelsLast(context, to, y.raw(), y.dims(), sizeof(T));
    }
  }

 private:
  WindowAttributes window_;
};

using MaxPoolTypes = TypeList<float, double, int8_t, uint8_t, Float16, BFloat16>;

template <ConvLayout kLayout>
class MaxPool : public Pool<kLayout> {
  using Base = Pool<kLayout>;

 public:
  explicit MaxPool(const KernelInfo& info) : Base(info), column_major_(info.Int("storage_order", 0) != 0) {
    Require(!Base::kChannelsLast || info.OutputCount() < 2, "a channels-last MaxPool has no output Indices");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const WindowGeometry g = Base::Geometry(x);
    const Shape shape = Base::OutputShape(x, g);
    const Tensor y = context.Output(0, shape);
    const Tensor indices = context.OutputCount() > 1 ? context.Output(1, shape) : Tensor();
    if (y.count() == 0) return;
    if (!indices && Base::HasPlaneLoop(x)) return Base::RunPlane(context, PoolKind::kMax, g, x, y);
    DispatchType<MaxPoolTypes>(x.type(), [&]<typename T>(std::type_identity<T>) {
      Base::template WithChannelsFirst<T>(context, x, y, [&](const T* from, T* to) {
        Run(context, g, Base::Planes(x), from, to, indices ? indices.data<int64_t>() : nullptr);
      });
    });
  }

 private:
  template <typename T>
  void Run(const KernelContext& context, const WindowGeometry& g, size_t planes, const T* x, T* y,
           int64_t* places) const {
    const auto plane_size = static_cast<size_t>(WindowGeometry::Count(g.in));
    ForEachOutput(context, g, planes, [&](size_t plane, size_t index, const Reach& d, const Reach& h, const Reach& w) {
      const T* from = x + plane * plane_size;
      int64_t best = -1;
      T most = Lowest<T>();
      ForEachPlace(g, d, h, w, [&](int64_t at) {
        if (best < 0 || from[at] > most || from[at] != from[at]) {
          most = from[at];
          best = at;
        }
      });
      y[index] = most;
      if (places != nullptr)
        places[index] = static_cast<int64_t>(plane * plane_size) + (column_major_ ? ColumnMajor(g, best) : best);
    });
  }

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

template <ConvLayout kLayout>
class AveragePool : public Pool<kLayout> {
  using Base = Pool<kLayout>;

 public:
  explicit AveragePool(const KernelInfo& info) : Base(info), with_pad_(info.Int("count_include_pad", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const WindowGeometry g = Base::Geometry(x);
    const Tensor y = context.Output(0, Base::OutputShape(x, g));
    if (y.count() == 0) return;
    if (Base::HasPlaneLoop(x))
      return Base::RunPlane(context, with_pad_ ? PoolKind::kAverageWithPad : PoolKind::kAverage, g, x, y);
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      Base::template WithChannelsFirst<T>(context, x, y,
                                          [&](const T* from, T* to) { Run(context, g, Base::Planes(x), from, to); });
    });
  }

 private:
  template <typename T>
  void Run(const KernelContext& context, const WindowGeometry& g, size_t planes, const T* x, T* y) const {
    using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
    const auto plane_size = static_cast<size_t>(WindowGeometry::Count(g.in));
    ForEachOutput(context, g, planes, [&](size_t plane, size_t index, const Reach& d, const Reach& h, const Reach& w) {
      const T* from = x + plane * plane_size;
      Sum sum{0};
      ForEachPlace(g, d, h, w, [&](int64_t at) { sum += static_cast<Sum>(from[at]); });
      const int64_t count = with_pad_ ? Padded(g, 0, d) * Padded(g, 1, h) * Padded(g, 2, w)
                                      : (d.last - d.first) * (h.last - h.first) * (w.last - w.first);
      y[index] = static_cast<T>(count > 0 ? sum / static_cast<Sum>(count) : Sum{0});
    });
  }

  /// Places of a window that lie in the padded image: with ceil_mode its end may hang over.
  static int64_t Padded(const WindowGeometry& g, size_t axis, const Reach& reach) {
    const int64_t end = g.in[axis] + g.pad_end[axis];
    return std::min(g.kernel[axis], (end - reach.start - 1) / g.dilation[axis] + 1);
  }

  bool with_pad_;
};

class LpPool : public Pool<ConvLayout::kNchw> {
 public:
  explicit LpPool(const KernelInfo& info)
      : Pool<ConvLayout::kNchw>(info),
        p_(info.SinceVersion() == 1 ? info.Float("p", 2) : static_cast<float>(info.Int("p", 2))) {
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
      ForEachOutput(
          context, g, Planes(x), [&](size_t plane, size_t index, const Reach& d, const Reach& h, const Reach& w) {
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
  constexpr ConvLayout kFirst = ConvLayout::kNchw;
  constexpr ConvLayout kLast = ConvLayout::kNhwc;
  const std::vector<TypeRule> single = {{"T", {kTypeOf<float>}}};
  AddWidened(list, {.op = "MaxPool", .types = {{"T", MaxPoolTypes::Values()}}, .make = MakeKernel<MaxPool<kFirst>>},
             MakeWidened<MaxPool<kFirst>>);
  AddWidened(list,
             {.op = "AveragePool", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<AveragePool<kFirst>>},
             MakeWidened<AveragePool<kFirst>>);
  AddWidened(list, {.op = "LpPool", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<LpPool>},
             MakeWidened<LpPool>);
  list.Add({.domain = kNhwcDomain, .op = "MaxPool", .types = single, .make = MakeKernel<MaxPool<kLast>>});
  list.Add({.domain = kNhwcDomain, .op = "AveragePool", .types = single, .make = MakeKernel<AveragePool<kLast>>});
}

}  // namespace ortrun::cpu
