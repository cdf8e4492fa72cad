// SPDX-License-Identifier: Apache-2.0
// The second pass of a convolution's epilogue. Include after hwy/highway.h in a file that is built once per target.

#if defined(ORTRUN_CPU_CONV_FINISH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ORTRUN_CPU_CONV_FINISH_INL_H
#undef ORTRUN_CPU_CONV_FINISH_INL_H
#else
#define ORTRUN_CPU_CONV_FINISH_INL_H
#endif

#include "hwy/highway.h"
#include "plugins/cpu/conv/finish.h"
#include "plugins/cpu/gemm/activate-inl.h"
#include "plugins/cpu/vector/partial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace vec = ortrun::cpu::vector::HWY_NAMESPACE;

/// What MakeFinish(e).second_pass asks for, over `count` floats of the output.
inline void FinishRow(const Epilogue& e, float* row, size_t count, const float* residual) {
  const hn::ScalableTag<float> d;
  const bool clamped = e.activation.kind == ActivationKind::kRelu || e.activation.kind == ActivationKind::kClip;
  if (!clamped) ActivateArray(e.activation, row, row, count);
  if (residual == nullptr || !e.residual_after) return;
  const auto scale = hn::Set(d, e.residual_scale);
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < count; i += lanes) {
    const size_t part = HWY_MIN(lanes, count - i);
    const auto sum = hn::MulAdd(vec::LoadPartial(d, residual + i, part), scale, vec::LoadPartial(d, row + i, part));
    vec::StorePartial(sum, d, row + i, part);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#endif
