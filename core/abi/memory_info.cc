// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string_view>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/memory.h"

namespace ortrun::abi {
namespace {

/// The names that CreateMemoryInfo knows, with the memory that each means.
struct NamedMemory {
  std::string_view name;
  OrtMemoryInfoDeviceType type;
  OrtDeviceMemoryType memory_type;
  uint32_t vendor_id;
};

constexpr uint32_t kNvidia = 0x10DE;
constexpr uint32_t kAmd = 0x1002;
constexpr uint32_t kIntel = 0x8086;
constexpr uint32_t kMicrosoft = 0x1414;
constexpr uint32_t kQualcomm = 0x5143;

constexpr NamedMemory kNamedMemories[] = {
    {"Cpu", OrtMemoryInfoDeviceType_CPU, OrtDeviceMemoryType_DEFAULT, 0},
    {"Cuda", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, kNvidia},
    {"CudaPinned", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_HOST_ACCESSIBLE, kNvidia},
    {"Hip", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, kAmd},
    {"HipPinned", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_HOST_ACCESSIBLE, kAmd},
    {"DML", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, kMicrosoft},
    {"WebGPU_Buf", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
    {"WebGPU_Buffer", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
    {"WebNN_Tensor", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, 0},
    {"OpenVINO_GPU", OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, kIntel},
    {"OpenVINO_RT_NPU", OrtMemoryInfoDeviceType_NPU, OrtDeviceMemoryType_DEFAULT, kIntel},
    {"QnnHtpShared", OrtMemoryInfoDeviceType_CPU, OrtDeviceMemoryType_HOST_ACCESSIBLE, kQualcomm},
};

void CheckMemType(OrtMemType type) {
  Require(type >= OrtMemTypeCPUInput && type <= OrtMemTypeDefault, "memory type ", static_cast<int>(type),
          " is not valid");
}

OrtStatus* CreateMemoryInfo(const char* name, OrtAllocatorType type, int id, OrtMemType mem_type, OrtMemoryInfo** out) {
  return Guard({{"name", name}, {"out", out}}, [&] {
    CheckMemType(mem_type);
    for (const NamedMemory& known : kNamedMemories) {
      if (known.name != name) continue;
      auto info = std::make_unique<OrtMemoryInfo>();
      info->name = name;
      info->allocator_type = type;
      info->mem_type = mem_type;
      info->device = {known.type, known.memory_type, known.vendor_id, id};
      *out = info.release();
      return;
    }
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("Specified device '", name, "' is not supported. Try CreateMemoryInfo_V2."));
  });
}

OrtStatus* CreateMemoryInfo_V2(const char* name, OrtMemoryInfoDeviceType device_type, uint32_t vendor_id,
                               int32_t device_id, OrtDeviceMemoryType mem_type, size_t alignment,
                               OrtAllocatorType allocator_type, OrtMemoryInfo** out) {
  return Guard({{"name", name}, {"out", out}}, [&] {
    Require(device_type >= OrtMemoryInfoDeviceType_CPU && device_type <= OrtMemoryInfoDeviceType_NPU, "device type ",
            static_cast<int>(device_type), " is not valid");
    Require(mem_type == OrtDeviceMemoryType_DEFAULT || mem_type == OrtDeviceMemoryType_HOST_ACCESSIBLE, "memory type ",
            static_cast<int>(mem_type), " is not valid");
    Require((alignment & (alignment - 1)) == 0, "alignment ", alignment, " is no power of two");
    auto info = std::make_unique<OrtMemoryInfo>();
    info->name = name;
    info->allocator_type = allocator_type;
    info->device = {device_type, mem_type, vendor_id, device_id};
    info->alignment = alignment;
    *out = info.release();
  });
}

OrtStatus* CreateCpuMemoryInfo(OrtAllocatorType type, OrtMemType mem_type, OrtMemoryInfo** out) {
  return Guard({{"out", out}}, [&] {
    CheckMemType(mem_type);
    auto info = std::make_unique<OrtMemoryInfo>();
    info->allocator_type = type;
    info->mem_type = mem_type;
    *out = info.release();
  });
}

OrtStatus* CompareMemoryInfo(const OrtMemoryInfo* info1, const OrtMemoryInfo* info2, int* out) {
  return Guard({{"info1", info1}, {"info2", info2}, {"out", out}}, [&] { *out = *info1 == *info2 ? 0 : -1; });
}

OrtStatus* MemoryInfoGetName(const OrtMemoryInfo* ptr, const char** out) {
  return Guard({{"ptr", ptr}, {"out", out}}, [&] { *out = ptr->name.c_str(); });
}

OrtStatus* MemoryInfoGetId(const OrtMemoryInfo* ptr, int* out) {
  return Guard({{"ptr", ptr}, {"out", out}}, [&] { *out = ptr->device.device_id; });
}

OrtStatus* MemoryInfoGetMemType(const OrtMemoryInfo* ptr, OrtMemType* out) {
  return Guard({{"ptr", ptr}, {"out", out}}, [&] { *out = ptr->mem_type; });
}

OrtStatus* MemoryInfoGetType(const OrtMemoryInfo* ptr, OrtAllocatorType* out) {
  return Guard({{"ptr", ptr}, {"out", out}}, [&] { *out = ptr->allocator_type; });
}

void MemoryInfoGetDeviceType(const OrtMemoryInfo* ptr, OrtMemoryInfoDeviceType* out) noexcept {
  if (out != nullptr) *out = ptr == nullptr ? OrtMemoryInfoDeviceType_CPU : ptr->device.type;
}

OrtDeviceMemoryType MemoryInfoGetDeviceMemType(const OrtMemoryInfo* ptr) noexcept {
  return ptr == nullptr ? OrtDeviceMemoryType_DEFAULT : ptr->device.memory_type;
}

uint32_t MemoryInfoGetVendorId(const OrtMemoryInfo* ptr) noexcept { return ptr == nullptr ? 0 : ptr->device.vendor_id; }

}  // namespace

void FillMemoryInfo(OrtApi& api) {
  api.CreateMemoryInfo = CreateMemoryInfo;
  api.CreateMemoryInfo_V2 = CreateMemoryInfo_V2;
  api.CreateCpuMemoryInfo = CreateCpuMemoryInfo;
  api.CompareMemoryInfo = CompareMemoryInfo;
  api.MemoryInfoGetName = MemoryInfoGetName;
  api.MemoryInfoGetId = MemoryInfoGetId;
  api.MemoryInfoGetMemType = MemoryInfoGetMemType;
  api.MemoryInfoGetType = MemoryInfoGetType;
  api.MemoryInfoGetDeviceType = MemoryInfoGetDeviceType;
  api.MemoryInfoGetDeviceMemType = MemoryInfoGetDeviceMemType;
  api.MemoryInfoGetVendorId = MemoryInfoGetVendorId;
  api.ReleaseMemoryInfo = Delete<OrtMemoryInfo>;
}

}  // namespace ortrun::abi
