// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/key_value_pairs.h"
#include "core/execution/memory.h"

/// A processor of this machine, as far as the system tells without any driver.
struct OrtHardwareDevice {
  OrtHardwareDeviceType type = OrtHardwareDeviceType_CPU;
  uint32_t vendor_id = 0;  ///< PCI vendor id
  uint32_t device_id = 0;
  std::string vendor;
  OrtKeyValuePairs metadata;
};

/// A provider's use of one hardware device. Owned by the environment once the factory has handed it over.
struct OrtEpDevice {
  std::string ep_name;
  std::string ep_vendor;
  OrtKeyValuePairs metadata;
  OrtKeyValuePairs options;  ///< the defaults that the provider names
  const OrtHardwareDevice* hardware = nullptr;
  OrtEpFactory* factory = nullptr;
  std::optional<OrtMemoryInfo> memory;              ///< default device memory; nothing: plain CPU memory
  std::optional<OrtMemoryInfo> host_accessible;     ///< device memory that the CPU can reach, e.g. pinned
  std::optional<OrtMemoryInfo> initializer_memory;  ///< for constants only
};

/// Why a hardware device does not suit a provider.
struct OrtDeviceEpIncompatibilityDetails {
  uint32_t reasons = 0;  ///< OrtDeviceEpIncompatibilityReason bits
  int32_t error_code = 0;
  std::string notes;
};

namespace ortrun {
using HardwareDevice = ::OrtHardwareDevice;
using EpDevice = ::OrtEpDevice;

/// The processors of this machine: one CPU, and what the PCI bus lists as display or accelerator.
std::vector<std::unique_ptr<HardwareDevice>> DiscoverHardware();
}  // namespace ortrun
