// SPDX-License-Identifier: Apache-2.0
#include "python/src/devices.h"

#include <pybind11/stl.h>

#include "python/src/gil.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

bool Serves(const Device& wanted, const OrtMemoryInfo* memory) {
  const Device offered = DeviceOf(memory);
  return offered.type == wanted.type && offered.id == wanted.id &&
         (wanted.vendor == 0 || offered.vendor == wanted.vendor) && offered.memory == wanted.memory;
}

const OrtEpDevice* FindEpDevice(const Device& device, const OrtMemoryInfo** memory) {
  for (const OrtEpDevice* candidate : EpDevices()) {
    const OrtMemoryInfo* offered = Api().EpDevice_MemoryInfo(candidate, device.memory);
    if (offered != nullptr && Serves(device, offered)) {
      *memory = offered;
      return candidate;
    }
  }
  return nullptr;
}

std::runtime_error NoSuchDevice(const Device& device) {
  std::string offered;
  for (const OrtEpDevice* candidate : EpDevices()) {
    const OrtMemoryInfo* memory = Api().EpDevice_MemoryInfo(candidate, OrtDeviceMemoryType_DEFAULT);
    if (memory == nullptr) continue;
    const Device found = DeviceOf(memory);
    offered += (offered.empty() ? "" : ", ") + DeviceName(found) + ":" + std::to_string(found.id) + " of " +
               Api().EpDevice_EpName(candidate);
  }
  return std::runtime_error("no provider of this process offers memory on device " + DeviceName(device) + ":" +
                            std::to_string(device.id) + "; there is cpu:0" + (offered.empty() ? "" : ", " + offered));
}

OrtAllocator* SharedAllocator(const OrtMemoryInfo* memory) {
  OrtAllocator* allocator = nullptr;
  OrtStatus* status = Api().GetSharedAllocator(Environment(), memory, &allocator);
  if (status != nullptr) Api().ReleaseStatus(status);
  return allocator;
}

Owned<OrtMemoryInfo> NewMemoryInfo(const std::string& name, OrtAllocatorType type, int id, OrtMemType memory) {
  OrtMemoryInfo* made = nullptr;
  OrtStatus* status = Api().CreateMemoryInfo(name.c_str(), type, id, memory, &made);
  if (status != nullptr) {
    const std::string message = Api().GetErrorMessage(status);
    Api().ReleaseStatus(status);
    throw std::runtime_error(message);
  }
  return Owned<OrtMemoryInfo>(made);
}

template <typename T, typename Function>
T Ask(Function function, const OrtMemoryInfo* memory) {
  T value{};
  Check(function(memory, &value));
  return value;
}

void DefineOrtDevice(py::module_& m) {
  py::class_<Device>(m, "OrtDevice", "A device and one of its memories.")
      .def(py::init([](int type, int memory, uint32_t vendor, int id) {
        return Device{static_cast<OrtMemoryInfoDeviceType>(type), static_cast<OrtDeviceMemoryType>(memory), vendor, id};
      }))
      .def(py::init([](int type, int memory, int id) {
             return Device{static_cast<OrtMemoryInfoDeviceType>(type), static_cast<OrtDeviceMemoryType>(memory), 0, id};
           }),
           "The device of any vendor.")
      .def("device_id", [](const Device& self) { return self.id; })
      .def("device_type", [](const Device& self) { return static_cast<int>(self.type); })
      .def("mem_type", [](const Device& self) { return static_cast<int>(self.memory); })
      .def("vendor_id", [](const Device& self) { return self.vendor; })
      .def_static("cpu", [] { return 0; })
      .def_static("cuda", [] { return 1; })
      .def_static("gpu", [] { return 1; })
      .def_static("webgpu", [] { return 1; })
      .def_static("fpga", [] { return 2; })
      .def_static("npu", [] { return 3; })
      .def_static("cann", [] { return 3; })
      .def_static("dml", [] { return 4; })
      .def_static("default_memory", [] { return 0; });
}

