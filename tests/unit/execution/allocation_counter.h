// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace ortrun::testing {

/// Counts what the whole process takes from the heap, on all threads, while it lives. One at a time.
class AllocationCounter {
 public:
  AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;
  ~AllocationCounter();

  size_t count() const;
  /// Ends the count and tells where the first allocations came from, as addresses in libraries.
  std::string Stop();
};

}  // namespace ortrun::testing
