// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/providers/device.h"

namespace ortrun {
namespace {

std::string ReadLine(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

uint32_t ReadHex(const std::filesystem::path& path) {
  return static_cast<uint32_t>(std::strtoul(ReadLine(path).c_str(), nullptr, 16));
}

struct Vendor {
  uint32_t id;
  const char* cpu_name;  ///< as the processor names itself in /proc/cpuinfo; nullptr: makes no CPUs
  const char* name;
};

constexpr Vendor kVendors[] = {
    {0x8086, "GenuineIntel", "Intel"}, {0x1022, "AuthenticAMD", "AMD"}, {0x1002, nullptr, "AMD"},
    {0x10de, nullptr, "NVIDIA"},       {0x13b5, "0x41", "ARM"},         {0x5143, "0x51", "Qualcomm"},
    {0x1d94, "HygonGenuine", "Hygon"},
};

std::string CpuInfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const size_t colon = line.find(':');
    if (colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "";
}

std::unique_ptr<HardwareDevice> DiscoverCpu() {
  auto cpu = std::make_unique<HardwareDevice>();
  std::string vendor = CpuInfo("vendor_id");
  if (vendor.empty()) vendor = CpuInfo("CPU implementer");
  cpu->vendor = vendor;
  for (const Vendor& known : kVendors)
    if (known.cpu_name != nullptr && vendor == known.cpu_name) cpu->vendor_id = known.id;
  const std::string model = CpuInfo("model name");
  if (!model.empty()) cpu->metadata.Set("Description", model);
  return cpu;
}

std::unique_ptr<HardwareDevice> ReadPciDevice(const std::filesystem::path& folder) {
  const uint32_t device_class = ReadHex(folder / "class") >> 16;
  constexpr uint32_t kDisplay = 0x03;
  constexpr uint32_t kAccelerator = 0x12;
  if (device_class != kDisplay && device_class != kAccelerator) return nullptr;
  auto device = std::make_unique<HardwareDevice>();
  device->type = device_class == kDisplay ? OrtHardwareDeviceType_GPU : OrtHardwareDeviceType_NPU;
  device->vendor_id = ReadHex(folder / "vendor");
  device->device_id = ReadHex(folder / "device");
  for (const Vendor& known : kVendors)
    if (known.id == device->vendor_id) device->vendor = known.name;
  device->metadata.Set("pci_bus_id", folder.filename().string());
  return device;
}

}  // namespace

std::vector<std::unique_ptr<HardwareDevice>> DiscoverHardware() {
  std::vector<std::unique_ptr<HardwareDevice>> devices;
  devices.push_back(DiscoverCpu());
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/sys/bus/pci/devices", error), end; !error && entry != end;
       entry.increment(error))
    folders.push_back(entry->path());
  std::sort(folders.begin(), folders.end());
  for (const auto& folder : folders)
    if (auto device = ReadPciDevice(folder)) devices.push_back(std::move(device));
  return devices;
}

}  // namespace ortrun
