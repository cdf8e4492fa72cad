// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/reduction/float_fold.h"

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/reduction/float_fold.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "plugins/cpu/vector/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

struct Sum {
  static V Apply(V a, V b) { return hn::Add(a, b); }
  static float Apply(float a, float b) { return a + b; }
  static float Lanes(D d, V v) { return hn::GetLane(hn::SumOfLanes(d, v)); }
  static constexpr float kIdentity = 0.0f;
};
struct Product {
  static V Apply(V a, V b) { return hn::Mul(a, b); }
  static float Apply(float a, float b) { return a * b; }
  static float Lanes(D d, V v) {
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(v, d, lanes);
    float product = 1.0f;
    for (size_t i = 0; i < hn::Lanes(d); ++i) product *= lanes[i];
    return product;
  }
  static constexpr float kIdentity = 1.0f;
};
/// Largest (or smallest) element. A NaN wins, as it does in numpy: x86's max and min answer their second operand when
/// one of the two is NaN, so only a NaN in the accumulator has to be kept by hand.
template <bool kLargest>
struct Extreme {
  static V Pick(V a, V b) { return kLargest ? hn::Max(a, b) : hn::Min(a, b); }
  static V Apply(V a, V b) { return hn::IfThenElse(hn::IsNaN(a), a, Pick(a, b)); }
  static float Apply(float a, float b) { return (kLargest ? b > a : b < a) || b != b ? b : a; }
  static float Lanes(D d, V v) {
    HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(v, d, lanes);
    float best = lanes[0];
    for (size_t i = 1; i < hn::Lanes(d) && best == best; ++i) best = Apply(best, lanes[i]);
    return best;
  }
  static constexpr float kIdentity =
      kLargest ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
};
using Max = Extreme<true>;
using Min = Extreme<false>;

struct None {
  static V Apply(D, V x, V) { return x; }
  static float Apply(float x, float) { return x; }
};
struct Abs {
  static V Apply(D, V x, V) { return hn::Abs(x); }
  static float Apply(float x, float) { return x < 0 ? -x : x; }
};
struct Square {
  static V Apply(D, V x, V) { return hn::Mul(x, x); }
  static float Apply(float x, float) { return x * x; }
};
struct Minus {
  static V Apply(D, V x, V shift) { return hn::Sub(x, shift); }
  static float Apply(float x, float shift) { return x - shift; }
};
struct Exp {
  static V Apply(D d, V x, V shift) { return vector::HWY_NAMESPACE::Exp(d, hn::Sub(x, shift)); }
};

template <typename F, typename M>
float Row(const float* x, size_t n, float shift) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V minus = hn::Set(d, shift);
  V a0 = hn::Set(d, F::kIdentity), a1 = a0, a2 = a0, a3 = a0;
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a0 = F::Apply(a0, M::Apply(d, hn::LoadU(d, x + i), minus));
    a1 = F::Apply(a1, M::Apply(d, hn::LoadU(d, x + i + lanes), minus));
    a2 = F::Apply(a2, M::Apply(d, hn::LoadU(d, x + i + 2 * lanes), minus));
    a3 = F::Apply(a3, M::Apply(d, hn::LoadU(d, x + i + 3 * lanes), minus));
  }
  for (; i + lanes <= n; i += lanes) a0 = F::Apply(a0, M::Apply(d, hn::LoadU(d, x + i), minus));
  if (i < n) {
    HWY_ALIGN float tail[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(hn::Zero(d), d, tail);
    for (size_t k = 0; i + k < n; ++k) tail[k] = x[i + k];
    const auto mask = hn::FirstN(d, n - i);
    a1 = F::Apply(a1, hn::IfThenElse(mask, M::Apply(d, hn::Load(d, tail), minus), hn::Set(d, F::kIdentity)));
  }
  return F::Lanes(d, F::Apply(F::Apply(a0, a1), F::Apply(a2, a3)));
}

