// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ortrun::cpu {

struct Box {
  float top, left, bottom, right, area;
};

/// Boxes as lists of edges, so that one box is compared with many at a time. The memory is the caller's.
class BoxList {
 public:
  static constexpr size_t kFields = 5;
  static constexpr size_t kBlock = 16;  ///< boxes compared at a time; the lists are as long as a multiple of it

  /// Floats that a list of at most `boxes` needs.
  static size_t MemoryFor(size_t boxes) { return kFields * ((boxes + kBlock - 1) / kBlock * kBlock); }

  BoxList(float* memory, size_t boxes) : memory_(memory), stride_(MemoryFor(boxes) / kFields) {}

  size_t size() const { return size_; }
  void Append(const Box& box);

  /// Whether `box` shares more than `limit` of the union with any box of the list. Boxes without area share nothing.
  bool Overlaps(const Box& box, float limit) const;

  const float* top() const { return memory_; }
  const float* left() const { return memory_ + stride_; }
  const float* bottom() const { return memory_ + 2 * stride_; }
  const float* right() const { return memory_ + 3 * stride_; }
  const float* area() const { return memory_ + 4 * stride_; }

 private:
  float* memory_;
  size_t stride_;
  size_t size_ = 0;
};

}  // namespace ortrun::cpu
