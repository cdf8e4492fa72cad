// SPDX-License-Identifier: Apache-2.0
// GridSample over any number of spatial axes. The formulas are those of the ONNX specification's reference evaluator.
#include <algorithm>
#include <array>
#include <cmath>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/image/image.h"
#include "plugins/cpu/kernels/image/narrow.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 4096;         ///< blended elements that pay for handing a task to another thread
constexpr size_t kMostElements = 1024;  ///< input elements that make one output

enum class Mode { kNearest = 1, kLinear = 2, kCubic = 4 };  ///< taps along an axis
enum class Padding { kZeros, kBorder, kReflection };

struct Rules {
  Mode mode;
  Padding padding;
  bool align_corners;
};

template <typename A>
int64_t Whole(A x) {
  constexpr A kFar = A(1LL << 40);
  return std::isnan(x) ? 0 : static_cast<int64_t>(std::clamp(x, -kFar, kFar));
}

template <typename A>
A Reflect(A x, A low, A high) {
  const A range = high - low;
  if (!(range > 0)) return low;
  if (x >= low && x <= high) return x;
  const A beyond = x < low ? low - x : x - high;
  const A turns = std::floor(beyond / range);
  const A rest = beyond - turns * range;
  const bool even = std::fmod(turns, A(2)) == 0;
  return (x < low) == even ? low + rest : high - rest;
}

/// The input elements along one axis that make an output, -1 for one that is zero.
template <typename A>
struct AxisElements {
  std::array<int64_t, 4> at;
  std::array<A, 4> weight;
};

template <typename A>
int64_t Place(const Rules& rules, int64_t at, int64_t length) {
  if (at >= 0 && at < length) return at;
  if (rules.padding == Padding::kZeros) return -1;
  if (rules.padding == Padding::kReflection) {
    const A low = rules.align_corners ? A(0) : A(-0.5);
    at = Whole(Reflect(static_cast<A>(at), low, static_cast<A>(length - 1) - low));
  }
  return std::clamp<int64_t>(at, 0, length - 1);
}

/// `normal` is in [-1, 1] over the axis.
template <typename A>
AxisElements<A> ElementsOf(const Rules& rules, A normal, int64_t length) {
  const A size = static_cast<A>(length);
  A x = rules.align_corners ? (normal + 1) / 2 * (size - 1) : ((normal + 1) * size - 1) / 2;
  if (rules.mode == Mode::kNearest) x = std::nearbyint(x);
  const A low = rules.align_corners ? A(0) : A(-0.5);
  const A high = size - 1 - low;
  if (x < low || x > high) {
    if (rules.padding == Padding::kBorder) x = std::clamp(x, A(0), size - 1);
    if (rules.padding == Padding::kReflection) x = Reflect(x, low, high);
  }
  const A below = std::floor(x);
  const int64_t first = Whole(below);
  const A part = x - below;
  AxisElements<A> result{};
  if (rules.mode == Mode::kNearest) {
    result.weight[0] = 1;
    result.at[0] = Place<A>(rules, Whole(x), length);
  } else if (rules.mode == Mode::kLinear) {
    result.weight = {1 - part, part, 0, 0};
    for (int k = 0; k < 2; ++k) result.at[static_cast<size_t>(k)] = Place<A>(rules, first + k, length);
  } else {
    constexpr A kA = A(-0.75);
    const auto near = [](A t) { return ((kA + 2) * t - (kA + 3)) * t * t + 1; };
    const auto far = [](A t) { return ((kA * t - 5 * kA) * t + 8 * kA) * t - 4 * kA; };
    result.weight = {far(part + 1), near(part), near(1 - part), far(2 - part)};
    for (int k = 0; k < 4; ++k) result.at[static_cast<size_t>(k)] = Place<A>(rules, first + k - 1, length);
  }
  return result;
}

/// All input elements that make one output: every combination of the axes' elements that is not zero.
template <typename A>
struct Elements {
  std::array<int64_t, kMostElements> offset;
  std::array<A, kMostElements> weight;
  size_t count = 1;

  /// `point` holds a coordinate an axis, the innermost first.
  void Find(const Rules& rules, const A* point, std::span<const int64_t> lengths) {
    count = 1;
    offset[0] = 0;
    weight[0] = 1;
    const auto taps = static_cast<size_t>(rules.mode);
    int64_t stride = 1;
    for (size_t axis = lengths.size(); axis-- > 0;) {
      const AxisElements<A> along = ElementsOf(rules, point[lengths.size() - 1 - axis], lengths[axis]);
      const size_t before = count;
      std::array<int64_t, kMostElements> offsets;
      std::array<A, kMostElements> weights;
      count = 0;
      for (size_t k = 0; k < taps; ++k) {
        if (along.at[k] < 0) continue;
        for (size_t i = 0; i < before; ++i, ++count) {
          offsets[count] = offset[i] + along.at[k] * stride;
          weights[count] = weight[i] * along.weight[k];
        }
      }
      std::copy_n(offsets.begin(), count, offset.begin());
      std::copy_n(weights.begin(), count, weight.begin());
      stride *= lengths[axis];
    }
  }
};

