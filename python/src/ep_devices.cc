// SPDX-License-Identifier: Apache-2.0
// Provider libraries, the devices that they offer, and allocators.
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "python/src/devices.h"
#include "python/src/gil.h"
#include "python/src/value.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

// Arena settings as Python gives them; -1 leaves the choice to the runtime.
struct ArenaConfig {
  size_t max_mem = 0;
  int arena_extend_strategy = -1;
  int initial_chunk_size_bytes = -1;
  int max_dead_bytes_per_chunk = -1;
  int initial_growth_chunk_size_bytes = -1;
  int64_t max_power_of_two_extend_bytes = -1;
};

ArenaConfig ArenaFromDict(const py::dict& options) {
  ArenaConfig config;
  for (const auto& [key, value] : options) {
    const auto name = py::str(key).cast<std::string>();
    if (name == "max_mem") {
      config.max_mem = value.cast<size_t>();
    } else if (name == "arena_extend_strategy") {
      config.arena_extend_strategy = value.cast<int>();
    } else if (name == "initial_chunk_size_bytes") {
      config.initial_chunk_size_bytes = value.cast<int>();
    } else if (name == "max_dead_bytes_per_chunk") {
      config.max_dead_bytes_per_chunk = value.cast<int>();
    } else if (name == "initial_growth_chunk_size_bytes") {
      config.initial_growth_chunk_size_bytes = value.cast<int>();
    } else if (name == "max_power_of_two_extend_bytes") {
      config.max_power_of_two_extend_bytes = value.cast<int64_t>();
    } else {
      throw std::runtime_error("Invalid OrtArenaCfg option: " + name);
    }
  }
  return config;
}

Owned<OrtArenaCfg> MakeArena(const ArenaConfig* config) {
  if (config == nullptr) return nullptr;
  std::vector<const char*> keys;
  std::vector<size_t> values;
  const auto add = [&](const char* key, int64_t value, int64_t unset) {
    if (value == unset) return;
    keys.push_back(key);
    values.push_back(static_cast<size_t>(value));
  };
  add("max_mem", static_cast<int64_t>(config->max_mem), 0);
  add("arena_extend_strategy", config->arena_extend_strategy, -1);
  add("initial_chunk_size_bytes", config->initial_chunk_size_bytes, -1);
  add("max_dead_bytes_per_chunk", config->max_dead_bytes_per_chunk, -1);
  add("initial_growth_chunk_size_bytes", config->initial_growth_chunk_size_bytes, -1);
  add("max_power_of_two_extend_bytes", config->max_power_of_two_extend_bytes, -1);
  return Make<OrtArenaCfg>(Api().CreateArenaCfgV2, keys.data(), values.data(), keys.size());
}

void RegisterLibrary(const std::string& name, const std::filesystem::path& path) {
  OrtEnv* environment = Environment();
  const ReleaseGil released;
  Check(Api().RegisterExecutionProviderLibrary(environment, name.c_str(), path.c_str()));
}

void UnregisterLibrary(const std::string& name) {
  OrtEnv* environment = Environment();
  const ReleaseGil released;
  Check(Api().UnregisterExecutionProviderLibrary(environment, name.c_str()));
}

void RegisterAllocator(const MemoryInfo& memory, const ArenaConfig* config) {
  const auto arena = MakeArena(config);
  Check(Api().CreateAndRegisterAllocator(Environment(), memory.info, arena.get()));
}

void RegisterAllocatorV2(const std::string& provider, const MemoryInfo& memory,
                         const std::map<std::string, std::string>& options, const ArenaConfig* config) {
  const auto arena = MakeArena(config);
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Check(Api().CreateAndRegisterAllocatorV2(Environment(), provider.c_str(), memory.info, arena.get(), keys.data(),
                                           values.data(), keys.size()));
}

std::vector<HardwareDevice> HardwareDevices() {
  size_t count = 0;
  Check(Api().GetNumHardwareDevices(Environment(), &count));
  std::vector<const OrtHardwareDevice*> found(count);
  Check(Api().GetHardwareDevices(Environment(), found.data(), count));
  std::vector<HardwareDevice> devices;
  for (const OrtHardwareDevice* device : found) devices.push_back({device});
  return devices;
}

