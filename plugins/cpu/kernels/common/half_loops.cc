// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/half_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/common/half_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using FloatTag = hn::ScalableTag<float>;
using WordTag = hn::RebindToUnsigned<FloatTag>;
using SignedTag = hn::RebindToSigned<FloatTag>;
using CodeTag = hn::Rebind<uint16_t, FloatTag>;
using FloatVec = hn::Vec<FloatTag>;
using WordVec = hn::Vec<WordTag>;

// Only with the instructions for it: the library's stand-in for older machines does not round.
constexpr bool kConvertsFloat16 =
#ifdef HWY_DISABLE_F16C
    false;
#else
    HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;
#endif

HWY_INLINE WordVec Word(uint32_t bits) { return hn::Set(WordTag(), bits); }
HWY_INLINE WordVec Bits(FloatVec value) { return hn::BitCast(WordTag(), value); }
HWY_INLINE FloatVec Value(WordVec bits) { return hn::BitCast(FloatTag(), bits); }
/// Codes are below 2^16, so that comparing them as signed numbers is right (and unsigned comparison is rare).
HWY_INLINE auto Above(WordVec a, uint32_t limit) {
  return hn::RebindMask(WordTag(),
                        hn::Gt(hn::BitCast(SignedTag(), a), hn::Set(SignedTag(), static_cast<int32_t>(limit))));
}

HWY_INLINE FloatVec LoadWide(const Float16* from) {
  const auto codes = hn::LoadU(CodeTag(), reinterpret_cast<const uint16_t*>(from));
  if constexpr (kConvertsFloat16) {
    return hn::PromoteTo(FloatTag(), hn::BitCast(hn::Rebind<hwy::float16_t, FloatTag>(), codes));
  } else {
    const WordVec wide = hn::PromoteTo(WordTag(), codes);
    const WordVec sign = hn::ShiftLeft<16>(hn::And(wide, Word(0x8000)));
    const WordVec magnitude = hn::And(wide, Word(0x7fff));
    const WordVec shifted = hn::ShiftLeft<13>(magnitude);
    // Normal numbers move their exponent by 127 - 15, infinity and NaN by as much again.
    const WordVec normal = hn::Add(shifted, Word(112U << 23));
    const WordVec special = hn::Add(shifted, Word(224U << 23));
    const WordVec tiny =
        Bits(hn::Mul(hn::ConvertTo(FloatTag(), hn::BitCast(SignedTag(), magnitude)), hn::Set(FloatTag(), 0x1p-24F)));
    const WordVec finite = hn::IfThenElse(Above(magnitude, 0x3ff), normal, tiny);
    return Value(hn::Or(sign, hn::IfThenElse(Above(magnitude, 0x7bff), special, finite)));
  }
}

HWY_INLINE FloatVec LoadWide(const BFloat16* from) {
  return Value(
      hn::ShiftLeft<16>(hn::PromoteTo(WordTag(), hn::LoadU(CodeTag(), reinterpret_cast<const uint16_t*>(from)))));
}

HWY_INLINE void StoreCodes(WordVec codes, uint16_t* to) {
  hn::StoreU(hn::DemoteTo(CodeTag(), hn::BitCast(SignedTag(), codes)), CodeTag(), to);
}

HWY_INLINE void StoreNarrow(FloatVec value, Float16* to) {
  auto* codes = reinterpret_cast<uint16_t*>(to);
  if constexpr (kConvertsFloat16) {
    hn::StoreU(hn::BitCast(CodeTag(), hn::DemoteTo(hn::Rebind<hwy::float16_t, FloatTag>(), value)), CodeTag(), codes);
  } else {  // as Float16(float)
    const WordVec word = Bits(value);
    const WordVec sign = hn::And(hn::ShiftRight<16>(word), Word(0x8000));
    const WordVec magnitude = hn::And(word, Word(0x7fffffff));
    const WordVec odd = hn::And(hn::ShiftRight<13>(magnitude), Word(1));
    const WordVec normal = hn::ShiftRight<13>(hn::Add(hn::Sub(magnitude, Word(0x38000000)), hn::Add(odd, Word(0xfff))));
    const WordVec tiny = hn::Sub(Bits(hn::Add(Value(magnitude), hn::Set(FloatTag(), 0.5F))), Word(0x3f000000));
    WordVec code = hn::IfThenElse(Above(magnitude, 0x387fffff), normal, tiny);
    code = hn::IfThenElse(Above(magnitude, 0x477fefff), Word(0x7c00), code);
    code = hn::IfThenElse(Above(magnitude, 0x7f800000), Word(0x7e00), code);
    StoreCodes(hn::Or(sign, code), codes);
  }
}

