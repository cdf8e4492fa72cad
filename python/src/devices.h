// SPDX-License-Identifier: Apache-2.0
#pragma once

// Devices and their memories, found among what the providers of this process offer.

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>

#include "python/src/api.h"

namespace ortrun::python {

constexpr uint32_t kVendorAmd = 0x1002;
constexpr uint32_t kVendorNvidia = 0x10DE;
constexpr uint32_t kVendorMicrosoft = 0x1414;
constexpr uint32_t kVendorHuawei = 0x19E5;

/// What Python calls C.OrtDevice.
struct Device {
  OrtMemoryInfoDeviceType type = OrtMemoryInfoDeviceType_CPU;
  OrtDeviceMemoryType memory = OrtDeviceMemoryType_DEFAULT;
  uint32_t vendor = 0;  ///< PCI vendor id; 0: any
  int id = 0;

  bool is_cpu() const { return type == OrtMemoryInfoDeviceType_CPU; }
};

Device DeviceOf(const OrtMemoryInfo* memory);

/// "cpu", "cuda", "gpu", "npu" ...
std::string DeviceName(const Device& device);

/// The memory of a device, owned by the runtime. Throws std::runtime_error that lists the devices there are.
const OrtMemoryInfo* MemoryOf(const Device& device);

/// An allocator for a device's memory, owned by the runtime.
OrtAllocator* AllocatorOf(const Device& device);
OrtAllocator* AllocatorOf(const OrtMemoryInfo* memory);

/// C.OrtMemoryInfo.
struct MemoryInfo {
  Owned<OrtMemoryInfo> owned;  // empty where the runtime owns it
  const OrtMemoryInfo* info = nullptr;
};

/// C.OrtEpDevice. The pointer is checked against the present devices before each use, since unregistering its provider
/// ends it.
class EpDevice {
 public:
  explicit EpDevice(const OrtEpDevice* device) : device_(device) {}
  const OrtEpDevice* get() const;

 private:
  const OrtEpDevice* device_;
};

struct HardwareDevice {
  const OrtHardwareDevice* device = nullptr;
};

struct SyncStream {
  Owned<OrtSyncStream> stream;
};

std::span<const OrtEpDevice* const> EpDevices();

pybind11::dict ToDict(const OrtKeyValuePairs* pairs);

void DefineDevices(pybind11::module_& m);
void DefineEpDevices(pybind11::module_& m);

}  // namespace ortrun::python
