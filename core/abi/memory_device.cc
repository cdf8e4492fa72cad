// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/stream.h"
#include "core/execution/value.h"

namespace ortrun::abi {
namespace {

const OrtMemoryDevice* MemoryInfo_GetMemoryDevice(const OrtMemoryInfo* memory_info) noexcept {
  return IfAny(memory_info, [](const OrtMemoryInfo& info) { return &info.device; });
}

const OrtMemoryDevice* Value_GetMemoryDevice(const OrtValue* value) noexcept {
  return value != nullptr && value->HasValue() ? &value->memory().device : nullptr;
}

bool MemoryDevice_AreEqual(const OrtMemoryDevice* a, const OrtMemoryDevice* b) noexcept {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

OrtMemoryInfoDeviceType MemoryDevice_GetDeviceType(const OrtMemoryDevice* device) noexcept {
  return IfAny(device, [](const OrtMemoryDevice& d) { return d.type; });
}

OrtDeviceMemoryType MemoryDevice_GetMemoryType(const OrtMemoryDevice* device) noexcept {
  return IfAny(device, [](const OrtMemoryDevice& d) { return d.memory_type; });
}

uint32_t MemoryDevice_GetVendorId(const OrtMemoryDevice* device) noexcept {
  return IfAny(device, [](const OrtMemoryDevice& d) { return d.vendor_id; });
}

uint32_t MemoryDevice_GetDeviceId(const OrtMemoryDevice* device) noexcept {
  return IfAny(device, [](const OrtMemoryDevice& d) { return static_cast<uint32_t>(d.device_id); });
}

const OrtSyncStreamImpl* SyncStream_GetImpl(const OrtSyncStream* stream) noexcept {
  return IfAny(stream, [](const OrtSyncStream& s) -> const OrtSyncStreamImpl* { return s.impl(); });
}

uint64_t SyncStream_GetSyncId(const OrtSyncStream* stream) noexcept {
  return IfAny(stream, [](const OrtSyncStream& s) { return s.sync_id(); });
}

// Streams wait for each other through the host, so none has waited on another directly.
uint64_t GetSyncIdForLastWaitOnSyncStream(const OrtSyncStream*, const OrtSyncStream*) noexcept { return 0; }

}  // namespace

void FillMemoryDevice(OrtEpApi& api) {
  api.MemoryInfo_GetMemoryDevice = MemoryInfo_GetMemoryDevice;
  api.Value_GetMemoryDevice = Value_GetMemoryDevice;
  api.MemoryDevice_AreEqual = MemoryDevice_AreEqual;
  api.MemoryDevice_GetDeviceType = MemoryDevice_GetDeviceType;
  api.MemoryDevice_GetMemoryType = MemoryDevice_GetMemoryType;
  api.MemoryDevice_GetVendorId = MemoryDevice_GetVendorId;
  api.MemoryDevice_GetDeviceId = MemoryDevice_GetDeviceId;
  api.SyncStream_GetImpl = SyncStream_GetImpl;
  api.SyncStream_GetSyncId = SyncStream_GetSyncId;
  api.GetSyncIdForLastWaitOnSyncStream = GetSyncIdForLastWaitOnSyncStream;
}

}  // namespace ortrun::abi
