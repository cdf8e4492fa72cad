// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "onnxruntime_c_api.h"
#include "ortrun/error.h"

namespace ortrun::cpu {

using ElementType = ONNXTensorElementDataType;

/// IEEE 754 half precision as it lies in memory; arithmetic is done in float.
struct Float16 {
  uint16_t bits = 0;
  Float16() = default;
  explicit Float16(float value);
  operator float() const;  // NOLINT: widening loses nothing
};

/// The upper half of a float; arithmetic is done in float.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float value);
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }  // NOLINT: widening
};

inline Float16::Float16(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (word >> 16) & 0x8000u;
  const uint32_t magnitude = word & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {  // NaN stays NaN
    bits = static_cast<uint16_t>(sign | 0x7e00u);
  } else if (magnitude >= 0x477ff000u) {  // rounds beyond the largest half
    bits = static_cast<uint16_t>(sign | 0x7c00u);
  } else if (magnitude < 0x38800000u) {  // subnormal half: let the float adder round at the right bit
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    bits = static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  } else {
    const uint32_t odd = (magnitude >> 13) & 1u;
    bits = static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
  }
}

inline Float16::operator float() const {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu;
  const uint32_t fraction = bits & 0x3ffu;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

inline BFloat16::BFloat16(float value) {
  const uint32_t word = std::bit_cast<uint32_t>(value);
  bits = std::isnan(value) ? static_cast<uint16_t>((word >> 16) | 0x40u)
                           : static_cast<uint16_t>((word + 0x7fffu + ((word >> 16) & 1u)) >> 16);
}

template <typename T>
constexpr ElementType kTypeOf = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
template <>
inline constexpr ElementType kTypeOf<float> = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
template <>
inline constexpr ElementType kTypeOf<double> = ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
template <>
inline constexpr ElementType kTypeOf<int8_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
template <>
inline constexpr ElementType kTypeOf<int16_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16;
template <>
inline constexpr ElementType kTypeOf<int32_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
template <>
inline constexpr ElementType kTypeOf<int64_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
template <>
inline constexpr ElementType kTypeOf<uint8_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
template <>
inline constexpr ElementType kTypeOf<uint16_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16;
template <>
inline constexpr ElementType kTypeOf<uint32_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32;
template <>
inline constexpr ElementType kTypeOf<uint64_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64;
template <>
inline constexpr ElementType kTypeOf<bool> = ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
template <>
inline constexpr ElementType kTypeOf<Float16> = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
template <>
inline constexpr ElementType kTypeOf<BFloat16> = ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;

/// A list of element types, to register kernels for and to dispatch over.
template <typename... Ts>
struct TypeList {
  static std::vector<ElementType> Values() { return {kTypeOf<Ts>...}; }
};

using Floats = TypeList<float, double>;
using AllFloats = TypeList<float, double, Float16, BFloat16>;
using SignedNumbers = TypeList<float, double, int8_t, int16_t, int32_t, int64_t>;
using Integers = TypeList<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using Numbers = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t>;
using NumbersAndHalf = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                                Float16, BFloat16>;

/// Types whose elements are plain bytes of fixed size, with complex and without strings.
inline std::vector<ElementType> FixedSizeTypes() {
  std::vector<ElementType> types = NumbersAndHalf::Values();
  for (ElementType type : {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64,
                           ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128})
    types.push_back(type);
  return types;
}

/// FixedSizeTypes and strings.
inline std::vector<ElementType> AllTypes() {
  std::vector<ElementType> types = FixedSizeTypes();
  types.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  return types;
}

/// AllTypes and those that only few operators compute with: eight bits and less. For kernels that copy whole tensors.
inline std::vector<ElementType> StoredTypes() {
  std::vector<ElementType> types = AllTypes();
  for (int type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN; type <= ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0; ++type)
    types.push_back(static_cast<ElementType>(type));
  return types;
}

/// Bytes of one element; throws for strings and for types smaller than a byte.
inline size_t ElementSize(ElementType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0:
      return 1;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return 2;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return 4;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64:
      return 8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128:
      return 16;
    default:
      throw Error(ORT_NOT_IMPLEMENTED, Concat("element type ", static_cast<int>(type), " has no size in whole bytes"));
  }
}

/// Bytes of `count` elements, which lie packed where they are smaller than a byte.
inline size_t BytesOf(ElementType type, size_t count) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1:
      return count / 2 + count % 2;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2:
      return count / 4 + (count % 4 != 0 ? 1 : 0);
    default:
      return count * ElementSize(type);
  }
}

namespace detail {
template <typename... Ts, typename Body>
void Dispatch(TypeList<Ts...>, ElementType type, const Body& body) {
  const bool found = ((type == kTypeOf<Ts> ? (body(std::type_identity<Ts>{}), true) : false) || ...);
  if (!found) [[unlikely]]
    throw Error(ORT_NOT_IMPLEMENTED, Concat("element type ", static_cast<int>(type), " is not served here"));
}
}  // namespace detail

/// Calls body(std::type_identity<T>{}) with the T of `List` that `type` names, or throws ORT_NOT_IMPLEMENTED.
template <typename List, typename Body>
void DispatchType(ElementType type, const Body& body) {
  detail::Dispatch(List{}, type, body);
}

/// Calls body with an unsigned type of the element's size: for kernels that only move elements (no complex128).
template <typename Body>
void DispatchSize(size_t bytes, const Body& body) {
  struct alignas(8) Wide {
    uint64_t words[2];
  };
  switch (bytes) {
    case 1:
      return body(std::type_identity<uint8_t>{});
    case 2:
      return body(std::type_identity<uint16_t>{});
    case 4:
      return body(std::type_identity<uint32_t>{});
    case 8:
      return body(std::type_identity<uint64_t>{});
    case 16:
      return body(std::type_identity<Wide>{});
    default:
      throw Error(ORT_NOT_IMPLEMENTED, Concat("elements of ", bytes, " bytes are not served here"));
  }
}

}  // namespace ortrun::cpu
