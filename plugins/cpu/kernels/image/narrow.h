// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

namespace ortrun::cpu {

/// The type in which values of T are blended: float for float and the half types, else double.
template <typename T>
using Blend = std::conditional_t<std::is_same_v<T, double> || std::is_integral_v<T>, double, float>;

/// A blended value as T: integers round half to even and saturate, as the specification's reference does.
template <typename T, typename W>
T Narrow(W value) {
  if constexpr (std::is_integral_v<T>) {
    constexpr W kLow = static_cast<W>(std::numeric_limits<T>::lowest());
    constexpr W kHigh = static_cast<W>(std::numeric_limits<T>::max());
    const W whole = std::nearbyint(value);
    if (std::isnan(whole)) return T{0};
    if (whole <= kLow) return std::numeric_limits<T>::lowest();
    return whole >= kHigh ? std::numeric_limits<T>::max() : static_cast<T>(whole);
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace ortrun::cpu
