// SPDX-License-Identifier: Apache-2.0
// Bounds that keep NaN. Include after hwy/highway.h in a file that is built once per target.

#if defined(ORTRUN_CPU_VECTOR_CLAMP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ORTRUN_CPU_VECTOR_CLAMP_INL_H
#undef ORTRUN_CPU_VECTOR_CLAMP_INL_H
#else
#define ORTRUN_CPU_VECTOR_CLAMP_INL_H
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::vector {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The vector instructions of x86 give their second operand where one is NaN; others leave it open.
constexpr bool kMaxGivesSecond = HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR;

template <class V>
HWY_INLINE V AtLeast(V low, V x) {
  if constexpr (kMaxGivesSecond) {
    return hn::Max(low, x);
  } else {
    return hn::IfThenElse(hn::Lt(x, low), low, x);
  }
}

template <class V>
HWY_INLINE V AtMost(V high, V x) {
  if constexpr (kMaxGivesSecond) {
    return hn::Min(high, x);
  } else {
    return hn::IfThenElse(hn::Lt(high, x), high, x);
  }
}

template <class V>
HWY_INLINE V Clamp(V low, V high, V x) {
  return AtMost(high, AtLeast(low, x));
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu::vector
HWY_AFTER_NAMESPACE();

#endif
