// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "onnxruntime_c_api.h"

/// A memory: two values are on the same device when their OrtMemoryDevice compare equal.
struct OrtMemoryDevice {
  OrtMemoryInfoDeviceType type = OrtMemoryInfoDeviceType_CPU;
  OrtDeviceMemoryType memory_type = OrtDeviceMemoryType_DEFAULT;
  uint32_t vendor_id = 0;
  int32_t device_id = 0;

  bool operator==(const OrtMemoryDevice&) const = default;
  /// Whether the CPU may read and write it directly.
  bool HostAccessible() const {
    return type == OrtMemoryInfoDeviceType_CPU || memory_type == OrtDeviceMemoryType_HOST_ACCESSIBLE;
  }
};

/// Where and how memory is allocated.
struct OrtMemoryInfo {
  std::string name = "Cpu";
  OrtAllocatorType allocator_type = OrtDeviceAllocator;
  OrtMemType mem_type = OrtMemTypeDefault;
  OrtMemoryDevice device;
  size_t alignment = 0;

  bool operator==(const OrtMemoryInfo&) const = default;
};

namespace ortrun {

using MemoryDevice = ::OrtMemoryDevice;
using MemoryInfo = ::OrtMemoryInfo;

/// Alignment of every CPU block that the runtime hands out, in bytes.
inline constexpr size_t kAlignment = 64;

/// The memory of the CPU; lives as long as the process.
const MemoryInfo& CpuMemoryInfo();

/// The process's CPU allocator (64-byte aligned, counts its blocks). Thread-safe, lives as long as the process.
OrtAllocator& CpuAllocator();

/// CPU blocks handed out so far; the difference of two readings counts the allocations between them.
uint64_t CpuAllocationCount();

/// A block of any allocator, freed with it. Throws Error(ORT_FAIL) when the allocator has none left.
std::shared_ptr<void> Allocate(std::shared_ptr<OrtAllocator> allocator, size_t bytes);
std::shared_ptr<void> AllocateCpu(size_t bytes);

}  // namespace ortrun
