// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace ortrun {

/// Memory for the temporary needs of one kernel call. One block that grows to the largest need seen.
class ScratchMemory {
 public:
  void* Take(size_t bytes);
  /// Ends a call: what it took may be taken again.
  void Reset();
  void Reserve(size_t bytes);
  size_t peak() const { return peak_; }

 private:
  std::shared_ptr<void> block_;
  size_t size_ = 0;
  size_t used_ = 0;
  size_t wanted_ = 0;
  size_t peak_ = 0;
  std::vector<std::shared_ptr<void>> overflow_;
};

}  // namespace ortrun
