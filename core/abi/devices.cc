// SPDX-License-Identifier: Apache-2.0
#include "core/abi/allocator.h"
#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/stream.h"
#include "core/providers/environment.h"

namespace ortrun::abi {
namespace {

OrtEnv& Shared(const OrtEnv* env) { return const_cast<OrtEnv&>(*env); }  // NOLINT: the environment locks inside

OrtStatus* GetEpDevices(const OrtEnv* env, const OrtEpDevice* const** ep_devices, size_t* num_ep_devices) {
  return Guard({{"env", env}, {"ep_devices", ep_devices}, {"num_ep_devices", num_ep_devices}}, [&] {
    const auto& devices = Shared(env).DeviceList();
    *ep_devices = devices.data();
    *num_ep_devices = devices.size();
  });
}

OrtHardwareDeviceType HardwareDevice_Type(const OrtHardwareDevice* device) noexcept {
  return IfAny(device, [](const OrtHardwareDevice& d) { return d.type; });
}
uint32_t HardwareDevice_VendorId(const OrtHardwareDevice* device) noexcept {
  return IfAny(device, [](const OrtHardwareDevice& d) { return d.vendor_id; });
}
const char* HardwareDevice_Vendor(const OrtHardwareDevice* device) noexcept {
  return IfAny(device, [](const OrtHardwareDevice& d) { return d.vendor.c_str(); });
}
uint32_t HardwareDevice_DeviceId(const OrtHardwareDevice* device) noexcept {
  return IfAny(device, [](const OrtHardwareDevice& d) { return d.device_id; });
}
const OrtKeyValuePairs* HardwareDevice_Metadata(const OrtHardwareDevice* device) noexcept {
  return IfAny(device, [](const OrtHardwareDevice& d) { return &d.metadata; });
}
const char* EpDevice_EpName(const OrtEpDevice* ep_device) noexcept {
  return IfAny(ep_device, [](const OrtEpDevice& d) { return d.ep_name.c_str(); });
}
const char* EpDevice_EpVendor(const OrtEpDevice* ep_device) noexcept {
  return IfAny(ep_device, [](const OrtEpDevice& d) { return d.ep_vendor.c_str(); });
}
const OrtKeyValuePairs* EpDevice_EpMetadata(const OrtEpDevice* ep_device) noexcept {
  return IfAny(ep_device, [](const OrtEpDevice& d) { return &d.metadata; });
}
const OrtKeyValuePairs* EpDevice_EpOptions(const OrtEpDevice* ep_device) noexcept {
  return IfAny(ep_device, [](const OrtEpDevice& d) { return &d.options; });
}
const OrtHardwareDevice* EpDevice_Device(const OrtEpDevice* ep_device) noexcept {
  return IfAny(ep_device, [](const OrtEpDevice& d) { return d.hardware; });
}

const OrtMemoryInfo* EpDevice_MemoryInfo(const OrtEpDevice* ep_device, OrtDeviceMemoryType memory_type) noexcept {
  return IfAny(ep_device, [&](const OrtEpDevice& device) -> const OrtMemoryInfo* {
    const auto& memory = memory_type == OrtDeviceMemoryType_HOST_ACCESSIBLE ? device.host_accessible : device.memory;
    return memory ? &*memory : nullptr;
  });
}

OrtStatus* GetNumHardwareDevices(const OrtEnv* env, size_t* num_devices) {
  return Guard({{"env", env}, {"num_devices", num_devices}}, [&] { *num_devices = env->hardware().size(); });
}

OrtStatus* GetHardwareDevices(const OrtEnv* env, const OrtHardwareDevice** devices, size_t num_devices) {
  return Guard({{"env", env}, Array("devices", devices, num_devices)},
               [&] { CopyPointersOut(env->hardware(), "the devices", devices, num_devices); });
}

OrtStatus* GetHardwareDeviceEpIncompatibilityDetails(const OrtEnv* env, const char* ep_name,
                                                     const OrtHardwareDevice* hw,
                                                     OrtDeviceEpIncompatibilityDetails** details) {
  return Guard({{"env", env}, {"ep_name", ep_name}, {"hw", hw}, {"details", details}}, [&] {
    for (const OrtEpDevice* device : Shared(env).Devices()) {
      if (device->ep_name != ep_name) continue;
      auto made = std::make_unique<OrtDeviceEpIncompatibilityDetails>();
      OrtEpFactory* factory = device->factory;
      if (factory->ort_version_supported >= 24 && factory->GetHardwareDeviceIncompatibilityDetails != nullptr)
        ThrowOnError(Api(), factory->GetHardwareDeviceIncompatibilityDetails(factory, hw, made.get()));
      *details = made.release();
      return;
    }
    throw Error(ORT_INVALID_ARGUMENT, Concat("no provider is named '", ep_name, "'"));
  });
}

OrtStatus* DeviceEpIncompatibilityDetails_GetReasonsBitmask(const OrtDeviceEpIncompatibilityDetails* details,
                                                            uint32_t* reasons_bitmask) {
  return Guard({{"details", details}, {"reasons_bitmask", reasons_bitmask}},
               [&] { *reasons_bitmask = details->reasons; });
}

OrtStatus* DeviceEpIncompatibilityDetails_GetNotes(const OrtDeviceEpIncompatibilityDetails* details,
                                                   const char** notes) {
  return Guard({{"details", details}, {"notes", notes}}, [&] { *notes = details->notes.c_str(); });
}

OrtStatus* DeviceEpIncompatibilityDetails_GetErrorCode(const OrtDeviceEpIncompatibilityDetails* details,
                                                       int32_t* error_code) {
  return Guard({{"details", details}, {"error_code", error_code}}, [&] { *error_code = details->error_code; });
}

}  // namespace

void FillDevices(OrtApi& api) {
  api.GetEpDevices = GetEpDevices;
  api.HardwareDevice_Type = HardwareDevice_Type;
  api.HardwareDevice_VendorId = HardwareDevice_VendorId;
  api.HardwareDevice_Vendor = HardwareDevice_Vendor;
  api.HardwareDevice_DeviceId = HardwareDevice_DeviceId;
  api.HardwareDevice_Metadata = HardwareDevice_Metadata;
  api.EpDevice_EpName = EpDevice_EpName;
  api.EpDevice_EpVendor = EpDevice_EpVendor;
  api.EpDevice_EpMetadata = EpDevice_EpMetadata;
  api.EpDevice_EpOptions = EpDevice_EpOptions;
  api.EpDevice_Device = EpDevice_Device;
  api.EpDevice_MemoryInfo = EpDevice_MemoryInfo;
  api.GetNumHardwareDevices = GetNumHardwareDevices;
  api.GetHardwareDevices = GetHardwareDevices;
  api.GetHardwareDeviceEpIncompatibilityDetails = GetHardwareDeviceEpIncompatibilityDetails;
  api.DeviceEpIncompatibilityDetails_GetReasonsBitmask = DeviceEpIncompatibilityDetails_GetReasonsBitmask;
  api.DeviceEpIncompatibilityDetails_GetNotes = DeviceEpIncompatibilityDetails_GetNotes;
  api.DeviceEpIncompatibilityDetails_GetErrorCode = DeviceEpIncompatibilityDetails_GetErrorCode;
  api.ReleaseDeviceEpIncompatibilityDetails = Delete<OrtDeviceEpIncompatibilityDetails>;
}

}  // namespace ortrun::abi
