// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/providers/environment.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateEpDevice(OrtEpFactory* ep_factory, const OrtHardwareDevice* hardware_device,
                          const OrtKeyValuePairs* ep_metadata, const OrtKeyValuePairs* ep_options,
                          OrtEpDevice** ep_device) {
  return Guard({{"ep_factory", ep_factory}, {"hardware_device", hardware_device}, {"ep_device", ep_device}}, [&] {
    auto device = std::make_unique<OrtEpDevice>();
    device->factory = ep_factory;
    device->hardware = hardware_device;
    if (ep_factory->GetName != nullptr) device->ep_name = ep_factory->GetName(ep_factory);
    if (ep_factory->GetVendor != nullptr) device->ep_vendor = ep_factory->GetVendor(ep_factory);
    if (ep_metadata != nullptr) device->metadata = *ep_metadata;
    if (ep_options != nullptr) device->options = *ep_options;
    *ep_device = device.release();
  });
}

OrtStatus* EpDevice_AddAllocatorInfo(OrtEpDevice* ep_device, const OrtMemoryInfo* allocator_memory_info) {
  return Guard({{"ep_device", ep_device}, {"allocator_memory_info", allocator_memory_info}}, [&] {
    const OrtMemoryInfo& memory = *allocator_memory_info;
    if (memory.allocator_type == OrtReadOnlyAllocator)
      ep_device->initializer_memory = memory;
    else if (memory.device.memory_type == OrtDeviceMemoryType_HOST_ACCESSIBLE)
      ep_device->host_accessible = memory;
    else
      ep_device->memory = memory;
  });
}

OrtStatus* CreateHardwareDevice(OrtHardwareDeviceType type, uint32_t vendor_id, uint32_t device_id,
                                const char* vendor_name, const OrtKeyValuePairs* metadata,
                                OrtHardwareDevice** hardware_device) {
  return Guard({{"vendor_name", vendor_name}, {"hardware_device", hardware_device}}, [&] {
    auto device = std::make_unique<OrtHardwareDevice>();
    device->type = type;
    device->vendor_id = vendor_id;
    device->device_id = device_id;
    device->vendor = vendor_name;
    if (metadata != nullptr) device->metadata = *metadata;
    *hardware_device = device.release();
  });
}

OrtStatus* SetDetails(OrtDeviceEpIncompatibilityDetails* details, uint32_t reasons_bitmask, int32_t error_code,
                      const char* notes) {
  return Guard({{"details", details}}, [&] {
    details->reasons = reasons_bitmask;
    details->error_code = error_code;
    details->notes = notes == nullptr ? "" : notes;
  });
}

OrtStatus* GetEnvConfigEntries(OrtKeyValuePairs** config_entries) {
  return Guard({{"config_entries", config_entries}}, [&] {
    OrtEnv* env = OrtEnv::Acquire({});
    auto copy = std::make_unique<OrtKeyValuePairs>(env->config());
    env->Release();
    *config_entries = copy.release();
  });
}

}  // namespace

void FillEpDevices(OrtEpApi& api) {
  api.CreateEpDevice = CreateEpDevice;
  api.ReleaseEpDevice = Delete<OrtEpDevice>;
  api.EpDevice_AddAllocatorInfo = EpDevice_AddAllocatorInfo;
  api.CreateHardwareDevice = CreateHardwareDevice;
  api.ReleaseHardwareDevice = Delete<OrtHardwareDevice>;
  api.DeviceEpIncompatibilityDetails_SetDetails = SetDetails;
  api.GetEnvConfigEntries = GetEnvConfigEntries;
}

}  // namespace ortrun::abi
