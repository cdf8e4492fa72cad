// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/normalization/float_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/normalization/float_rows.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "plugins/cpu/vector/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace math = vector::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr size_t kMaxLanes = HWY_MAX_BYTES / sizeof(float);

/// The last elements of a row, padded to a vector.
HWY_INLINE V LoadTail(D d, const float* x, size_t count, float padding) {
  HWY_ALIGN float lanes[kMaxLanes];
  hn::Store(hn::Set(d, padding), d, lanes);
  std::memcpy(lanes, x, count * sizeof(float));
  return hn::Load(d, lanes);
}

HWY_INLINE void StoreTail(D d, V v, float* y, size_t count) {
  HWY_ALIGN float lanes[kMaxLanes];
  hn::Store(v, d, lanes);
  std::memcpy(y, lanes, count * sizeof(float));
}

HWY_INLINE V LoadOr(D d, const float* x, float otherwise) {
  return x == nullptr ? hn::Set(d, otherwise) : hn::LoadU(d, x);
}

float LargestOf(const float* x, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V a = hn::Set(d, x[0]), b = a;
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::Max(a, hn::LoadU(d, x + i));
    b = hn::Max(b, hn::LoadU(d, x + i + lanes));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Max(a, hn::LoadU(d, x + i));
  if (i < n) b = hn::Max(b, LoadTail(d, x + i, n - i, x[0]));
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(a, b)));
}

/// A row that is all -inf (or holds +inf) has no finite largest element to subtract.
float SafeShift(float largest) { return std::isinf(largest) && largest < 0 ? 0.0f : largest; }

template <bool kStore>
float ExpSum(const float* x, float shift, float* y, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V minus = hn::Set(d, shift);
  V a = hn::Zero(d), b = a;
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const V first = math::Exp(d, hn::Sub(hn::LoadU(d, x + i), minus));
    const V second = math::Exp(d, hn::Sub(hn::LoadU(d, x + i + lanes), minus));
    if constexpr (kStore) {
      hn::StoreU(first, d, y + i);
      hn::StoreU(second, d, y + i + lanes);
    }
    a = hn::Add(a, first);
    b = hn::Add(b, second);
  }
  for (; i + lanes <= n; i += lanes) {
    const V v = math::Exp(d, hn::Sub(hn::LoadU(d, x + i), minus));
    if constexpr (kStore) hn::StoreU(v, d, y + i);
    a = hn::Add(a, v);
  }
  if (i < n) {
    const V v = math::Exp(d, hn::Sub(LoadTail(d, x + i, n - i, shift), minus));
    if constexpr (kStore) StoreTail(d, v, y + i, n - i);
    b = hn::Add(b, hn::IfThenElseZero(hn::FirstN(d, n - i), v));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
}

void AffineTarget(const float* x, float centre, float factor, float offset, float* y, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V c = hn::Set(d, centre), f = hn::Set(d, factor), o = hn::Set(d, offset);
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const V v0 = hn::Sub(hn::LoadU(d, x + i), c), v1 = hn::Sub(hn::LoadU(d, x + i + lanes), c);
    const V v2 = hn::Sub(hn::LoadU(d, x + i + 2 * lanes), c), v3 = hn::Sub(hn::LoadU(d, x + i + 3 * lanes), c);
    hn::StoreU(hn::MulAdd(v0, f, o), d, y + i);
    hn::StoreU(hn::MulAdd(v1, f, o), d, y + i + lanes);
    hn::StoreU(hn::MulAdd(v2, f, o), d, y + i + 2 * lanes);
    hn::StoreU(hn::MulAdd(v3, f, o), d, y + i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), c), f, o), d, y + i);
  if (i < n) StoreTail(d, hn::MulAdd(hn::Sub(LoadTail(d, x + i, n - i, centre), c), f, o), y + i, n - i);
}

