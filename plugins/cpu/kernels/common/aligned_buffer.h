// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace ortrun::cpu {

/// Uninitialised memory aligned to 64 bytes, for packed weights that a kernel keeps.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes)
      : memory_(std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment + kAlignment)) {
    if (memory_ == nullptr) throw std::bad_alloc();
  }
  void* get() const { return memory_.get(); }
  explicit operator bool() const { return memory_ != nullptr; }

 private:
  static constexpr size_t kAlignment = 64;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }  // NOLINT: the pair of aligned_alloc
  };
  std::unique_ptr<void, Free> memory_;
};

}  // namespace ortrun::cpu
