// SPDX-License-Identifier: Apache-2.0
// ArgMax and ArgMin, every version. As in numpy a NaN is both the largest and the smallest element.
#include <algorithm>
#include <limits>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"
#include "plugins/cpu/kernels/reduction/reduce.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 16384;      ///< elements that pay for handing a task to another thread
constexpr size_t kColumnBlock = 256;  ///< outputs of one task where neighbours belong to different outputs
constexpr size_t kSearchBlock = 64;   ///< elements compared without a branch
constexpr size_t kShortestFold = 32;  ///< shorter rows are not worth two passes

template <typename T>
bool IsNan(T value) {
  if constexpr (std::is_integral_v<T>)
    return false;
  else
    return value != value;
}

/// Whether `value` takes the place of `best`, which came before it. Without a branch, so that columns fill vectors.
template <bool kLargest, bool kLast, typename T>
bool Replaces(T value, T best) {
  if constexpr (kLast) {
    const bool better = kLargest ? value >= best : value <= best;
    return (static_cast<int>(better) | static_cast<int>(IsNan(value))) != 0;
  } else {
    const bool better = kLargest ? value > best : value < best;
    return (static_cast<int>(better) | (static_cast<int>(IsNan(value)) & static_cast<int>(!IsNan(best)))) != 0;
  }
}

template <bool kLargest, bool kLast, typename T>
size_t ScanRow(const T* x, size_t n, size_t stride = 1) {
  size_t at = 0;
  for (size_t i = 1; i < n; ++i)
    if (Replaces<kLargest, kLast>(x[i * stride], x[at * stride])) at = i;
  return at;
}

/// A long float row: the extreme element first, several vectors at a time, then its place.
template <bool kLargest, bool kLast>
size_t FoldRowPlace(const float* x, size_t n) {
  const float best = FoldRow(kLargest ? Fold::kMax : Fold::kMin, Map::kNone, x, n);
  if (IsNan(best)) return ScanRow<kLargest, kLast>(x, n);
  const auto holds = [&](size_t first, size_t last) {
    int found = 0;
    for (size_t i = first; i < last; ++i) found |= static_cast<int>(x[i] == best);
    return found != 0;
  };
  const size_t blocks = (n + kSearchBlock - 1) / kSearchBlock;
  for (size_t step = 0; step < blocks; ++step) {
    const size_t first = (kLast ? blocks - 1 - step : step) * kSearchBlock;
    const size_t last = std::min(n, first + kSearchBlock);
    if (holds(first, last)) return first + ScanRow<kLargest, kLast>(x + first, last - first);
  }
  return 0;
}

/// Up to kColumnBlock outputs side by side, read row by row.
template <bool kLargest, bool kLast, typename T>
void ScanColumns(const T* x, size_t n, size_t stride, size_t width, int64_t* y) {
  using Index = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  T best[kColumnBlock];
  Index at[kColumnBlock] = {};
  std::copy_n(x, width, best);
  for (size_t i = 1; i < n; ++i) {
    const T* row = x + i * stride;
    for (size_t k = 0; k < width; ++k) {
      const bool better = Replaces<kLargest, kLast>(row[k], best[k]);
      best[k] = better ? row[k] : best[k];
      at[k] = better ? static_cast<Index>(i) : at[k];
    }
  }
  std::copy_n(at, width, y);
}

template <bool kLargest>
class ArgExtreme : public Kernel {
 public:
  explicit ArgExtreme(const KernelInfo& info)
      : axis_(info.Int("axis", 0)),
        keep_dims_(info.Int("keepdims", 1) != 0),
        last_(info.Int("select_last_index", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Shape shape = x.shape();
    // A scalar is a list of one.
    const size_t axis = shape.rank() == 0 && (axis_ == 0 || axis_ == -1) ? 0 : NormalizeAxis(axis_, shape.rank());
    Shape result;
    for (size_t i = 0; i < shape.rank(); ++i) {
      if (i != axis)
        result.Append(shape[i]);
      else if (keep_dims_)
        result.Append(1);
    }
    const auto n = shape.rank() == 0 ? size_t{1} : static_cast<size_t>(shape[axis]);
    const Tensor y = context.Output(0, result);
    if (!y || y.count() == 0) return;
    Require(n != 0, "axis ", axis, " is empty: it has no ", kLargest ? "largest" : "smallest", " element");
    const auto inner = shape.rank() == 0 ? size_t{1} : static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    DispatchType<NumbersAndHalf>(x.type(), [&]<typename T>(std::type_identity<T>) {
      if (last_)
        Run<true>(context, x.data<T>(), n, inner, y);
      else
        Run<false>(context, x.data<T>(), n, inner, y);
    });
  }

 private:
  template <bool kLast, typename T>
  static void Run(const KernelContext& context, const T* x, size_t n, size_t inner, const Tensor& y) {
    auto* to = y.data<int64_t>();
    if (inner == 1 || n > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
      context.ParallelRange(y.count(), std::max<size_t>(1, kGrain / n), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          to[i] = static_cast<int64_t>(PlaceInRow<kLast>(x + i / inner * n * inner + i % inner, n, inner));
      });
      return;
    }
    const size_t outer = y.count() / inner;
    const size_t blocks = (inner + kColumnBlock - 1) / kColumnBlock;
    const size_t work = n * std::min(inner, kColumnBlock);
    context.ParallelRange(outer * blocks, std::max<size_t>(1, kGrain / work), [&](size_t begin, size_t end) {
      for (size_t task = begin; task < end; ++task) {
        const size_t row = task / blocks, first = task % blocks * kColumnBlock;
        ScanColumns<kLargest, kLast>(x + row * n * inner + first, n, inner, std::min(kColumnBlock, inner - first),
                                     to + row * inner + first);
      }
    });
  }

  template <bool kLast, typename T>
  static size_t PlaceInRow(const T* x, size_t n, size_t stride) {
    if constexpr (std::is_same_v<T, float>) {
      if (stride == 1 && n >= kShortestFold) return FoldRowPlace<kLargest, kLast>(x, n);
    }
    return ScanRow<kLargest, kLast>(x, n, stride);
  }

  int64_t axis_;
  bool keep_dims_;
  bool last_;
};

}  // namespace

void RegisterArgExtremes(KernelList& list) {
  const std::vector<TypeRule> types = {{"T", NumbersAndHalf::Values()}};
  list.Add({.op = "ArgMax", .types = types, .make = MakeKernel<ArgExtreme<true>>});
  list.Add({.op = "ArgMin", .types = types, .make = MakeKernel<ArgExtreme<false>>});
}

}  // namespace ortrun::cpu