HWY_INLINE void StoreNarrow(FloatVec value, BFloat16* to) {
  const WordVec word = Bits(value);
  const WordVec odd = hn::And(hn::ShiftRight<16>(word), Word(1));
  const WordVec rounded = hn::ShiftRight<16>(hn::Add(word, hn::Add(odd, Word(0x7fff))));
  const WordVec quiet = hn::Or(hn::ShiftRight<16>(word), Word(0x40));
  const auto nan = hn::RebindMask(WordTag(), hn::IsNaN(value));
  StoreCodes(hn::IfThenElse(nan, quiet, rounded), reinterpret_cast<uint16_t*>(to));
}

template <typename T>
void WidenLoop(const T* from, float* to, size_t count) {
  const size_t lanes = hn::Lanes(FloatTag());
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(LoadWide(from + i), FloatTag(), to + i);
  for (; i < count; ++i) to[i] = from[i];
}

template <typename T>
void NarrowLoop(const float* from, T* to, size_t count) {
  const size_t lanes = hn::Lanes(FloatTag());
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) StoreNarrow(hn::LoadU(FloatTag(), from + i), to + i);
  for (; i < count; ++i) to[i] = T(from[i]);
}

}  // namespace

void WidenFloat16(const Float16* from, float* to, size_t count) { WidenLoop(from, to, count); }
void WidenBFloat16(const BFloat16* from, float* to, size_t count) { WidenLoop(from, to, count); }
void NarrowFloat16(const float* from, Float16* to, size_t count) { NarrowLoop(from, to, count); }
void NarrowBFloat16(const float* from, BFloat16* to, size_t count) { NarrowLoop(from, to, count); }

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
namespace {

HWY_EXPORT(WidenFloat16);
HWY_EXPORT(WidenBFloat16);
HWY_EXPORT(NarrowFloat16);
HWY_EXPORT(NarrowBFloat16);

/// Elements that pay for handing a conversion to another thread.
constexpr size_t kGrain = 1 << 15;

const void* At(const void* data, size_t index) { return static_cast<const uint16_t*>(data) + index; }
void* At(void* data, size_t index) { return static_cast<uint16_t*>(data) + index; }

}  // namespace

void Widen(const Float16* from, float* to, size_t count) { HWY_DYNAMIC_DISPATCH(WidenFloat16)(from, to, count); }
void Widen(const BFloat16* from, float* to, size_t count) { HWY_DYNAMIC_DISPATCH(WidenBFloat16)(from, to, count); }
void Narrow(const float* from, Float16* to, size_t count) { HWY_DYNAMIC_DISPATCH(NarrowFloat16)(from, to, count); }
void Narrow(const float* from, BFloat16* to, size_t count) { HWY_DYNAMIC_DISPATCH(NarrowBFloat16)(from, to, count); }

bool IsHalf(ElementType type) { return type == kTypeOf<Float16> || type == kTypeOf<BFloat16>; }

void WidenHalf(ElementType type, const void* from, float* to, size_t count) {
  DispatchType<Halves>(type, [&]<typename T>(std::type_identity<T>) { Widen(static_cast<const T*>(from), to, count); });
}

void NarrowHalf(ElementType type, const float* from, void* to, size_t count) {
  DispatchType<Halves>(type, [&]<typename T>(std::type_identity<T>) { Narrow(from, static_cast<T*>(to), count); });
}

void WidenHalf(const KernelContext& context, ElementType type, const void* from, float* to, size_t count) {
  context.ParallelRange(count, kGrain,
                        [=](size_t begin, size_t end) { WidenHalf(type, At(from, begin), to + begin, end - begin); });
}

void NarrowHalf(const KernelContext& context, ElementType type, const float* from, void* to, size_t count) {
  context.ParallelRange(count, kGrain,
                        [=](size_t begin, size_t end) { NarrowHalf(type, from + begin, At(to, begin), end - begin); });
}

}  // namespace ortrun::cpu
#endif
