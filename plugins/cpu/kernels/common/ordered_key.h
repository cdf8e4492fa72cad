// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

template <size_t kBytes>
using UnsignedOfSize =
    std::conditional_t<kBytes == 1, uint8_t,
                       std::conditional_t<kBytes == 2, uint16_t, std::conditional_t<kBytes == 4, uint32_t, uint64_t>>>;

/// An unsigned number of the element's size that orders as the element does: a < b where OrderedKey(a) <
/// OrderedKey(b). Zeros of both signs have one key, NaN has one key above all others.
template <typename T>
UnsignedOfSize<sizeof(T)> OrderedKey(T value) {
  using Key = UnsignedOfSize<sizeof(T)>;
  constexpr Key kSign = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
  if constexpr (std::is_integral_v<T>) {
    return static_cast<Key>(static_cast<Key>(value) ^ (std::is_signed_v<T> ? kSign : Key{0}));
  } else {
    if (value != value) return static_cast<Key>(~Key{0});
    const Key bits = std::bit_cast<Key>(value);
    if (bits == kSign) return kSign;  // -0
    return static_cast<Key>((bits & kSign) != 0 ? ~bits : bits | kSign);
  }
}

}  // namespace ortrun::cpu
