// SPDX-License-Identifier: Apache-2.0
// Loads and stores of the first `count` floats of a vector, 1..lanes, that touch nothing beyond them. Other lanes load
// as zero. Include after hwy/highway.h in a file that is built once per target.

#if defined(ORTRUN_CPU_VECTOR_PARTIAL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ORTRUN_CPU_VECTOR_PARTIAL_INL_H
#undef ORTRUN_CPU_VECTOR_PARTIAL_INL_H
#else
#define ORTRUN_CPU_VECTOR_PARTIAL_INL_H
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::vector {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Masked loads and stores of this target leave the masked memory alone (elsewhere they read, blend and write).
constexpr bool kMaskedMemory = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;

template <class D>
HWY_INLINE hn::Vec<D> LoadPartial(D d, const float* from, size_t count) {
  if constexpr (kMaskedMemory) {
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
  } else {
    if (count == hn::Lanes(d)) return hn::LoadU(d, from);
    HWY_ALIGN float lanes[hn::MaxLanes(D())];
    hn::Store(hn::Zero(d), d, lanes);
    for (size_t i = 0; i < count; ++i) lanes[i] = from[i];
    return hn::Load(d, lanes);
  }
}

template <class D>
HWY_INLINE void StorePartial(hn::Vec<D> value, D d, float* to, size_t count) {
  if constexpr (kMaskedMemory) {
    hn::BlendedStore(value, hn::FirstN(d, count), d, to);
  } else {
    if (count == hn::Lanes(d)) {
      hn::StoreU(value, d, to);
      return;
    }
    HWY_ALIGN float lanes[hn::MaxLanes(D())];
    hn::Store(value, d, lanes);
    for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu::vector
HWY_AFTER_NAMESPACE();

#endif
