// SPDX-License-Identifier: Apache-2.0
// Softmax and LogSoftmax. Until version 13 the input is seen as a matrix cut at `axis`; since 13 one axis is folded.

#include <algorithm>
#include <cmath>
#include <limits>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/half_loops.h"
#include "plugins/cpu/kernels/common/rounded_steps.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/normalization/float_rows.h"
#include "plugins/cpu/kernels/normalization/normalization.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kColumnBlock = 256;
constexpr size_t kGrain = 4096;  ///< elements that pay for handing a task to another thread

/// What is subtracted before the exponential. A row that is all -inf has no finite largest element; an element of +inf
/// makes the row NaN.
template <typename A>
A ShiftOf(A largest) {
  return largest == -std::numeric_limits<A>::infinity() ? A{0} : largest;
}

/// The general form: `stride` is the distance of neighbours along the folded axis.
template <typename T>
void FoldAxis(const T* x, T* y, size_t n, size_t stride, bool log) {
  using A = std::conditional_t<std::is_same_v<T, double>, double, float>;
  A largest = -std::numeric_limits<A>::infinity();
  for (size_t i = 0; i < n; ++i) largest = std::max(largest, static_cast<A>(x[i * stride]));
  largest = ShiftOf(largest);
  A sum = 0;
  for (size_t i = 0; i < n; ++i) sum += std::exp(static_cast<A>(x[i * stride]) - largest);
  const A log_sum = std::log(sum);
  for (size_t i = 0; i < n; ++i) {
    const A value = static_cast<A>(x[i * stride]) - largest;
    y[i * stride] = static_cast<T>(log ? value - log_sum : std::exp(value) / sum);
  }
}

/// Up to kColumnBlock float softmaxes side by side.
void FoldColumnsAxis(const float* x, float* y, size_t n, size_t stride, size_t width) {
  float largest[kColumnBlock];
  float sum[kColumnBlock] = {};
  std::copy_n(x, width, largest);
  FoldColumns(Fold::kMax, Map::kNone, largest, x + stride, width, n - 1, stride);
  for (size_t k = 0; k < width; ++k) largest[k] = ShiftOf(largest[k]);
  for (size_t i = 0; i < n; ++i) ExpColumns(x + i * stride, largest, y + i * stride, sum, width);
  for (size_t k = 0; k < width; ++k) sum[k] = 1.0f / sum[k];
  for (size_t i = 0; i < n; ++i) ScaleColumns(sum, y + i * stride, width);
}

template <bool kLog>
class Softmax : public Kernel {
 public:
  explicit Softmax(const KernelInfo& info)
      : flattens_(info.SinceVersion() < 13), axis_(info.Int("axis", flattens_ ? 1 : -1)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Shape shape = x.shape();
    const Tensor y = context.Output(0, shape);
    if (!y || x.count() == 0) return;
    size_t axis = 0;
    if (flattens_)  // axis == rank is allowed: every element is a row of its own
      axis = axis_ == static_cast<int64_t>(shape.rank()) ? shape.rank() : NormalizeAxis(axis_, shape.rank());
    else if (shape.rank() != 0)
      axis = NormalizeAxis(axis_, shape.rank());
    const bool whole = flattens_ || shape.rank() == 0;
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto n = static_cast<size_t>(whole ? shape.Count(axis, shape.rank()) : shape[axis]);
    const auto inner = static_cast<size_t>(whole ? 1 : shape.Count(axis + 1, shape.rank()));
    if (IsHalf(x.type())) return Steps(context, x, y, n, inner);
    DispatchType<Floats>(x.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      if constexpr (std::is_same_v<T, float>) {
        if (inner == 1) return Rows(context, x.data<float>(), y.data<float>(), outer, n);
        if (!kLog) return Columns(context, x.data<float>(), y.data<float>(), outer, n, inner);
      }
      context.ParallelRange(outer * inner, std::max<size_t>(1, kGrain / n), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
          const size_t at = i / inner * n * inner + i % inner;
          FoldAxis(x.data<T>() + at, y.data<T>() + at, n, inner, kLog);
        }
      });
    });
  }

 private:
  static void Rows(KernelContext& context, const float* x, float* y, size_t rows, size_t n) {
    context.ParallelRange(rows, std::max<size_t>(1, kGrain / n), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        if constexpr (kLog)
          LogSoftmaxRow(x + row * n, y + row * n, n);
        else
          SoftmaxRow(x + row * n, y + row * n, n);
      }
    });
  }

  static void Columns(KernelContext& context, const float* x, float* y, size_t outer, size_t n, size_t inner) {
    const size_t blocks = (inner + kColumnBlock - 1) / kColumnBlock;
    const size_t work = n * std::min(inner, kColumnBlock);
    context.ParallelRange(outer * blocks, std::max<size_t>(1, kGrain / work), [&](size_t begin, size_t end) {
      for (size_t task = begin; task < end; ++task) {
        const size_t first = task % blocks * kColumnBlock;
        const size_t at = task / blocks * n * inner + first;
        FoldColumnsAxis(x + at, y + at, n, inner, std::min(kColumnBlock, inner - first));
      }
    });
  }

  /// In the 16-bit types each step is rounded, as in the standard's definition; the logarithm comes from one step.
  static void Steps(KernelContext& context, const Tensor& x, const Tensor& y, size_t n, size_t inner) {
    const size_t lines = x.count() / n;
    const size_t workers = std::min(lines, context.Concurrency());
    auto* scratch = context.Scratch<float>(workers * n);
    DispatchType<Halves>(x.type(), [&]<typename T>(std::type_identity<T>) {
      context.ParallelFor(workers, [&](size_t worker) {
        float* row = scratch + worker * n;
        for (size_t line = lines * worker / workers; line < lines * (worker + 1) / workers; ++line) {
          const size_t at = line / inner * n * inner + line % inner;
          const T* from = x.data<T>() + at;
          T* to = y.data<T>() + at;
          for (size_t i = 0; i < n; ++i) row[i] = from[i * inner];
          if constexpr (kLog)
            LogSoftmaxRow(row, row, n);
          else
            SoftmaxInType(x.type(), row, n);
          for (size_t i = 0; i < n; ++i) to[i * inner] = T(row[i]);
        }
      });
    });
  }

  bool flattens_;
  int64_t axis_;
};

}  // namespace

void RegisterSoftmax(KernelList& list) {
  const std::vector<TypeRule> types = {{"T", AllFloats::Values()}};
  list.Add({.op = "Softmax", .types = types, .make = MakeKernel<Softmax<false>>, .may_inplace = {{0, 0}}});
  list.Add({.op = "LogSoftmax", .types = types, .make = MakeKernel<Softmax<true>>, .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