void AffineColumnsTarget(const float* x, const float* centre, const float* factor, const float* offset, float* y,
                         size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V v = hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, centre + i));
    hn::StoreU(hn::MulAdd(v, hn::LoadU(d, factor + i), hn::LoadU(d, offset + i)), d, y + i);
  }
  if (i == n) return;
  const size_t left = n - i;
  const V v = hn::Sub(LoadTail(d, x + i, left, 0), LoadTail(d, centre + i, left, 0));
  StoreTail(d, hn::MulAdd(v, LoadTail(d, factor + i, left, 0), LoadTail(d, offset + i, left, 0)), y + i, left);
}

void SoftmaxTarget(const float* x, float* y, size_t n) {
  const float sum = ExpSum<true>(x, SafeShift(LargestOf(x, n)), y, n);
  AffineTarget(y, 0.0f, 1.0f / sum, 0.0f, y, n);
}

void LogSoftmaxTarget(const float* x, float* y, size_t n) {
  const float shift = SafeShift(LargestOf(x, n));
  const float log_sum = std::log(ExpSum<false>(x, shift, nullptr, n));
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V s = hn::Set(d, shift), l = hn::Set(d, log_sum);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Sub(hn::Sub(hn::LoadU(d, x + i), s), l), d, y + i);
  if (i < n) StoreTail(d, hn::Sub(hn::Sub(LoadTail(d, x + i, n - i, 0), s), l), y + i, n - i);
}

void ExpColumnsTarget(const float* x, const float* largest, float* y, float* sum, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V v = math::Exp(d, hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, largest + i)));
    hn::StoreU(v, d, y + i);
    hn::StoreU(hn::Add(hn::LoadU(d, sum + i), v), d, sum + i);
  }
  if (i == n) return;
  const size_t left = n - i;
  const V v = math::Exp(d, hn::Sub(LoadTail(d, x + i, left, 0), LoadTail(d, largest + i, left, 0)));
  StoreTail(d, v, y + i, left);
  StoreTail(d, hn::Add(LoadTail(d, sum + i, left, 0), v), sum + i, left);
}

void ScaleColumnsTarget(const float* factor, float* y, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, y + i), hn::LoadU(d, factor + i)), d, y + i);
  for (; i < n; ++i) y[i] *= factor[i];
}

/// Sum of x - centre, or of its square, over elements few enough for float.
template <bool kSquares>
float BlockSum(const float* x, float centre, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V c = hn::Set(d, centre);
  V sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  const auto add = [&](V& sum, V v) HWY_ATTR {
    v = hn::Sub(v, c);
    sum = kSquares ? hn::MulAdd(v, v, sum) : hn::Add(sum, v);
  };
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes)
    for (size_t k = 0; k < 4; ++k) add(sums[k], hn::LoadU(d, x + i + k * lanes));
  for (; i + lanes <= n; i += lanes) add(sums[0], hn::LoadU(d, x + i));
  if (i < n) add(sums[1], LoadTail(d, x + i, n - i, centre));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
}

/// The same over any number of elements.
template <bool kSquares>
double RowSum(const float* x, float centre, size_t n) {
  constexpr size_t kBlock = 4096;
  if (n <= kBlock) return static_cast<double>(BlockSum<kSquares>(x, centre, n));
  double sum = 0;
  for (size_t i = 0; i < n; i += kBlock)
    sum += static_cast<double>(BlockSum<kSquares>(x + i, centre, n - i < kBlock ? n - i : kBlock));
  return sum;
}

/// The mean is taken around the row's first element: exact for a row of one value, and close where the row lies far
/// from 0 and its elements close together.
RowStatistics Measure(const float* x, bool centred, float epsilon, size_t n) {
  const double share = 1.0 / static_cast<double>(n);
  const double exact = centred ? static_cast<double>(x[0]) + RowSum<false>(x, x[0], n) * share : 0.0;
  const auto mean = static_cast<float>(exact);
  const double rest = exact - static_cast<double>(mean);
  const double variance = std::max(0.0, RowSum<true>(x, mean, n) * share - rest * rest);
  return {mean, static_cast<float>(rest), 1.0f / std::sqrt(static_cast<float>(variance) + epsilon)};
}

