// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/general_product.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "plugins/cpu/kernels/nn/matrix_product.h"

namespace ortrun::cpu {
namespace {

/// What the products of a type are summed in.
template <typename T>
using SumOf = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;

double ActivateOne(const Activation& activation, double x) {
  const auto alpha = static_cast<double>(activation.alpha);
  const auto beta = static_cast<double>(activation.beta);
  switch (activation.kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return x < 0 ? 0 : x;
    case ActivationKind::kClip:
      x = x < alpha ? alpha : x;
      return x > beta ? beta : x;
    case ActivationKind::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kHardSigmoid:
      return std::clamp(alpha * x + beta, 0.0, 1.0);
    case ActivationKind::kHardSwish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case ActivationKind::kSilu:
      return x / (1 + std::exp(-x));
    case ActivationKind::kGeluErf:
      return 0.5 * x * (1 + std::erf(x * (std::numbers::sqrt2 / 2)));
    case ActivationKind::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::numbers::sqrt2 * std::numbers::inv_sqrtpi * (x + 0.044715 * x * x * x)));
  }
  return x;
}

/// A limit of a Clip as an integer of T: none where it is beyond the type.
template <typename T>
T Limit(float limit) {
  const auto wide = static_cast<double>(limit);
  if (wide <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (wide >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(wide);
}

template <typename T>
T ActivateInteger(const Activation& activation, T x) {
  if (activation.kind == ActivationKind::kRelu) return std::max(x, T{0});
  if (activation.kind == ActivationKind::kClip) {
    return std::min(std::max(x, Limit<T>(activation.alpha)), Limit<T>(activation.beta));
  }
  return x;
}

bool IsInteger(float factor) { return std::trunc(factor) == factor && std::fabs(factor) < 0x1p62F; }

/// alpha sum + bias + beta residual, in T's own arithmetic.
template <typename T>
T ScaledInteger(const GeneralProduct<T>& product, uint64_t sum, uint64_t bias, T residual) {
  if (IsInteger(product.alpha) && IsInteger(product.beta)) {
    const auto factor = [](float number) { return static_cast<uint64_t>(static_cast<int64_t>(number)); };
    return static_cast<T>(factor(product.alpha) * sum + bias + factor(product.beta) * static_cast<uint64_t>(residual));
  }
  using Wide = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
  const double scaled = static_cast<double>(product.alpha) * static_cast<double>(static_cast<Wide>(sum)) +
                        static_cast<double>(static_cast<Wide>(bias)) +
                        static_cast<double>(product.beta) * static_cast<double>(residual);
  return static_cast<T>(static_cast<int64_t>(std::clamp(scaled, -9.2e18, 9.2e18)));
}

/// Completes one row of sums; `bias` and `residual` are those of the row.
template <typename T>
void CompleteRow(const GeneralProduct<T>& product, SumOf<T>* sums, const T* residual, T* y, size_t n) {
  const T* before = product.residual_after ? nullptr : residual;
  const T* after = product.residual_after ? residual : nullptr;
  const T* bias = product.bias;
  if constexpr (std::is_integral_v<T>) {
    for (size_t j = 0; j < n; ++j) {
      const T value = ScaledInteger(product, sums[j], bias == nullptr ? 0 : static_cast<uint64_t>(bias[j]),
                                    before == nullptr ? T{0} : before[j]);
      const T active = ActivateInteger(product.activation, value);
      y[j] = after == nullptr ? active : ScaledInteger<T>(product, 0, static_cast<uint64_t>(active), after[j]);
    }
  } else {
    using Sum = SumOf<T>;
    const auto alpha = static_cast<Sum>(product.alpha);
    const auto beta = static_cast<Sum>(product.beta);
    for (size_t j = 0; j < n; ++j) {
      Sum value = alpha * sums[j];
      if (bias != nullptr) value += static_cast<Sum>(bias[j]);
      if (before != nullptr) value += beta * static_cast<Sum>(before[j]);
      sums[j] = value;
    }
    if (product.activation.kind != ActivationKind::kNone)
      for (size_t j = 0; j < n; ++j) sums[j] = ActivateOne(product.activation, sums[j]);
    for (size_t j = 0; j < n; ++j) {
      y[j] = static_cast<T>(after == nullptr ? sums[j] : sums[j] + beta * static_cast<Sum>(after[j]));
    }
  }
}

/// Rows [begin, end) of one batch, whose output is `y`, into `sums`.
template <typename T>
void SumRow(const GeneralProduct<T>& product, const MatMulShape& shape, const T* left, const T* right, size_t row,
            SumOf<T>* sums) {
  using Sum = SumOf<T>;
  std::fill_n(sums, shape.n, Sum{0});
  for (size_t p = 0; p < shape.k; ++p) {
    const auto factor = static_cast<Sum>(product.a_transposed ? left[p * shape.m + row] : left[row * shape.k + p]);
    if (product.b_transposed) {
      for (size_t j = 0; j < shape.n; ++j) sums[j] += factor * static_cast<Sum>(right[j * shape.k + p]);
    } else {
      for (size_t j = 0; j < shape.n; ++j) sums[j] += factor * static_cast<Sum>(right[p * shape.n + j]);
    }
  }
}

/// Rows that a task computes at least, so that handing it over pays.
size_t LeastRows(const MatMulShape& shape) {
  constexpr size_t kGrain = 32768;  // multiplications
  return std::max<size_t>(1, kGrain / std::max<size_t>(1, shape.n * shape.k));
}

}  // namespace

void RequireActivation(const Activation& activation, ElementType type) {
  const bool floating =
      type == kTypeOf<float> || type == kTypeOf<double> || type == kTypeOf<Float16> || type == kTypeOf<BFloat16>;
  Require(floating || activation.kind == ActivationKind::kNone || activation.kind == ActivationKind::kRelu ||
              activation.kind == ActivationKind::kClip,
          "attribute activation: of integers only Relu and Clip are computed");
}

template <typename T>
void RunGeneralProduct(KernelContext& context, const GeneralProduct<T>& product, const MatMulShape& shape, T* y) {
  const size_t rows = shape.batches * shape.m;
  const size_t workers = std::min({rows, context.Concurrency(), std::max<size_t>(1, rows / LeastRows(shape))});
  SumOf<T>* scratch = context.Scratch<SumOf<T>>(std::is_same_v<T, double> ? 0 : workers * shape.n);
  context.ParallelFor(workers, [&](size_t worker) {
    const size_t end = rows * (worker + 1) / workers;
    for (size_t at = rows * worker / workers; at < end;) {
      const size_t batch = at / shape.m;
      const size_t first = at % shape.m;
      const size_t last = std::min(shape.m, first + (end - at));
      const T* left = product.a + shape.a_matrix(batch) * shape.m * shape.k;
      const T* right = product.b + shape.b_matrix(batch) * shape.k * shape.n;
      const auto residual = [&](size_t row) {
        return product.residual == nullptr ? nullptr : product.residual + (batch * shape.m + row) * shape.n;
      };
      T* to = y + batch * shape.m * shape.n;
      if constexpr (std::is_same_v<T, double>) {
        const MatrixView<double> a{left + (product.a_transposed ? first : first * shape.k),
                                   product.a_transposed ? shape.m : shape.k, product.a_transposed};
        const MatrixView<double> b{right, product.b_transposed ? shape.k : shape.n, product.b_transposed};
        Multiply(last - first, shape.n, shape.k, 1.0, a, b, 0.0, to + first * shape.n, shape.n);
        for (size_t row = first; row < last; ++row) {
          double* line = to + row * shape.n;
          CompleteRow(product, line, residual(row), line, shape.n);
        }
      } else {
        SumOf<T>* sums = scratch + worker * shape.n;
        for (size_t row = first; row < last; ++row) {
          SumRow(product, shape, left, right, row, sums);
          CompleteRow(product, sums, residual(row), to + row * shape.n, shape.n);
        }
      }
      at += last - first;
    }
  });
}

template void RunGeneralProduct(KernelContext&, const GeneralProduct<double>&, const MatMulShape&, double*);
template void RunGeneralProduct(KernelContext&, const GeneralProduct<int32_t>&, const MatMulShape&, int32_t*);
template void RunGeneralProduct(KernelContext&, const GeneralProduct<int64_t>&, const MatMulShape&, int64_t*);
template void RunGeneralProduct(KernelContext&, const GeneralProduct<uint32_t>&, const MatMulShape&, uint32_t*);
template void RunGeneralProduct(KernelContext&, const GeneralProduct<uint64_t>&, const MatMulShape&, uint64_t*);

}  // namespace ortrun::cpu