class GridSample : public Kernel {
 public:
  explicit GridSample(const KernelInfo& info)
      : rules_{Mode::kLinear, Padding::kZeros, info.Int("align_corners", 0) != 0} {
    const std::string mode = info.String("mode", "linear");
    Require(mode == "linear" || mode == "bilinear" || mode == "nearest" || mode == "cubic" || mode == "bicubic",
            "attribute mode=\"", mode, "\" is none of linear, nearest, cubic");
    if (mode == "nearest") rules_.mode = Mode::kNearest;
    if (mode == "cubic" || mode == "bicubic") rules_.mode = Mode::kCubic;
    const std::string padding = info.String("padding_mode", "zeros");
    Require(padding == "zeros" || padding == "border" || padding == "reflection", "attribute padding_mode=\"", padding,
            "\" is none of zeros, border, reflection");
    if (padding == "border") rules_.padding = Padding::kBorder;
    if (padding == "reflection") rules_.padding = Padding::kReflection;
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor grid = context.Input(1);
    Require(x.rank() >= 3 && grid.rank() == x.rank(), "X and grid must have one rank of at least 3, they have ",
            x.rank(), " and ", grid.rank());
    const size_t axes = x.rank() - 2;
    Require(grid.dim(0) == x.dim(0), "X has ", x.dim(0), " images and grid ", grid.dim(0));
    Require(grid.dim(axes + 1) == static_cast<int64_t>(axes), "the last dimension of grid must be ", axes, ", it is ",
            grid.dim(axes + 1));
    size_t elements = 1;
    for (size_t i = 0; i < axes && elements <= kMostElements; ++i) elements *= static_cast<size_t>(rules_.mode);
    Require(elements <= kMostElements, axes, " spatial axes are too many for this mode");
    Shape shape{x.dim(0), x.dim(1)};
    for (size_t i = 0; i < axes; ++i) shape.Append(grid.dim(i + 1));
    const int64_t count = CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    if (!y || count == 0) return;
    Require(x.count() != 0, "X is empty");
    DispatchType<NumbersAndHalf>(x.type(), [&]<typename T>(std::type_identity<T>) { Run<T>(context, x, grid, y); });
  }

 private:
  template <typename T>
  void Run(KernelContext& context, const Tensor& x, const Tensor& grid, const Tensor& y) const {
    using A = Blend<T>;
    A* points = context.Scratch<A>(grid.count());
    DispatchType<AllFloats>(grid.type(), [&]<typename G>(std::type_identity<G>) {
      for (size_t i = 0; i < grid.count(); ++i) points[i] = static_cast<A>(grid.data<G>()[i]);
    });
    const Shape from = x.shape();
    const std::span<const int64_t> lengths = from.dims().subspan(2);
    const size_t axes = lengths.size();
    const auto channels = static_cast<size_t>(from[1]);
    const auto plane = static_cast<size_t>(from.Count(2, from.rank()));
    const size_t places = grid.count() / axes / static_cast<size_t>(from[0]);
    context.ParallelRange(grid.count() / axes, std::max<size_t>(1, kGrain / channels), [&](size_t begin, size_t end) {
      Elements<A> elements;
      for (size_t point = begin; point < end; ++point) {
        elements.Find(rules_, points + point * axes, lengths);
        const size_t image = point / places * channels;
        for (size_t channel = 0; channel < channels; ++channel) {
          const T* source = x.data<T>() + (image + channel) * plane;
          A sum = 0;
          for (size_t i = 0; i < elements.count; ++i)
            sum += static_cast<A>(source[elements.offset[i]]) * elements.weight[i];
          y.data<T>()[(image + channel) * places + point % places] = Narrow<T>(sum);
        }
      }
    });
  }

  Rules rules_;
};

}  // namespace

void RegisterGridSample(KernelList& list) {
  list.Add({.op = "GridSample",
            .since = 16,
            .types = {{"T1", NumbersAndHalf::Values()}, {"T2", AllFloats::Values()}},
            .make = MakeKernel<GridSample>});
}

}  // namespace ortrun::cpu
