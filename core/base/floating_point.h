// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ortrun {

/// How this thread computes with floating-point numbers: rounding, and whether denormal numbers count as zero. 0 on
/// machines where that cannot be told.
inline uint64_t FloatingPointMode() {
#if defined(__x86_64__)
  return _mm_getcsr() & ~0x3FU;  // without the flags of what happened
#elif defined(__aarch64__)
  uint64_t mode = 0;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

inline void SetFloatingPointMode([[maybe_unused]] uint64_t mode) {
#if defined(__x86_64__)
  _mm_setcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  asm volatile("msr fpcr, %0" : : "r"(mode));
#endif
}

/// In its scope this thread takes denormal numbers for zero, when `on`.
class DenormalsAsZero {
 public:
  explicit DenormalsAsZero(bool on) : on_(on), former_(on ? FloatingPointMode() : 0) {
#if defined(__x86_64__)
    constexpr uint64_t kFlush = 0x8040;  // results, operands
#else
    constexpr uint64_t kFlush = uint64_t{1} << 24;
#endif
    if (on) SetFloatingPointMode(former_ | kFlush);
  }
  DenormalsAsZero(const DenormalsAsZero&) = delete;
  DenormalsAsZero& operator=(const DenormalsAsZero&) = delete;
  ~DenormalsAsZero() {
    if (on_) SetFloatingPointMode(former_);
  }

 private:
  bool on_;
  uint64_t former_;
};

}  // namespace ortrun
