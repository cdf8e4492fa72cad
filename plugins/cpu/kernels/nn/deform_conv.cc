// SPDX-License-Identifier: Apache-2.0
// DeformConv: a convolution whose taps lie where the offsets put them, between elements too. The sampled taps of a run
// of output places are the columns of a matrix that the weights multiply.
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"
#include "plugins/cpu/kernels/nn/spatial.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kAxes = WindowGeometry::kAxes;
/// Bytes of sampled taps that a task keeps at a time: they should stay in the second-level cache.
constexpr size_t kColumnBytes = 768 << 10;

/// Sizes of one call. Channels of X and of the offsets' groups are those of all groups together.
struct Problem {
  WindowGeometry window;
  size_t axes = 2;  ///< spatial ones, the last of the window's
  size_t batch = 1;
  size_t channels = 1;
  size_t out_channels = 1;
  size_t groups = 1;
  size_t offset_groups = 1;

  size_t taps() const { return static_cast<size_t>(WindowGeometry::Count(window.kernel)); }
  size_t places() const { return static_cast<size_t>(WindowGeometry::Count(window.out)); }
  size_t plane() const { return static_cast<size_t>(WindowGeometry::Count(window.in)); }
  size_t corners() const { return size_t{1} << axes; }
};

template <typename T>
struct Operands {
  const T* x;
  const T* w;
  const T* offset;
  const T* bias;  ///< NULL: 0
  const T* mask;  ///< NULL: 1
  T* y;
};

/// The elements around the sampled place of one tap, for a run of output places: [corner][place].
template <typename T>
struct Corners {
  int32_t* index;
  T* weight;  ///< 0 outside the input
};

/// Finds the corners of `tap` for the output places [first, last). `offset` has a plane of places for each spatial axis
/// of the tap; `mask`, one for the tap, or is NULL.
template <typename T>
void FindCorners(const Problem& problem, size_t tap, const T* offset, const T* mask, size_t first, size_t last,
                 const Corners<T>& corners) {
  const WindowGeometry& g = problem.window;
  const size_t count = last - first;
  WindowGeometry::Extents in_tap{};
  for (size_t axis = kAxes, rest = tap; axis-- > 0;) {
    const auto extent = static_cast<size_t>(g.kernel[axis]);
    in_tap[axis] = static_cast<int64_t>(rest % extent);
    rest /= extent;
  }
  for (size_t i = 0; i < count; ++i) {
    size_t rest = first + i;
    int64_t stride = 1;
    int64_t index[1 << kAxes] = {};
    T weight[1 << kAxes] = {mask == nullptr ? T{1} : mask[first + i]};
    size_t made = 1;
    for (size_t k = problem.axes; k-- > 0;) {
      const size_t axis = kAxes - problem.axes + k;
      const auto extent = static_cast<size_t>(g.out[axis]);
      const auto place = static_cast<int64_t>(rest % extent);
      rest /= extent;
      const int64_t base = place * g.stride[axis] - g.pad_begin[axis] + in_tap[axis] * g.dilation[axis];
      const T at = static_cast<T>(base) + offset[k * problem.places() + first + i];
      const bool reaches = at > T{-1} && at < static_cast<T>(g.in[axis]);  // not for a NaN
      const auto low = reaches ? static_cast<int64_t>(std::floor(at)) : int64_t{-2};
      const T part = reaches ? at - static_cast<T>(low) : T{0};
      for (size_t corner = 0; corner < made; ++corner) {
        const bool has_high = low + 1 >= 0 && low + 1 < g.in[axis];
        index[made + corner] = index[corner] + (has_high ? (low + 1) * stride : 0);
        weight[made + corner] = has_high ? weight[corner] * part : T{0};
        if (low >= 0) index[corner] += low * stride;
        weight[corner] = low >= 0 ? weight[corner] * (1 - part) : T{0};
      }
      made *= 2;
      stride *= g.in[axis];
    }
    for (size_t corner = 0; corner < made; ++corner) {
      corners.index[corner * count + i] = static_cast<int32_t>(index[corner]);
      corners.weight[corner * count + i] = weight[corner];
    }
  }
}

