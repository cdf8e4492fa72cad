// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/attention/score_rows.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/attention/score_rows.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "plugins/cpu/vector/math-inl.h"
#include "plugins/cpu/vector/partial-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace vec = vector::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

/// x[i] = map(x[i], i, count) over whole vectors, the last one perhaps partial.
template <typename Map>
HWY_INLINE void MapRow(float* x, size_t n, const Map& map) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(map(hn::LoadU(d, x + i), i, lanes), d, x + i);
  if (i < n) vec::StorePartial(map(vec::LoadPartial(d, x + i, n - i), i, n - i), d, x + i, n - i);
}

HWY_INLINE V LoadSome(D d, const float* x, size_t count) {
  return count == hn::Lanes(d) ? hn::LoadU(d, x) : vec::LoadPartial(d, x, count);
}

void ScaleScoresTarget(float factor, float softcap, float* x, size_t n) {
  const D d;
  if (softcap == 0) {
    const V f = hn::Set(d, factor);
    MapRow(x, n, [&](V v, size_t, size_t) HWY_ATTR { return hn::Mul(v, f); });
    return;
  }
  const V f = hn::Set(d, factor / softcap);
  const V cap = hn::Set(d, softcap);
  MapRow(x, n, [&](V v, size_t, size_t) HWY_ATTR { return hn::Mul(cap, vec::Tanh(d, hn::Mul(v, f))); });
}

void AddMaskTarget(const float* mask, float* x, size_t n) {
  const D d;
  const V masked = hn::Set(d, -std::numeric_limits<float>::infinity());
  MapRow(x, n, [&](V v, size_t i, size_t count) HWY_ATTR {
    const V m = LoadSome(d, mask + i, count);
    return hn::IfThenElse(hn::Eq(m, masked), masked, hn::Add(v, m));
  });
}

void SelectMaskTarget(const uint8_t* mask, float* x, size_t n) {
  const D d;
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<uint8_t, D> bytes;
  const size_t lanes = hn::Lanes(d);
  const V masked = hn::Set(d, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto keep = hn::PromoteTo(du, hn::LoadU(bytes, mask + i));
    const auto drop = hn::RebindMask(d, hn::Eq(keep, hn::Zero(du)));
    hn::StoreU(hn::IfThenElse(drop, masked, hn::LoadU(d, x + i)), d, x + i);
  }
  for (; i < n; ++i) {
    if (mask[i] == 0) x[i] = -std::numeric_limits<float>::infinity();
  }
}

float LargestScore(const float* x, size_t n, float largest) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V start = hn::Set(d, largest);
  V a = start;
  V b = start;
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::Max(a, hn::LoadU(d, x + i));
    b = hn::Max(b, hn::LoadU(d, x + i + lanes));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Max(a, hn::LoadU(d, x + i));
  if (i < n) b = hn::Max(b, hn::IfThenElse(hn::FirstN(d, n - i), vec::LoadPartial(d, x + i, n - i), start));
  return hn::GetLane(hn::MaxOfLanes(d, hn::Max(a, b)));
}

float FoldSoftmaxTarget(float* x, size_t n, SoftmaxState& state) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float before = state.largest;
  state.largest = LargestScore(x, n, before);
  // A row that saw only -inf has nothing to subtract: its exponentials are zeros (and NaN stays NaN).
  const float shift = state.largest == -std::numeric_limits<float>::infinity() ? 0.0F : state.largest;
  const V minus = hn::Set(d, shift);
  V a = hn::Zero(d);
  V b = a;
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const V first = vec::Exp(d, hn::Sub(hn::LoadU(d, x + i), minus));
    const V second = vec::Exp(d, hn::Sub(hn::LoadU(d, x + i + lanes), minus));
    hn::StoreU(first, d, x + i);
    hn::StoreU(second, d, x + i + lanes);
    a = hn::Add(a, first);
    b = hn::Add(b, second);
  }
  for (; i + lanes <= n; i += lanes) {
    const V v = vec::Exp(d, hn::Sub(hn::LoadU(d, x + i), minus));
    hn::StoreU(v, d, x + i);
    a = hn::Add(a, v);
  }
  if (i < n) {
    const V v = vec::Exp(d, hn::Sub(vec::LoadPartial(d, x + i, n - i), minus));
    vec::StorePartial(v, d, x + i, n - i);
    b = hn::Add(b, hn::IfThenElseZero(hn::FirstN(d, n - i), v));
  }
  const float keep = before == state.largest ? 1.0F : std::exp(before - shift);
  state.sum = state.sum * keep + hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  return keep;
}

void BlendRowTarget(const float* x, float keep, float factor, float* y, size_t n) {
  const D d;
  const V f = hn::Set(d, factor);
  if (keep == 0) {
    MapRow(y, n, [&](V, size_t i, size_t count) HWY_ATTR { return hn::Mul(LoadSome(d, x + i, count), f); });
    return;
  }
  const V k = hn::Set(d, keep);
  MapRow(y, n,
         [&](V v, size_t i, size_t count) HWY_ATTR { return hn::Mul(hn::MulAdd(v, k, LoadSome(d, x + i, count)), f); });
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(ScaleScoresTarget);
HWY_EXPORT(AddMaskTarget);
HWY_EXPORT(SelectMaskTarget);
HWY_EXPORT(FoldSoftmaxTarget);
HWY_EXPORT(BlendRowTarget);

void ScaleScores(float factor, float softcap, float* x, size_t n) {
  HWY_DYNAMIC_DISPATCH(ScaleScoresTarget)(factor, softcap, x, n);
}
void AddMask(const float* mask, float* x, size_t n) { HWY_DYNAMIC_DISPATCH(AddMaskTarget)(mask, x, n); }
void SelectMask(const uint8_t* mask, float* x, size_t n) { HWY_DYNAMIC_DISPATCH(SelectMaskTarget)(mask, x, n); }
float FoldSoftmax(float* x, size_t n, SoftmaxState& state) {
  return HWY_DYNAMIC_DISPATCH(FoldSoftmaxTarget)(x, n, state);
}
void BlendRow(const float* x, float keep, float factor, float* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(BlendRowTarget)(x, keep, factor, y, n);
}
}  // namespace ortrun::cpu
#endif
