// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace ortrun::abi {

/// `count` default-made elements, on the stack while they are few.
template <typename T, size_t kInline = 16>
class StackArray {
 public:
  explicit StackArray(size_t count) : count_(count) {
    if (count > kInline) heap_.resize(count);
  }
  std::span<T> all() { return count_ > kInline ? std::span<T>(heap_) : std::span<T>(inline_.data(), count_); }

 private:
  size_t count_;
  std::array<T, kInline> inline_{};
  std::vector<T> heap_;
};

}  // namespace ortrun::abi
