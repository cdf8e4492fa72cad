// SPDX-License-Identifier: Apache-2.0
#include "python/src/sub_byte.h"

namespace ortrun::python {

void PackSubBytes(ElementType type, const uint8_t* elements, size_t count, uint8_t* packed) {
  const auto bits = static_cast<size_t>(ElementBits(type));
  const size_t per_byte = 8 / bits;
  const auto mask = static_cast<unsigned>((1U << bits) - 1U);
  for (size_t i = 0; i < count; i += per_byte) {
    unsigned byte = 0;
    for (size_t j = 0; j < per_byte && i + j < count; ++j) byte |= (elements[i + j] & mask) << (j * bits);
    packed[i / per_byte] = static_cast<uint8_t>(byte);
  }
}

void UnpackSubBytes(ElementType type, const uint8_t* packed, size_t count, uint8_t* elements) {
  const auto bits = static_cast<size_t>(ElementBits(type));
  const size_t per_byte = 8 / bits;
  const auto mask = static_cast<unsigned>((1U << bits) - 1U);
  const bool is_signed = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2;
  const unsigned sign = is_signed ? 1U << (bits - 1) : 0U;
  for (size_t i = 0; i < count; ++i) {
    const unsigned value = (packed[i / per_byte] >> (i % per_byte * bits)) & mask;
    elements[i] = static_cast<uint8_t>((value ^ sign) - sign);
  }
}

}  // namespace ortrun::python