void DefineClasses(py::module_& m) {
  py::class_<HardwareDevice>(m, "OrtHardwareDevice", "A processor of this machine.")
      .def_property_readonly("type", [](const HardwareDevice& d) { return Api().HardwareDevice_Type(d.device); })
      .def_property_readonly("vendor", [](const HardwareDevice& d) { return Api().HardwareDevice_Vendor(d.device); })
      .def_property_readonly("vendor_id",
                             [](const HardwareDevice& d) { return Api().HardwareDevice_VendorId(d.device); })
      .def_property_readonly("device_id",
                             [](const HardwareDevice& d) { return Api().HardwareDevice_DeviceId(d.device); })
      .def_property_readonly("metadata",
                             [](const HardwareDevice& d) { return ToDict(Api().HardwareDevice_Metadata(d.device)); });

  py::class_<SyncStream>(m, "OrtSyncStream", "A stream of work on a device.")
      .def("get_handle",
           [](const SyncStream& s) { return reinterpret_cast<uintptr_t>(Api().SyncStream_GetHandle(s.stream.get())); });

  py::class_<EpDevice>(m, "OrtEpDevice", "A device that a provider offers to serve.")
      .def_property_readonly("ep_name", [](const EpDevice& d) { return Api().EpDevice_EpName(d.get()); })
      .def_property_readonly("ep_vendor", [](const EpDevice& d) { return Api().EpDevice_EpVendor(d.get()); })
      .def_property_readonly("ep_metadata",
                             [](const EpDevice& d) { return ToDict(Api().EpDevice_EpMetadata(d.get())); })
      .def_property_readonly("ep_options", [](const EpDevice& d) { return ToDict(Api().EpDevice_EpOptions(d.get())); })
      .def_property_readonly("device", [](const EpDevice& d) { return HardwareDevice{Api().EpDevice_Device(d.get())}; })
      .def("memory_info",
           [](const EpDevice& d, OrtDeviceMemoryType type) -> py::object {
             const OrtMemoryInfo* memory = Api().EpDevice_MemoryInfo(d.get(), type);
             if (memory == nullptr) return py::none();
             return py::cast(MemoryInfo{nullptr, memory});
           })
      .def("create_sync_stream", [](const EpDevice& d) {
        return SyncStream{Make<OrtSyncStream>(Api().CreateSyncStreamForEpDevice, d.get(), nullptr)};
      });

  py::class_<ArenaConfig>(m, "OrtArenaCfg", "Settings of an arena; -1 leaves a choice to the runtime.")
      .def(py::init([](size_t max_mem, int strategy, int initial_chunk, int max_dead) {
        return ArenaConfig{max_mem, strategy, initial_chunk, max_dead};
      }))
      .def(py::init(&ArenaFromDict))
      .def_readwrite("max_mem", &ArenaConfig::max_mem)
      .def_readwrite("arena_extend_strategy", &ArenaConfig::arena_extend_strategy)
      .def_readwrite("initial_chunk_size_bytes", &ArenaConfig::initial_chunk_size_bytes)
      .def_readwrite("max_dead_bytes_per_chunk", &ArenaConfig::max_dead_bytes_per_chunk)
      .def_readwrite("initial_growth_chunk_size_bytes", &ArenaConfig::initial_growth_chunk_size_bytes)
      .def_readwrite("max_power_of_two_extend_bytes", &ArenaConfig::max_power_of_two_extend_bytes);
}

}  // namespace

std::span<const OrtEpDevice* const> EpDevices() {
  OrtEnv* environment = Environment();
  const OrtEpDevice* const* devices = nullptr;
  size_t count = 0;
  const ReleaseGil released;
  Check(Api().GetEpDevices(environment, &devices, &count));
  return {devices, count};
}

const OrtEpDevice* EpDevice::get() const {
  const auto present = EpDevices();
  if (std::find(present.begin(), present.end(), device_) == present.end()) {
    throw std::runtime_error(
        "this OrtEpDevice has ended: its provider library was unregistered; call get_ep_devices again");
  }
  return device_;
}

py::dict ToDict(const OrtKeyValuePairs* pairs) {
  py::dict result;
  if (pairs == nullptr) return result;
  const char* const* keys = nullptr;
  const char* const* values = nullptr;
  size_t count = 0;
  Api().GetKeyValuePairs(pairs, &keys, &values, &count);
  for (size_t i = 0; i < count; ++i) result[keys[i]] = py::str(values[i]);
  return result;
}

void DefineEpDevices(py::module_& m) {
  DefineClasses(m);
  m.def("register_execution_provider_library", &RegisterLibrary,
        "Loads a provider library under a registration name; its devices then appear in get_ep_devices().");
  m.def("unregister_execution_provider_library", &UnregisterLibrary,
        "Forgets a provider library; release the sessions that use it first.");
  m.def("get_ep_devices", [] {
    py::list devices;
    for (const OrtEpDevice* device : EpDevices()) devices.append(EpDevice(device));
    return devices;
  });
  m.def("get_hardware_devices", &HardwareDevices);
  m.def("create_and_register_allocator", &RegisterAllocator);
  m.def("create_and_register_allocator_v2", &RegisterAllocatorV2);
  m.def("copy_tensors",
        [](const std::vector<ValuePtr>& from, const std::vector<ValuePtr>& to, const SyncStream* stream) {
          if (from.size() != to.size()) throw std::runtime_error("copy_tensors: as many targets as sources are needed");
          for (size_t i = 0; i < from.size(); ++i) {
            const OrtValue* source = from[i]->get();
            OrtValue* target = to[i]->get();
            CopyTensors({&source, 1}, {&target, 1}, stream ? stream->stream.get() : nullptr);
          }
        });
}

}  // namespace ortrun::python
