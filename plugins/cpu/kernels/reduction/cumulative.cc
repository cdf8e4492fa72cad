// SPDX-License-Identifier: Apache-2.0
// CumSum and CumProd.
#include <algorithm>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/reduction/reduce.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 16384;  ///< elements that pay for handing a task to another thread
constexpr size_t kRowsAtOnce = 8;
constexpr size_t kColumnBlock = 256;  ///< neighbouring sums that grow side by side

/// Integers wrap around, half types keep their running value in float.
template <typename T>
using Running = std::conditional_t<std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>, float,
                                   std::conditional_t<std::is_same_v<T, int32_t>, uint32_t,
                                                      std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>>>;

struct CumulativeSum {
  static constexpr int kStart = 0;
  template <typename A>
  static A Apply(A total, A value) {
    return total + value;
  }
};
struct CumulativeProduct {
  static constexpr int kStart = 1;
  template <typename A>
  static A Apply(A total, A value) {
    return total * value;
  }
};

/// `width` running values over n rows `stride` apart (negative: from the last row back).
template <typename Op, typename T>
void Accumulate(const T* x, T* y, size_t n, ptrdiff_t stride, size_t width, bool exclusive) {
  using A = Running<T>;
  A total[kColumnBlock];
  std::fill_n(total, width, static_cast<A>(Op::kStart));
  for (size_t i = 0; i < n; ++i, x += stride, y += stride)
    for (size_t k = 0; k < width; ++k) {
      const A next = Op::Apply(total[k], static_cast<A>(x[k]));
      y[k] = static_cast<T>(exclusive ? total[k] : next);
      total[k] = next;
    }
}

/// Rows of n neighbouring elements, kRowsAtOnce of them together: one alone waits for each addition to end.
template <typename Op, typename T, size_t kRows>
void AccumulateRows(const T* x, T* y, size_t n, bool reverse, bool exclusive) {
  using A = Running<T>;
  A total[kRows];
  std::fill_n(total, kRows, static_cast<A>(Op::kStart));
  for (size_t step = 0; step < n; ++step) {
    const size_t i = reverse ? n - 1 - step : step;
    for (size_t row = 0; row < kRows; ++row) {
      const A next = Op::Apply(total[row], static_cast<A>(x[row * n + i]));
      y[row * n + i] = static_cast<T>(exclusive ? total[row] : next);
      total[row] = next;
    }
  }
}

template <typename Op>
class Cumulative : public Kernel {
 public:
  explicit Cumulative(const KernelInfo& info)
      : exclusive_(info.Int("exclusive", 0) != 0), reverse_(info.Int("reverse", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor axis_input = context.Input(1);
    Require(axis_input.count() == 1, "input axis must hold one number, it has ", axis_input.count());
    int64_t given = 0;
    DispatchType<TypeList<int64_t, int32_t>>(axis_input.type(),
                                             [&]<typename T>(std::type_identity<T>) { given = *axis_input.data<T>(); });
    Require(x.rank() != 0, "the input must have at least rank 1");
    const size_t axis = NormalizeAxis(given, x.rank());
    const Shape shape = x.shape();
    const Tensor y = context.Output(0, shape);
    if (!y || y.count() == 0) return;
    const auto n = static_cast<size_t>(shape[axis]);
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    DispatchType<Types>(
        x.type(), [&]<typename T>(std::type_identity<T>) { Run(context, x.data<T>(), y.data<T>(), outer, n, inner); });
  }

  using Types = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t, Float16, BFloat16>;

 private:
  template <typename T>
  void Run(const KernelContext& context, const T* x, T* y, size_t outer, size_t n, size_t inner) const {
    if (inner == 1) {
      context.ParallelRange(outer, std::max<size_t>(kRowsAtOnce, kGrain / n), [&](size_t begin, size_t end) {
        size_t row = begin;
        for (; row + kRowsAtOnce <= end; row += kRowsAtOnce)
          AccumulateRows<Op, T, kRowsAtOnce>(x + row * n, y + row * n, n, reverse_, exclusive_);
        for (; row < end; ++row) AccumulateRows<Op, T, 1>(x + row * n, y + row * n, n, reverse_, exclusive_);
      });
      return;
    }
    const size_t blocks = (inner + kColumnBlock - 1) / kColumnBlock;
    const size_t work = n * std::min(inner, kColumnBlock);
    const auto step = static_cast<ptrdiff_t>(inner);
    context.ParallelRange(outer * blocks, std::max<size_t>(1, kGrain / work), [&](size_t begin, size_t end) {
      for (size_t task = begin; task < end; ++task) {
        const size_t first = task % blocks * kColumnBlock;
        const size_t at = (task / blocks * n + (reverse_ ? n - 1 : 0)) * inner + first;
        Accumulate<Op>(x + at, y + at, n, reverse_ ? -step : step, std::min(kColumnBlock, inner - first), exclusive_);
      }
    });
  }

  bool exclusive_;
  bool reverse_;
};

}  // namespace

void RegisterCumulative(KernelList& list) {
  list.Add({.op = "CumSum",
            .since = 11,
            .types = {{"T", Cumulative<CumulativeSum>::Types::Values()}},
            .make = MakeKernel<Cumulative<CumulativeSum>>,
            .may_inplace = {{0, 0}}});
  list.Add({.op = "CumProd",
            .since = 26,
            .types = {{"T", Cumulative<CumulativeProduct>::Types::Values()}},
            .make = MakeKernel<Cumulative<CumulativeProduct>>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
