// SPDX-License-Identifier: Apache-2.0
// How the inner loops share work: a parallel-for that belongs to the caller.
#pragma once

#include <cstddef>
#include <type_traits>

namespace ortrun::cpu {

/// A borrowed parallel-for. The default one runs on the calling thread. Whoever fills it in keeps `self` alive for the
/// call; `run` must call fn(arg, i) once for each i in [0, blocks), in any order and on any thread, and return when all
/// have returned. The results of the loops here never depend on `threads` nor on the order.
struct Parallel {
  size_t threads = 1;
  void (*run)(void* self, size_t blocks, void (*fn)(void* arg, size_t block), void* arg) = nullptr;
  void* self = nullptr;

  /// Calls body(i) for each i in [0, blocks). The body must not throw.
  template <class Body>
  void For(size_t blocks, Body&& body) const {
    if (blocks <= 1 || threads <= 1 || run == nullptr) {
      for (size_t i = 0; i < blocks; ++i) body(i);
      return;
    }
    using Plain = std::remove_reference_t<Body>;
    run(
        self, blocks, [](void* arg, size_t block) { (*static_cast<Plain*>(arg))(block); },
        const_cast<void*>(static_cast<const void*>(&body)));
  }
};

/// Part `index` of `parts` nearly equal ones of [0, total).
struct Range {
  size_t begin;
  size_t end;
};
inline Range PartOf(size_t total, size_t parts, size_t index) {
  const size_t each = total / parts;
  const size_t longer = total % parts;
  const size_t begin = index * each + (index < longer ? index : longer);
  return {begin, begin + each + (index < longer ? 1 : 0)};
}

}  // namespace ortrun::cpu