/// kVectors neighbouring vectors of columns, folded over all rows while they stay in registers.
template <typename F, typename M, size_t kVectors>
HWY_INLINE void ColumnStrip(float* HWY_RESTRICT to, const float* HWY_RESTRICT x, size_t rows, size_t stride,
                            const float* shifts) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V none = hn::Zero(d);
  V a = hn::LoadU(d, to), b = none, c = none, e = none;
  V shift_a = none, shift_b = none, shift_c = none, shift_e = none;
  if (shifts != nullptr) {
    shift_a = hn::LoadU(d, shifts);
    if constexpr (kVectors > 1) {
      shift_b = hn::LoadU(d, shifts + lanes);
      shift_c = hn::LoadU(d, shifts + 2 * lanes);
      shift_e = hn::LoadU(d, shifts + 3 * lanes);
    }
  }
  if constexpr (kVectors > 1) {
    b = hn::LoadU(d, to + lanes);
    c = hn::LoadU(d, to + 2 * lanes);
    e = hn::LoadU(d, to + 3 * lanes);
  }
  for (size_t row = 0; row < rows; ++row, x += stride) {
    a = F::Apply(a, M::Apply(d, hn::LoadU(d, x), shift_a));
    if constexpr (kVectors > 1) {
      b = F::Apply(b, M::Apply(d, hn::LoadU(d, x + lanes), shift_b));
      c = F::Apply(c, M::Apply(d, hn::LoadU(d, x + 2 * lanes), shift_c));
      e = F::Apply(e, M::Apply(d, hn::LoadU(d, x + 3 * lanes), shift_e));
    }
  }
  hn::StoreU(a, d, to);
  if constexpr (kVectors > 1) {
    hn::StoreU(b, d, to + lanes);
    hn::StoreU(c, d, to + 2 * lanes);
    hn::StoreU(e, d, to + 3 * lanes);
  }
}

template <typename F, typename M>
void Columns(float* to, const float* x, size_t n, size_t rows, size_t stride, const float* shifts = nullptr) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto shift = [=](size_t i) { return shifts == nullptr ? nullptr : shifts + i; };
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) ColumnStrip<F, M, 4>(to + i, x + i, rows, stride, shift(i));
  for (; i + lanes <= n; i += lanes) ColumnStrip<F, M, 1>(to + i, x + i, rows, stride, shift(i));
  for (; i < n; ++i)
    for (size_t row = 0; row < rows; ++row)
      to[i] = F::Apply(to[i], M::Apply(x[row * stride + i], shifts == nullptr ? 0.0f : shifts[i]));
}

template <typename Body>
auto WithMap(Map map, Body body) {
  switch (map) {
    case Map::kAbs:
      return body(Abs());
    case Map::kSquare:
      return body(Square());
    case Map::kExp:
      return body(Exp());
    case Map::kMinus:
      return body(Minus());
    default:
      return body(None());
  }
}

float DotTarget(const float* a, const float* b, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), s0);
    s1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), s1);
    s2 = hn::MulAdd(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, b + i + 2 * lanes), s2);
    s3 = hn::MulAdd(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, b + i + 3 * lanes), s3);
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), s0);
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

float FoldRowTarget(Fold fold, Map map, const float* x, size_t n, float shift) {
  switch (fold) {
    case Fold::kProduct:
      return Row<Product, None>(x, n, shift);
    case Fold::kMax:
      return Row<Max, None>(x, n, shift);
    case Fold::kMin:
      return Row<Min, None>(x, n, shift);
    default:
      return WithMap(map, [&](auto m) { return Row<Sum, decltype(m)>(x, n, shift); });
  }
}

void FoldColumnsTarget(Fold fold, Map map, float* to, const float* x, size_t n, size_t rows, size_t stride,
                       const float* shifts) {
  switch (fold) {
    case Fold::kProduct:
      return Columns<Product, None>(to, x, n, rows, stride);
    case Fold::kMax:
      return Columns<Max, None>(to, x, n, rows, stride);
    case Fold::kMin:
      return Columns<Min, None>(to, x, n, rows, stride);
    default:
      break;
  }
  switch (map) {
    case Map::kAbs:
      return Columns<Sum, Abs>(to, x, n, rows, stride);
    case Map::kSquare:
      return Columns<Sum, Square>(to, x, n, rows, stride);
    case Map::kMinus:
      return Columns<Sum, Minus>(to, x, n, rows, stride, shifts);
    default:
      return Columns<Sum, None>(to, x, n, rows, stride);
  }
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(FoldRowTarget);
HWY_EXPORT(DotTarget);
HWY_EXPORT(FoldColumnsTarget);

float FoldRow(Fold fold, Map map, const float* x, size_t n, float shift) {
  return HWY_DYNAMIC_DISPATCH(FoldRowTarget)(fold, map, x, n, shift);
}

void FoldColumns(Fold fold, Map map, float* to, const float* x, size_t n, size_t rows, size_t stride,
                 const float* shifts) {
  HWY_DYNAMIC_DISPATCH(FoldColumnsTarget)(fold, map, to, x, n, rows, stride, shifts);
}

float DotProduct(const float* a, const float* b, size_t n) { return HWY_DYNAMIC_DISPATCH(DotTarget)(a, b, n); }

float FoldIdentity(Fold fold) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (fold) {
    case Fold::kProduct:
      return 1.0f;
    case Fold::kMax:
      return -kInfinity;
    case Fold::kMin:
      return kInfinity;
    default:
      return 0.0f;
  }
}
}  // namespace ortrun::cpu
#endif
