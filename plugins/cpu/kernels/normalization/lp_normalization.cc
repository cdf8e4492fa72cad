// SPDX-License-Identifier: Apache-2.0
// LpNormalization: divides by the L1 or L2 norm along one axis; where that is 0 the output is 0.
#include <algorithm>
#include <cmath>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/normalization/float_rows.h"
#include "plugins/cpu/kernels/normalization/normalization.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kColumnBlock = 256;
constexpr size_t kGrain = 1 << 13;  ///< elements that pay for handing a task to another thread

/// 1 / norm, from the sum of absolute values or of squares.
template <typename T>
T InverseNorm(T sum, bool squares) {
  const T norm = squares ? std::sqrt(sum) : sum;
  return norm == 0 ? T{0} : 1 / norm;
}

void NormalizeLine(const float* x, float* y, size_t n, bool squares) {
  const float sum = FoldRow(Fold::kSum, squares ? Map::kSquare : Map::kAbs, x, n);
  AffineRow(x, 0, InverseNorm(sum, squares), 0, y, n);
}

void NormalizeLine(const double* x, double* y, size_t n, bool squares) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += squares ? x[i] * x[i] : std::abs(x[i]);
  const double inverse = InverseNorm(sum, squares);
  for (size_t i = 0; i < n; ++i) y[i] = x[i] * inverse;
}

/// Up to kColumnBlock neighbouring lines, whose elements lie `stride` apart.
template <typename T>
void NormalizeColumns(const T* x, T* y, size_t n, size_t stride, size_t width, bool squares) {
  T sums[kColumnBlock] = {};
  if constexpr (std::is_same_v<T, float>) {
    FoldColumns(Fold::kSum, squares ? Map::kSquare : Map::kAbs, sums, x, width, n, stride);
  } else {
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < width; ++k) {
        const T value = x[i * stride + k];
        sums[k] += squares ? value * value : std::abs(value);
      }
  }
  for (size_t k = 0; k < width; ++k) sums[k] = InverseNorm(sums[k], squares);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < width; ++k) y[i * stride + k] = x[i * stride + k] * sums[k];
}

class LpNormalization : public Kernel {
 public:
  explicit LpNormalization(const KernelInfo& info) : axis_(info.Int("axis", -1)), p_(info.Int("p", 2)) {
    Require(p_ == 1 || p_ == 2, "attribute p=", p_, " must be 1 or 2");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Shape shape = x.shape();
    const size_t axis = NormalizeAxis(axis_, shape.rank());
    const Tensor y = context.Output(0, shape);
    if (x.count() == 0) return;
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto n = static_cast<size_t>(shape[axis]);
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    if (x.type() == kTypeOf<double>) return Normalize(context, x.data<double>(), y.data<double>(), outer, n, inner);
    const FloatOutput to(context, y);
    Normalize(context, ReadFloats(context, x), to.data(), outer, n, inner);
    to.Finish();
  }

 private:
  template <typename T>
  void Normalize(const KernelContext& context, const T* x, T* y, size_t outer, size_t n, size_t inner) const {
    const bool squares = p_ == 2;
    if (inner == 1) {
      context.ParallelRange(outer, std::max<size_t>(1, kGrain / n), [=](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) NormalizeLine(x + row * n, y + row * n, n, squares);
      });
      return;
    }
    const size_t blocks = (inner + kColumnBlock - 1) / kColumnBlock;
    const size_t work = n * std::min(inner, kColumnBlock);
    context.ParallelRange(outer * blocks, std::max<size_t>(1, kGrain / work), [=](size_t begin, size_t end) {
      for (size_t task = begin; task < end; ++task) {
        const size_t first = task % blocks * kColumnBlock;
        const size_t at = task / blocks * n * inner + first;
        NormalizeColumns(x + at, y + at, n, inner, std::min(kColumnBlock, inner - first), squares);
      }
    });
  }

  int64_t axis_;
  int64_t p_;
};

}  // namespace

void RegisterLpNormalization(KernelList& list) {
  list.Add({.op = "LpNormalization",
            .types = {{"T", AllFloats::Values()}},
            .make = MakeKernel<LpNormalization>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
