// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {

/// What integers fold in: wide, and unsigned so that overflow wraps as numpy's does.
template <typename T>
using FoldType = std::conditional_t<std::is_integral_v<T>, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                                    std::conditional_t<std::is_same_v<T, double>, double, float>>;

/// In the fold's type, the lowest number of the element's type T.
template <typename A, typename T>
A LowestOf() {
  if constexpr (std::is_floating_point_v<A>)
    return -std::numeric_limits<A>::infinity();
  else
    return static_cast<A>(std::numeric_limits<T>::lowest());
}
template <typename A, typename T>
A HighestOf() {
  if constexpr (std::is_floating_point_v<A>)
    return std::numeric_limits<A>::infinity();
  else
    return static_cast<A>(std::numeric_limits<T>::max());
}

/// Integer sums and products wrap.
template <typename A>
A WrapAdd(A a, A b) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else
    return a + b;
}
template <typename A>
A WrapMultiply(A a, A b) {
  if constexpr (std::is_integral_v<A>)
    return static_cast<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else
    return a * b;
}

// Each reduction: what it is of nothing, how an element (of type T) is mapped and folded in type A, and what becomes of
// the folded number. kFold and kMap name the
// same for the vectorised float path.
struct SumOp {
  static constexpr Fold kFold = Fold::kSum;
  static constexpr Map kMap = Map::kNone;
  template <typename A, typename T>
  static A Identity() {
    return A(0);
  }
  template <typename A>
  static A Apply(A a, A x) {
    return WrapAdd(a, x);
  }
  template <typename A, typename T>
  static A Finish(A a, int64_t) {
    return a;
  }
};

/// Floating-point numbers are summed around one of them, which Finish does not know of (see reduce_loop.h).
struct MeanOp : SumOp {
  static constexpr Map kMap = Map::kMinus;
  template <typename A, typename T>
  static A Finish(A a, int64_t n) {
    if constexpr (std::is_integral_v<A>)
      return n == 0 ? A(0) : a / static_cast<A>(n);
    else
      return a / static_cast<A>(n);
  }
};

struct L1Op : SumOp {
  static constexpr Map kMap = Map::kAbs;
  template <typename A>
  static A Apply(A a, A x) {
    if constexpr (std::is_unsigned_v<A>)
      return a + x;
    else if constexpr (std::is_integral_v<A>)
      return x < 0 ? static_cast<A>(static_cast<uint64_t>(a) - static_cast<uint64_t>(x)) : WrapAdd(a, x);
    else
      return a + std::abs(x);
  }
};

struct SumSquareOp : SumOp {
  static constexpr Map kMap = Map::kSquare;
  template <typename A>
  static A Apply(A a, A x) {
    return WrapAdd(a, WrapMultiply(x, x));
  }
};

struct L2Op : SumSquareOp {
  template <typename A, typename T>
  static A Finish(A a, int64_t) {
    return static_cast<A>(std::sqrt(static_cast<std::conditional_t<std::is_same_v<A, float>, float, double>>(a)));
  }
};

struct LogSumOp : SumOp {
  template <typename A, typename T>
  static A Finish(A a, int64_t) {
    const auto value = std::log(static_cast<std::conditional_t<std::is_same_v<A, float>, float, double>>(a));
    if constexpr (std::is_integral_v<A>)
      return std::isfinite(value) ? static_cast<A>(value) : LowestOf<A, T>();
    else
      return value;
  }
};

struct ProductOp : SumOp {
  static constexpr Fold kFold = Fold::kProduct;
  template <typename A, typename T>
  static A Identity() {
    return A(1);
  }
  template <typename A>
  static A Apply(A a, A x) {
    return WrapMultiply(a, x);
  }
};

struct MaxOp : SumOp {
  static constexpr Fold kFold = Fold::kMax;
  template <typename A, typename T>
  static A Identity() {
    return LowestOf<A, T>();
  }
  template <typename A>
  static A Apply(A a, A x) {
    return x > a || x != x ? x : a;
  }
};

struct MinOp : SumOp {
  static constexpr Fold kFold = Fold::kMin;
  template <typename A, typename T>
  static A Identity() {
    return HighestOf<A, T>();
  }
  template <typename A>
  static A Apply(A a, A x) {
    return x < a || x != x ? x : a;
  }
};

}  // namespace ortrun::cpu
