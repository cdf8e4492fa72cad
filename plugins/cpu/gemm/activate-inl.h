// SPDX-License-Identifier: Apache-2.0
// Activations over arrays. Include after hwy/highway.h in a file that is built once per target.

#if defined(ORTRUN_CPU_GEMM_ACTIVATE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ORTRUN_CPU_GEMM_ACTIVATE_INL_H
#undef ORTRUN_CPU_GEMM_ACTIVATE_INL_H
#else
#define ORTRUN_CPU_GEMM_ACTIVATE_INL_H
#endif

#include "hwy/highway.h"
#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/vector/clamp-inl.h"
#include "plugins/cpu/vector/math-inl.h"
#include "plugins/cpu/vector/partial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {

template <class F>
HWY_INLINE void MapArray(const float* x, float* y, size_t count, const F& f) {
  namespace hn = hwy::HWY_NAMESPACE;
  namespace vec = ortrun::cpu::vector::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
  if (i < count) vec::StorePartial(f(vec::LoadPartial(d, x + i, count - i)), d, y + i, count - i);
}

/// Calls body(f), where f takes a vector to its activation.
template <class Body>
HWY_INLINE void WithActivation(const Activation& activation, const Body& body) {
  namespace hn = hwy::HWY_NAMESPACE;
  namespace vec = ortrun::cpu::vector::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const V zero = hn::Zero(d);
  const V half = hn::Set(d, 0.5F);
  const V one = hn::Set(d, 1.0F);
  const V alpha = hn::Set(d, activation.alpha);
  const V beta = hn::Set(d, activation.beta);
  switch (activation.kind) {
    case ActivationKind::kNone:
      return body([](V v) { return v; });
    case ActivationKind::kRelu:
      return body([=](V v) { return vec::AtLeast(zero, v); });
    case ActivationKind::kClip:
      return body([=](V v) { return vec::Clamp(alpha, beta, v); });
    case ActivationKind::kLeakyRelu:
      return body([=](V v) { return hn::IfThenElse(hn::Lt(v, zero), hn::Mul(v, alpha), v); });
    case ActivationKind::kSigmoid:
      return body([=](V v) { return vec::Sigmoid(d, v); });
    case ActivationKind::kTanh:
      return body([=](V v) { return vec::Tanh(d, v); });
    case ActivationKind::kHardSigmoid:
      return body([=](V v) { return vec::Clamp(zero, one, hn::MulAdd(v, alpha, beta)); });
    case ActivationKind::kHardSwish: {
      const V sixth = hn::Set(d, 1.0F / 6.0F);
      return body([=](V v) { return hn::Mul(v, vec::Clamp(zero, one, hn::MulAdd(v, sixth, half))); });
    }
    case ActivationKind::kSilu:
      return body([=](V v) { return vec::Silu(d, v); });
    case ActivationKind::kGeluErf: {
      const V root = hn::Set(d, 0.70710678118654752F);
      return body([=](V v) { return hn::Mul(hn::Mul(half, v), hn::Add(one, vec::Erf(d, hn::Mul(v, root)))); });
    }
    case ActivationKind::kGeluTanh: {
      const V scale = hn::Set(d, 0.79788456080286536F);
      const V cubic = hn::Set(d, 0.044715F);
      return body([=](V v) {
        const V inner = hn::Mul(hn::Mul(scale, v), hn::MulAdd(hn::Mul(cubic, v), v, one));
        return hn::Mul(hn::Mul(half, v), hn::Add(one, vec::Tanh(d, inner)));
      });
    }
  }
}

inline void ActivateArray(const Activation& activation, const float* x, float* y, size_t count) {
  if (activation.kind == ActivationKind::kNone && x == y) return;
  WithActivation(activation, [=](const auto& f) { MapArray(x, y, count, f); });
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#endif
