// SPDX-License-Identifier: Apache-2.0
#include "tests/accelerator/device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <iterator>
#include <stdexcept>

namespace ortrun::accelerator {

DeviceMemory& DeviceMemory::Get() {
  static DeviceMemory* const memory = new DeviceMemory();  // outlives every session that still runs at exit
  return *memory;
}

DeviceMemory::DeviceMemory() {
  const int file = memfd_create("accelerator", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(kBytes)) != 0)
    throw std::runtime_error("the simulated accelerator has no memory");
  void* seen = mmap(nullptr, kBytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file, 0);
  void* reached = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
  close(file);
  if (seen == MAP_FAILED || reached == MAP_FAILED)
    throw std::runtime_error("the simulated accelerator's memory cannot be mapped");
  public_ = static_cast<char*>(seen);
  private_ = static_cast<char*>(reached);
  free_.emplace(0, kBytes);
}

void* DeviceMemory::Allocate(size_t bytes) {
  constexpr size_t kAlignment = 256;
  const size_t rounded = bytes == 0 ? kAlignment : (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded < bytes) return nullptr;
  const std::lock_guard lock(mutex_);
  for (auto range = free_.begin(); range != free_.end(); ++range) {
    const auto [offset, size] = *range;
    if (size < rounded) continue;
    free_.erase(range);
    if (size > rounded) free_.emplace(offset + rounded, size - rounded);
    in_use_.emplace(offset, rounded);
    return public_ + offset;
  }
  return nullptr;
}

void DeviceMemory::Free(void* address) {
  if (address == nullptr) return;
  const std::lock_guard lock(mutex_);
  const auto used = in_use_.find(static_cast<size_t>(static_cast<char*>(address) - public_));
  if (used == in_use_.end()) return;
  auto range = free_.emplace(used->first, used->second).first;
  in_use_.erase(used);
  if (const auto next = std::next(range); next != free_.end() && range->first + range->second == next->first) {
    range->second += next->second;
    free_.erase(next);
  }
  if (range == free_.begin()) return;
  const auto previous = std::prev(range);
  if (previous->first + previous->second != range->first) return;
  previous->second += range->second;
  free_.erase(range);
}

}  // namespace ortrun::accelerator
