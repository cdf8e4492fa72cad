// SPDX-License-Identifier: Apache-2.0
#pragma once

// int4, uint4, float4, int2 and uint2: a tensor packs several elements into a byte, the first in the lowest bits;
// numpy (ml_dtypes) gives every element a byte of its own.

#include <cstddef>
#include <cstdint>

#include "python/src/element_types.h"

namespace ortrun::python {

inline bool IsSubByte(ElementType type) { return ElementBits(type) > 0 && ElementBits(type) < 8; }

/// `packed` has PackedBytes(type, count) bytes.
void PackSubBytes(ElementType type, const uint8_t* elements, size_t count, uint8_t* packed);
void UnpackSubBytes(ElementType type, const uint8_t* packed, size_t count, uint8_t* elements);

}  // namespace ortrun::python
