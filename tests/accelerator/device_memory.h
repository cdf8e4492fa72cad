// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <mutex>

namespace ortrun::accelerator {

/// Memory of the simulated device. The addresses that it hands out lie in pages without any access right, so that a
/// host that reads or writes device memory itself ends in a signal; the device's own kernels reach the same bytes
/// through a second, private mapping. Thread-safe; one for the process.
class DeviceMemory {
 public:
  static DeviceMemory& Get();

  /// A device address, aligned to 256 bytes; nullptr when the device is full.
  void* Allocate(size_t bytes);
  void Free(void* address);
  /// Where the device itself reaches a device address.
  template <typename T>
  T* Reach(const void* address) const {
    return reinterpret_cast<T*>(private_ + (static_cast<const char*>(address) - public_));  // NOLINT
  }
  bool Contains(const void* address) const { return address >= public_ && address < public_ + kBytes; }

 private:
  DeviceMemory();
  static constexpr size_t kBytes = size_t{4} << 30;  // address space, not memory: pages come when they are touched

  char* public_ = nullptr;
  char* private_ = nullptr;
  std::mutex mutex_;
  std::map<size_t, size_t> free_;    ///< offset to bytes
  std::map<size_t, size_t> in_use_;  ///< offset to bytes
};

}  // namespace ortrun::accelerator
