// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// A floating-point type of 8 bits or fewer. Its values are those of the format with these field widths; the formats
/// differ in what the largest codes mean.
struct NarrowFloat {
  enum class Special {
    kNone,         ///< every code is a number
    kNanOnly,      ///< all ones (but for the sign) is NaN
    kInfinity,     ///< as IEEE 754: the largest exponent is infinity or NaN
    kNegativeZero  ///< the code of -0 is the only NaN
  };
  int exponent_bits;
  int mantissa_bits;
  int bias;
  Special special;

  float Decode(uint8_t code) const;
  /// Rounds to nearest even. What is too large becomes the largest number when `saturate`, else infinity or NaN.
  uint8_t Encode(float value, bool saturate) const;
  float Largest() const;
};

/// The format of an element type, or NULL for types that are no narrow floating-point numbers with a sign.
const NarrowFloat* FindNarrowFloat(ElementType type);

/// 2^(code - 127), NaN for 255: the scales of float8e8m0.
float DecodeE8M0(uint8_t code);
enum class E8M0Rounding { kUp, kDown, kNearest };  ///< away from zero; towards it; to nearest, ties up
/// The power of two for a value's magnitude. What is out of range, zero included, becomes the nearest end of the range
/// when `saturate`, else NaN.
uint8_t EncodeE8M0(float value, E8M0Rounding rounding, bool saturate);

/// Element types whose elements are smaller than a byte, several in each, the first in the lowest bits.
struct PackedType {
  unsigned bits;
  bool is_signed;
};
/// NULL for types of whole bytes.
const PackedType* FindPackedType(ElementType type);

/// One byte an element; signed types are extended.
void Unpack(const PackedType& type, const uint8_t* packed, size_t count, uint8_t* codes);
/// The inverse: the low bits of each code.
void Pack(const PackedType& type, const uint8_t* codes, size_t count, uint8_t* packed);

/// The types above by kind, to register kernels for.
std::vector<ElementType> NarrowFloatTypes();
std::vector<ElementType> PackedIntegerTypes();
std::vector<ElementType> NarrowTypes();  ///< both, and float8e8m0

}  // namespace ortrun::cpu
