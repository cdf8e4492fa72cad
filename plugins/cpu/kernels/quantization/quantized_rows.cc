// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/quantization/quantized_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/quantization/quantized_rows.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DI = hn::Rebind<int32_t, D>;
using V = hn::Vec<D>;

/// Calls body(i, count) for whole vectors and once for what is left.
template <typename Body>
HWY_INLINE void ForVectors(size_t n, const Body& body) {
  const size_t lanes = hn::Lanes(D());
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, lanes);
  if (i < n) body(i, n - i);
}

/// Neighbouring elements; fewer than a vector's are read through a buffer.
template <typename DT>
HWY_INLINE hn::Vec<DT> LoadSome(DT d, const hn::TFromD<DT>* from, size_t count) {
  if (count == hn::Lanes(d)) return hn::LoadU(d, from);
  HWY_ALIGN hn::TFromD<DT> lanes[hn::MaxLanes(DT())] = {};
  std::memcpy(lanes, from, std::min(count, hn::MaxLanes(DT())) * sizeof(lanes[0]));
  return hn::Load(d, lanes);
}

template <typename DT>
HWY_INLINE void StoreSome(hn::Vec<DT> v, DT d, hn::TFromD<DT>* to, size_t count) {
  if (count == hn::Lanes(d)) return hn::StoreU(v, d, to);
  HWY_ALIGN hn::TFromD<DT> lanes[hn::MaxLanes(DT())];
  hn::Store(v, d, lanes);
  std::memcpy(to, lanes, std::min(count, hn::MaxLanes(DT())) * sizeof(lanes[0]));
}

/// Clamps before rounding, so that no value leaves the range of int32. NaN becomes the lowest number.
template <typename T>
struct Narrow {
  V low, high;
  hn::Vec<DI> zero;
  explicit HWY_INLINE Narrow(int32_t zero_point)
      : low(hn::Set(D(), static_cast<float>(std::numeric_limits<T>::min() - zero_point))),
        high(hn::Set(D(), static_cast<float>(std::numeric_limits<T>::max() - zero_point))),
        zero(hn::Set(DI(), zero_point)) {}
  HWY_INLINE void operator()(V v, T* to, size_t count) const {
    v = hn::IfThenElse(hn::Gt(v, low), hn::Min(v, high), low);
    const auto wide = hn::Add(hn::NearestInt(v), zero);
    StoreSome(hn::DemoteTo(hn::Rebind<T, D>(), wide), hn::Rebind<T, D>(), to, count);
  }
};

template <typename T>
void Dequantize(const T* x, int32_t zero_point, float scale, float* y, size_t n) {
  const D d;
  const auto zero = hn::Set(DI(), zero_point);
  const V s = hn::Set(d, scale);
  ForVectors(n, [&](size_t i, size_t count) HWY_ATTR {
    const auto wide = hn::PromoteTo(DI(), LoadSome(hn::Rebind<T, D>(), x + i, count));
    StoreSome(hn::Mul(hn::ConvertTo(d, hn::Sub(wide, zero)), s), d, y + i, count);
  });
}

template <typename T>
void Quantize(const float* x, float scale, int32_t zero_point, T* y, size_t n) {
  const V s = hn::Set(D(), scale);
  const Narrow<T> narrow(zero_point);
  ForVectors(n,
             [&](size_t i, size_t count) HWY_ATTR { narrow(hn::Div(LoadSome(D(), x + i, count), s), y + i, count); });
}

template <typename T>
void Requantize(const int32_t* x, const float* factor, size_t step, int32_t zero_point, T* y, size_t n) {
  const D d;
  const V single = hn::Set(d, *factor);
  const Narrow<T> narrow(zero_point);
  ForVectors(n, [&](size_t i, size_t count) HWY_ATTR {
    const V f = step == 0 ? single : LoadSome(d, factor + i, count);
    narrow(hn::Mul(hn::ConvertTo(d, LoadSome(DI(), x + i, count)), f), y + i, count);
  });
}

void DequantizeU8(const uint8_t* x, int32_t z, float s, float* y, size_t n) { Dequantize(x, z, s, y, n); }
void DequantizeI8(const int8_t* x, int32_t z, float s, float* y, size_t n) { Dequantize(x, z, s, y, n); }
void QuantizeU8(const float* x, float s, int32_t z, uint8_t* y, size_t n) { Quantize(x, s, z, y, n); }
void QuantizeI8(const float* x, float s, int32_t z, int8_t* y, size_t n) { Quantize(x, s, z, y, n); }
void RequantizeU8(const int32_t* x, const float* f, size_t step, int32_t z, uint8_t* y, size_t n) {
  Requantize(x, f, step, z, y, n);
}
void RequantizeI8(const int32_t* x, const float* f, size_t step, int32_t z, int8_t* y, size_t n) {
  Requantize(x, f, step, z, y, n);
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(DequantizeU8);
HWY_EXPORT(DequantizeI8);
HWY_EXPORT(QuantizeU8);
HWY_EXPORT(QuantizeI8);
HWY_EXPORT(RequantizeU8);
HWY_EXPORT(RequantizeI8);

template <>
void DequantizeRow(const uint8_t* x, int32_t zero_point, float scale, float* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(DequantizeU8)(x, zero_point, scale, y, n);
}
template <>
void DequantizeRow(const int8_t* x, int32_t zero_point, float scale, float* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(DequantizeI8)(x, zero_point, scale, y, n);
}
template <>
void QuantizeRow(const float* x, float scale, int32_t zero_point, uint8_t* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(QuantizeU8)(x, scale, zero_point, y, n);
}
template <>
void QuantizeRow(const float* x, float scale, int32_t zero_point, int8_t* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(QuantizeI8)(x, scale, zero_point, y, n);
}
template <>
void RequantizeRow(const int32_t* x, const float* factor, size_t step, int32_t zero_point, uint8_t* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(RequantizeU8)(x, factor, step, zero_point, y, n);
}
template <>
void RequantizeRow(const int32_t* x, const float* factor, size_t step, int32_t zero_point, int8_t* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(RequantizeI8)(x, factor, step, zero_point, y, n);
}
}  // namespace ortrun::cpu
#endif
