// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/narrow_types.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace ortrun::cpu {
namespace {

using Special = NarrowFloat::Special;

struct NamedFloat {
  ElementType type;
  NarrowFloat format;
};
constexpr NamedFloat kFloats[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN, {4, 3, 7, Special::kNanOnly}},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ, {4, 3, 8, Special::kNegativeZero}},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2, {5, 2, 15, Special::kInfinity}},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ, {5, 2, 16, Special::kNegativeZero}},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1, {2, 1, 1, Special::kNone}},
};

struct NamedPacked {
  ElementType type;
  PackedType packed;
};
constexpr NamedPacked kPacked[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4, {4, false}},      {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4, {4, true}},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1, {4, false}}, {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2, {2, false}},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2, {2, true}},
};

/// The code of infinity; where the format has none, of NaN.
unsigned OverflowCode(const NarrowFloat& f) {
  const unsigned ones = (1u << (f.exponent_bits + f.mantissa_bits)) - 1;
  switch (f.special) {
    case Special::kInfinity:
      return ones - ((1u << f.mantissa_bits) - 1);
    case Special::kNegativeZero:
      return ones + 1;
    default:
      return ones;
  }
}

unsigned LargestCode(const NarrowFloat& f) {
  const unsigned ones = (1u << (f.exponent_bits + f.mantissa_bits)) - 1;
  if (f.special == Special::kInfinity) return OverflowCode(f) - 1;
  return f.special == Special::kNanOnly ? ones - 1 : ones;
}

}  // namespace

const NarrowFloat* FindNarrowFloat(ElementType type) {
  for (const NamedFloat& known : kFloats)
    if (known.type == type) return &known.format;
  return nullptr;
}

const PackedType* FindPackedType(ElementType type) {
  for (const NamedPacked& known : kPacked)
    if (known.type == type) return &known.packed;
  return nullptr;
}

std::vector<ElementType> NarrowFloatTypes() {
  std::vector<ElementType> types;
  for (const NamedFloat& known : kFloats) types.push_back(known.type);
  return types;
}

std::vector<ElementType> NarrowTypes() {
  std::vector<ElementType> types{ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0};
  for (const auto& more : {NarrowFloatTypes(), PackedIntegerTypes()})
    types.insert(types.end(), more.begin(), more.end());
  return types;
}

std::vector<ElementType> PackedIntegerTypes() {
  std::vector<ElementType> types;
  for (const NamedPacked& known : kPacked)
    if (FindNarrowFloat(known.type) == nullptr) types.push_back(known.type);
  return types;
}

float NarrowFloat::Decode(uint8_t code) const {
  const unsigned sign_bit = 1u << (exponent_bits + mantissa_bits);
  const unsigned magnitude = code & (sign_bit - 1);
  const bool negative = (code & sign_bit) != 0;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  if (special == Special::kNegativeZero && negative && magnitude == 0) return kNan;
  if (special == Special::kNanOnly && magnitude == sign_bit - 1) return kNan;
  if (special == Special::kInfinity && magnitude >= OverflowCode(*this)) {
    if (magnitude > OverflowCode(*this)) return kNan;
    return negative ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  }
  const auto exponent = static_cast<int>(magnitude >> mantissa_bits);
  const unsigned fraction = magnitude & ((1u << mantissa_bits) - 1);
  const unsigned significand = exponent == 0 ? fraction : fraction | (1u << mantissa_bits);
  const float value = std::ldexp(static_cast<float>(significand), std::max(exponent, 1) - bias - mantissa_bits);
  return negative ? -value : value;
}

float NarrowFloat::Largest() const { return Decode(static_cast<uint8_t>(LargestCode(*this))); }

uint8_t NarrowFloat::Encode(float value, bool saturate) const {
  const unsigned sign_bit = 1u << (exponent_bits + mantissa_bits);
  const unsigned sign = std::signbit(value) ? sign_bit : 0;
  if (std::isnan(value)) {
    if (special == Special::kNone) return static_cast<uint8_t>(sign);
    return static_cast<uint8_t>(special == Special::kNegativeZero ? sign_bit : sign | (sign_bit - 1));
  }
  const uint32_t magnitude = std::bit_cast<uint32_t>(std::abs(value));
  const auto biased = static_cast<uint32_t>(128 - bias);  // a float's exponent field at the smallest normal number
  unsigned code = 0;
  if (magnitude >= biased << 23) {  // a carry moves into the exponent by itself
    const int dropped = 23 - mantissa_bits;
    const uint32_t odd = (magnitude >> dropped) & 1;
    code = ((magnitude + (1u << (dropped - 1)) - 1 + odd) >> dropped) - ((biased - 1) << mantissa_bits);
  } else {  // let the float adder round at the right bit
    const float unit = std::bit_cast<float>((biased + static_cast<uint32_t>(23 - mantissa_bits)) << 23);
    code = std::bit_cast<uint32_t>(std::abs(value) + unit) - std::bit_cast<uint32_t>(unit);
  }
  if (code > LargestCode(*this)) {
    if (saturate || special == Special::kNone)
      code = LargestCode(*this);
    else
      code = OverflowCode(*this);
  }
  if (special == Special::kNegativeZero && (code == 0 || code == sign_bit)) return static_cast<uint8_t>(code);
  return static_cast<uint8_t>(sign | code);
}

float DecodeE8M0(uint8_t code) {
  return code == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0F, int{code} - 127);
}

uint8_t EncodeE8M0(float value, E8M0Rounding rounding, bool saturate) {
  constexpr int kNan = 255;
  constexpr int kLargest = 254;
  if (std::isnan(value)) return kNan;
  if (std::isinf(value)) return saturate ? kLargest : kNan;
  if (value == 0) return saturate ? 0 : kNan;
  int exponent = 0;
  const float fraction = std::frexp(std::abs(value), &exponent);  // in [0.5, 1)
  int code = exponent - 1 + 127;
  if (rounding == E8M0Rounding::kUp) code += fraction > 0.5F ? 1 : 0;
  if (rounding == E8M0Rounding::kNearest) code += fraction >= 0.75F ? 1 : 0;
  if (saturate) return static_cast<uint8_t>(std::clamp(code, 0, kLargest));
  return static_cast<uint8_t>(code < 0 || code > kLargest ? kNan : code);
}

void Unpack(const PackedType& type, const uint8_t* packed, size_t count, uint8_t* codes) {
  const unsigned per_byte = 8 / type.bits;
  const unsigned mask = (1u << type.bits) - 1;
  const unsigned sign = type.is_signed ? 1u << (type.bits - 1) : 0;
  for (size_t i = 0; i < count; ++i) {
    const unsigned code = (packed[i / per_byte] >> (i % per_byte * type.bits)) & mask;
    codes[i] = static_cast<uint8_t>((code ^ sign) - sign);
  }
}

void Pack(const PackedType& type, const uint8_t* codes, size_t count, uint8_t* packed) {
  const unsigned per_byte = 8 / type.bits;
  const unsigned mask = (1u << type.bits) - 1;
  for (size_t first = 0; first < count; first += per_byte) {
    unsigned byte = 0;
    for (size_t i = first; i < std::min<size_t>(count, first + per_byte); ++i)
      byte |= (codes[i] & mask) << ((i - first) * type.bits);
    packed[first / per_byte] = static_cast<uint8_t>(byte);
  }
}

}  // namespace ortrun::cpu