/// columns[(channel * taps + tap) * places + place], the places [first, last) of one image.
template <typename T>
void SampleColumns(const Problem& problem, const Operands<T>& from, size_t image, size_t first, size_t last,
                   const Corners<T>& corners, T* columns) {
  const size_t count = last - first;
  const size_t taps = problem.taps();
  const size_t channels = problem.channels / problem.offset_groups;
  for (size_t group = 0; group < problem.offset_groups; ++group) {
    for (size_t tap = 0; tap < taps; ++tap) {
      const size_t plane = (image * problem.offset_groups + group) * taps + tap;
      FindCorners(problem, tap, from.offset + plane * problem.axes * problem.places(),
                  from.mask == nullptr ? nullptr : from.mask + plane * problem.places(), first, last, corners);
      for (size_t c = group * channels; c < (group + 1) * channels; ++c) {
        const T* x = from.x + (image * problem.channels + c) * problem.plane();
        T* to = columns + (c * taps + tap) * count;
        std::fill_n(to, count, T{0});
        for (size_t corner = 0; corner < problem.corners(); ++corner) {
          const int32_t* index = corners.index + corner * count;
          const T* weight = corners.weight + corner * count;
          for (size_t i = 0; i < count; ++i) to[i] += weight[i] == 0 ? T{0} : weight[i] * x[index[i]];
        }
      }
    }
  }
}

template <typename T>
void Convolve(KernelContext& context, const Problem& problem, const Operands<T>& operands) {
  const size_t rows = problem.channels * problem.taps();
  const size_t places = problem.places();
  const size_t fitting = std::max<size_t>(16, kColumnBytes / std::max<size_t>(1, rows * sizeof(T)) / 16 * 16);
  const size_t chunk = std::min(places, fitting);
  const size_t chunks = (places + chunk - 1) / chunk;
  const size_t tasks = problem.batch * chunks;
  const size_t workers = std::min(tasks, context.Concurrency());
  const size_t group_rows = rows / problem.groups;
  const size_t group_out = problem.out_channels / problem.groups;
  T* all_columns = context.Scratch<T>(workers * rows * chunk);
  T* all_weights = context.Scratch<T>(workers * problem.corners() * chunk);
  auto* all_indices = context.Scratch<int32_t>(workers * problem.corners() * chunk);
  context.ParallelFor(workers, [&](size_t worker) {
    T* columns = all_columns + worker * rows * chunk;
    const Corners<T> corners{all_indices + worker * problem.corners() * chunk,
                             all_weights + worker * problem.corners() * chunk};
    for (size_t task = tasks * worker / workers; task < tasks * (worker + 1) / workers; ++task) {
      const size_t image = task / chunks;
      const size_t first = task % chunks * chunk;
      const size_t count = std::min(places, first + chunk) - first;
      SampleColumns(problem, operands, image, first, first + count, corners, columns);
      for (size_t channel = 0; channel < problem.out_channels; ++channel)
        std::fill_n(operands.y + (image * problem.out_channels + channel) * places + first, count,
                    operands.bias == nullptr ? T{0} : operands.bias[channel]);
      for (size_t group = 0; group < problem.groups; ++group)
        Multiply(group_out, count, group_rows, T{1},
                 MatrixView<T>{operands.w + group * group_out * group_rows, group_rows, false},
                 MatrixView<T>{columns + group * group_rows * count, count, false}, T{1},
                 operands.y + (image * problem.out_channels + group * group_out) * places + first, places);
    }
  });
}

