// SPDX-License-Identifier: Apache-2.0
// Elementary functions over float vectors of any width: Exp, Log, Tanh, Sigmoid, Silu, Erf. Each takes a float tag and
// a vector, keeps NaN, and is good to about two units in the last place (Erf: 2e-7 absolute beyond |x| = 1). Include
// after hwy/highway.h in a file that is built once per target.

#if defined(ORTRUN_CPU_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ORTRUN_CPU_VECTOR_MATH_INL_H
#undef ORTRUN_CPU_VECTOR_MATH_INL_H
#else
#define ORTRUN_CPU_VECTOR_MATH_INL_H
#endif

#include <limits>

#include "hwy/highway.h"
#include "plugins/cpu/vector/clamp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::vector {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// c0 + c1 x + c2 x^2 + ..., coefficients from the highest power down.
template <class D, class V = hn::Vec<D>, typename... Coefficients>
HWY_INLINE V Polynomial(D d, V x, float highest, Coefficients... lower) {
  V sum = hn::Set(d, highest);
  ((sum = hn::MulAdd(sum, x, hn::Set(d, lower))), ...);
  return sum;
}

/// e^x: x = n ln2 + r with |r| <= ln2 / 2, e^r by its series, 2^n by two factors so that subnormals and infinity come
/// out right.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V bounded = hn::Min(hn::Max(x, hn::Set(d, -105.0F)), hn::Set(d, 89.5F));
  const V n = hn::Round(hn::Mul(bounded, hn::Set(d, 1.44269504F)));
  // ln2 in two parts, the first short enough that its product with n is exact.
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), bounded);
  r = hn::MulAdd(n, hn::Set(d, 2.12194440e-4F), r);
  const V series = Polynomial(d, r, 1.0F / 5040, 1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F);
  const auto exponent = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(exponent);
  const auto rest = hn::Sub(exponent, half);
  const auto bias = hn::Set(di, 127);
  const V first = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
  const V second = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(rest, bias)));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Mul(hn::Mul(series, first), second));
}

/// ln x: x = m 2^n with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m - 1) / (m + 1)) by its series.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V zero = hn::Zero(d);
  const auto tiny = hn::Lt(x, hn::Set(d, std::numeric_limits<float>::min()));
  const V normal = hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, 33554432.0F)), x);  // 2^25 lifts subnormals
  const auto bits = hn::BitCast(di, normal);
  const auto offset = hn::Set(di, 0x3f3504f3);  // sqrt(1/2)
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, offset));
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent)));
  V n = hn::ConvertTo(d, exponent);
  n = hn::Sub(n, hn::IfThenElseZero(tiny, hn::Set(d, 25.0F)));
  const V f = hn::Sub(m, hn::Set(d, 1.0F));
  const V s = hn::Div(f, hn::Add(m, hn::Set(d, 1.0F)));
  const V s2 = hn::Mul(s, s);
  const V tail = hn::Mul(hn::Mul(s, s2), Polynomial(d, s2, 2.0F / 9, 2.0F / 7, 2.0F / 5, 2.0F / 3));
  V result = hn::Add(hn::Add(s, s), tail);
  result = hn::MulAdd(n, hn::Set(d, -2.12194440e-4F), result);
  result = hn::MulAdd(n, hn::Set(d, 0.693359375F), result);
  const V infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  result = hn::IfThenElse(hn::Eq(x, infinity), infinity, result);
  result = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), result);
  const V nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  return hn::IfThenElse(hn::Or(hn::Lt(x, zero), hn::IsNaN(x)), nan, result);
}

/// 1 + e^-x, infinite beyond -88.4. Shorter than Exp: what is below the last place of 1 does not count, so 2^n needs
/// one factor only, whose exponent is read off the sum that rounds n.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V OnePlusExpNegated(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V bounded = AtMost(hn::Set(d, 87.0F), AtLeast(hn::Set(d, -89.0F), x));
  const V rounder = hn::Set(d, 12582912.0F + 127.0F);  // 1.5 2^23: the last place is 1
  const V shifted = hn::NegMulAdd(bounded, hn::Set(d, 1.44269504F), rounder);
  const V n = hn::Sub(shifted, rounder);
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), hn::Neg(bounded));
  r = hn::MulAdd(n, hn::Set(d, 2.12194440e-4F), r);
  // Fitted to e^r over |r| <= ln2 / 2, 1e-7 relative.
  const V series = Polynomial(d, r, 0.00831252057F, 0.0418901555F, 0.166671142F, 0.499992311F, 1.0F, 1.0F);
  const V power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, shifted)));
  return hn::MulAdd(series, power, hn::Set(d, 1.0F));
}

/// 1 / (1 + e^-x).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  return hn::Div(hn::Set(d, 1.0F), OnePlusExpNegated(d, x));
}

/// x / (1 + e^-x).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Silu(D d, V x) {
  return hn::Div(x, OnePlusExpNegated(d, x));
}

/// By its series where 1 - 2 / (e^2x + 1) would cancel.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V one = hn::Set(d, 1.0F);
  const V x2 = hn::Mul(x, x);
  const V series =
      Polynomial(d, x2, 21844.0F / 6081075, -1382.0F / 155925, 62.0F / 2835, -17.0F / 315, 2.0F / 15, -1.0F / 3, 1.0F);
  const V far = hn::Sub(one, hn::Div(hn::Set(d, 2.0F), hn::Add(Exp(d, hn::Add(x, x)), one)));
  return hn::IfThenElse(hn::Lt(hn::Abs(x), hn::Set(d, 0.5F)), hn::Mul(x, series), far);
}

/// By its series up to |x| = 1, beyond by the rational form of Abramowitz and Stegun, 7.1.26.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  const V one = hn::Set(d, 1.0F);
  const V a = hn::Abs(x);
  const V x2 = hn::Mul(x, x);
  // 2/sqrt(pi) (-1)^k / (k! (2k + 1))
  const V series =
      Polynomial(d, x2, 1.4807192815879218e-8F, -1.6365844691234924e-7F, 1.6462114365889246e-6F,
                 -1.4925650358406251e-5F, 1.2055332981789664e-4F, -8.5483270234508528e-4F, 5.2239776254421878e-3F,
                 -2.6866170645131252e-2F, 0.11283791670955126F, -0.37612638903183752F, 1.1283791670955126F);
  const V t = hn::Div(one, hn::MulAdd(hn::Set(d, 0.3275911F), a, one));
  const V rational =
      hn::Mul(t, Polynomial(d, t, 1.061405429F, -1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F));
  const V far = hn::CopySign(hn::NegMulAdd(rational, Exp(d, hn::Neg(x2)), one), x);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenElse(hn::Lt(a, one), hn::Mul(x, series), far));
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu::vector
HWY_AFTER_NAMESPACE();

#endif