RowStatistics MeasureTarget(const float* x, float epsilon, size_t n) { return Measure(x, true, epsilon, n); }

RowStatistics NormalizeTarget(const float* x, const float* scale, const float* bias, bool centred, float epsilon,
                              float* y, size_t n) {
  const RowStatistics result = Measure(x, centred, epsilon, n);
  const float mean = result.mean;
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float shift = -result.mean_rest * result.inverse_std;
  const V m = hn::Set(d, mean), r = hn::Set(d, result.inverse_std), s = hn::Set(d, shift);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const V v = hn::MulAdd(hn::Sub(hn::LoadU(d, x + i), m), r, s);
    hn::StoreU(hn::MulAdd(v, LoadOr(d, scale == nullptr ? nullptr : scale + i, 1.0f),
                          LoadOr(d, bias == nullptr ? nullptr : bias + i, 0.0f)),
               d, y + i);
  }
  for (; i < n; ++i)
    y[i] = ((x[i] - mean) * result.inverse_std + shift) * (scale == nullptr ? 1.0f : scale[i]) +
           (bias == nullptr ? 0.0f : bias[i]);
  return result;
}

void AddRowsTarget(const float* x, const float* skip, const float* bias, float* sum, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V v = hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, skip + i));
    if (bias != nullptr) v = hn::Add(v, hn::LoadU(d, bias + i));
    hn::StoreU(v, d, sum + i);
  }
  for (; i < n; ++i) sum[i] = x[i] + skip[i] + (bias == nullptr ? 0.0f : bias[i]);
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(SoftmaxTarget);
HWY_EXPORT(LogSoftmaxTarget);
HWY_EXPORT(ExpColumnsTarget);
HWY_EXPORT(ScaleColumnsTarget);
HWY_EXPORT(MeasureTarget);
HWY_EXPORT(NormalizeTarget);
HWY_EXPORT(AddRowsTarget);
HWY_EXPORT(AffineTarget);
HWY_EXPORT(AffineColumnsTarget);

void SoftmaxRow(const float* x, float* y, size_t n) { HWY_DYNAMIC_DISPATCH(SoftmaxTarget)(x, y, n); }
void LogSoftmaxRow(const float* x, float* y, size_t n) { HWY_DYNAMIC_DISPATCH(LogSoftmaxTarget)(x, y, n); }
void ExpColumns(const float* x, const float* largest, float* y, float* sum, size_t n) {
  HWY_DYNAMIC_DISPATCH(ExpColumnsTarget)(x, largest, y, sum, n);
}
void ScaleColumns(const float* factor, float* y, size_t n) { HWY_DYNAMIC_DISPATCH(ScaleColumnsTarget)(factor, y, n); }
RowStatistics NormalizeRow(const float* x, const float* scale, const float* bias, bool centred, float epsilon, float* y,
                           size_t n) {
  return HWY_DYNAMIC_DISPATCH(NormalizeTarget)(x, scale, bias, centred, epsilon, y, n);
}
RowStatistics MeasureRow(const float* x, float epsilon, size_t n) {
  return HWY_DYNAMIC_DISPATCH(MeasureTarget)(x, epsilon, n);
}
void AddRows(const float* x, const float* skip, const float* bias, float* sum, size_t n) {
  HWY_DYNAMIC_DISPATCH(AddRowsTarget)(x, skip, bias, sum, n);
}
void AffineRow(const float* x, float centre, float factor, float offset, float* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(AffineTarget)(x, centre, factor, offset, y, n);
}
void AffineColumns(const float* x, const float* centre, const float* factor, const float* offset, float* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(AffineColumnsTarget)(x, centre, factor, offset, y, n);
}
}  // namespace ortrun::cpu
#endif