class DeformConv : public Kernel {
 public:
  explicit DeformConv(const KernelInfo& info)
      : window_(info), groups_(info.Int("group", 1)), offset_groups_(info.Int("offset_group", 1)) {
    Require(groups_ >= 1 && offset_groups_ >= 1, "attributes group=", groups_, " and offset_group=", offset_groups_,
            " must be at least 1");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor w = context.Input(1);
    const Tensor offset = context.Input(2);
    const Tensor bias = context.OptionalInput(3);
    const Tensor mask = context.OptionalInput(4);
    const Problem problem = Check(x, w, offset, bias, mask);
    Shape shape{x.dim(0), w.dim(0)};
    for (size_t i = 2; i < x.rank(); ++i) shape.Append(problem.window.out[kAxes - x.rank() + i]);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    if (x.type() == kTypeOf<double>) {
      const auto data = [](const Tensor& tensor) { return tensor ? tensor.data<double>() : nullptr; };
      return Convolve<double>(context, problem,
                              {data(x), data(w), data(offset), data(bias), data(mask), y.data<double>()});
    }
    const FloatOutput to(context, y);
    Convolve<float>(context, problem,
                    {ReadFloats(context, x), ReadFloats(context, w), ReadFloats(context, offset),
                     ReadFloats(context, bias), ReadFloats(context, mask), to.data()});
    to.Finish();
  }

 private:
  Problem Check(const Tensor& x, const Tensor& w, const Tensor& offset, const Tensor& bias, const Tensor& mask) const {
    Require(x.rank() >= 3 && x.rank() <= 2 + kAxes && w.rank() == x.rank() && offset.rank() == x.rank(),
            "DeformConv needs X, W and offset of the same rank, 3 to 5; they have ", x.rank(), ", ", w.rank(), " and ",
            offset.rank());
    for (const Tensor& tensor : {w, offset, bias, mask})
      Require(!tensor || tensor.type() == x.type(), "all inputs must have the type of X");
    Require(x.dim(1) == w.dim(1) * groups_, "X has ", x.dim(1), " channels, W takes ", w.dim(1), " in each of ",
            groups_, " groups");
    Require(w.dim(0) % groups_ == 0, "W makes ", w.dim(0), " channels, which do not divide into group=", groups_);
    Require(x.dim(1) % offset_groups_ == 0, "the ", x.dim(1),
            " channels of X do not divide into offset_group=", offset_groups_);
    Require(!bias || bias.count() == static_cast<size_t>(w.dim(0)), "input B must have ", w.dim(0), " elements");
    Problem problem;
    problem.window = window_.Apply(x.dims().subspan(2), w.dims().subspan(2));
    problem.axes = x.rank() - 2;
    problem.batch = static_cast<size_t>(x.dim(0));
    problem.channels = static_cast<size_t>(x.dim(1));
    problem.out_channels = static_cast<size_t>(w.dim(0));
    problem.groups = static_cast<size_t>(groups_);
    problem.offset_groups = static_cast<size_t>(offset_groups_);
    Require(WindowGeometry::Count(problem.window.in) < (int64_t{1} << 31), "the spatial dimensions of X are too large");
    const int64_t planes = offset_groups_ * WindowGeometry::Count(problem.window.kernel);
    CheckPlanes(problem, x, offset, "offset", planes * static_cast<int64_t>(problem.axes));
    if (mask) CheckPlanes(problem, x, mask, "mask", planes);
    return problem;
  }

  static void CheckPlanes(const Problem& problem, const Tensor& x, const Tensor& tensor, const char* name,
                          int64_t planes) {
    Shape wanted{x.dim(0), planes};
    for (size_t i = 0; i < problem.axes; ++i) wanted.Append(problem.window.out[kAxes - problem.axes + i]);
    Require(tensor.shape() == wanted, "input ", name, " must have ", planes,
            " channels, and the batch and the places of the output");
  }

  WindowAttributes window_;
  int64_t groups_;
  int64_t offset_groups_;
};

}  // namespace

void RegisterDeformConv(KernelList& list) {
  list.Add({.op = "DeformConv", .since = 19, .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<DeformConv>});
}

}  // namespace ortrun::cpu