void DefineMemoryInfo(py::module_& m) {
  py::class_<MemoryInfo>(m, "OrtMemoryInfo", "A memory: its name, its device and how it is allocated.")
      .def(py::init([](const std::string& name, OrtAllocatorType type, int id, OrtMemType memory) {
        MemoryInfo made{NewMemoryInfo(name, type, id, memory)};
        made.info = made.owned.get();
        return made;
      }))
      .def_static("create_v2",
                  [](const std::string& name, OrtMemoryInfoDeviceType device, uint32_t vendor, int32_t id,
                     OrtDeviceMemoryType memory, size_t alignment, OrtAllocatorType type) {
                    MemoryInfo made{Make<OrtMemoryInfo>(Api().CreateMemoryInfo_V2, name.c_str(), device, vendor, id,
                                                        memory, alignment, type)};
                    made.info = made.owned.get();
                    return made;
                  })
      .def_property_readonly("name",
                             [](const MemoryInfo& m) { return Ask<const char*>(Api().MemoryInfoGetName, m.info); })
      .def_property_readonly("device_id", [](const MemoryInfo& m) { return Ask<int>(Api().MemoryInfoGetId, m.info); })
      .def_property_readonly("mem_type",
                             [](const MemoryInfo& m) { return Ask<OrtMemType>(Api().MemoryInfoGetMemType, m.info); })
      .def_property_readonly("allocator_type",
                             [](const MemoryInfo& m) { return Ask<OrtAllocatorType>(Api().MemoryInfoGetType, m.info); })
      .def_property_readonly("device_mem_type",
                             [](const MemoryInfo& m) { return Api().MemoryInfoGetDeviceMemType(m.info); })
      .def_property_readonly("device_vendor_id",
                             [](const MemoryInfo& m) { return Api().MemoryInfoGetVendorId(m.info); });
}

}  // namespace

Device DeviceOf(const OrtMemoryInfo* memory) {
  Device device;
  Api().MemoryInfoGetDeviceType(memory, &device.type);
  device.memory = Api().MemoryInfoGetDeviceMemType(memory);
  device.vendor = Api().MemoryInfoGetVendorId(memory);
  Check(Api().MemoryInfoGetId(memory, &device.id));
  return device;
}

std::string DeviceName(const Device& device) {
  switch (device.type) {
    case OrtMemoryInfoDeviceType_CPU:
      return "cpu";
    case OrtMemoryInfoDeviceType_GPU:
      return device.vendor == kVendorNvidia ? "cuda" : device.vendor == kVendorMicrosoft ? "dml" : "gpu";
    case OrtMemoryInfoDeviceType_NPU:
      return device.vendor == kVendorHuawei ? "cann" : "npu";
    case OrtMemoryInfoDeviceType_FPGA:
      return "fpga";
  }
  return "unknown";
}

const OrtMemoryInfo* MemoryOf(const Device& device) {
  if (device.is_cpu() && device.memory == OrtDeviceMemoryType_DEFAULT) return CpuMemory();
  const OrtMemoryInfo* memory = nullptr;
  if (FindEpDevice(device, &memory) == nullptr) throw NoSuchDevice(device);
  return memory;
}

OrtAllocator* AllocatorOf(const OrtMemoryInfo* memory) {
  const Device device = DeviceOf(memory);
  if (device.is_cpu() && device.memory == OrtDeviceMemoryType_DEFAULT) return CpuAllocator();
  if (OrtAllocator* shared = SharedAllocator(memory)) return shared;
  const OrtMemoryInfo* offered = nullptr;
  const OrtEpDevice* owner = FindEpDevice(device, &offered);
  if (owner == nullptr) throw NoSuchDevice(device);
  if (OrtAllocator* shared = SharedAllocator(offered)) return shared;
  OrtAllocator* made = nullptr;
  Check(Api().CreateSharedAllocator(Environment(), owner, device.memory, OrtDeviceAllocator, nullptr, &made));
  return made;
}

OrtAllocator* AllocatorOf(const Device& device) { return AllocatorOf(MemoryOf(device)); }

void DefineDevices(py::module_& m) {
  DefineOrtDevice(m);
  DefineMemoryInfo(m);
}

}  // namespace ortrun::python
