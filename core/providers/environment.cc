// SPDX-License-Identifier: Apache-2.0
#include "core/providers/environment.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/nearest.h"
#include "core/execution/stream.h"
#include "core/providers/library.h"
#include "ortrun/error.h"

namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

// The environment is the one global: it is made by the first holder and ended by the last.
std::mutex environment_mutex;
OrtEnv* environment = nullptr;
size_t environment_holders = 0;

}  // namespace

struct OrtEnv::Impl {
  std::mutex mutex;
  bool discovered = false;
  std::vector<ortrun::SearchedFolder> searched;
  std::vector<std::unique_ptr<ortrun::ProviderLibrary>> libraries;  ///< registered by callers first
  std::vector<std::shared_ptr<OrtAllocator>> shared_allocators;
  std::vector<const OrtEpDevice*> device_list;  ///< what DeviceList handed out last

  struct Transfer {
    OrtEpFactory* factory;
    OrtDataTransferImpl* impl;
  };
  std::vector<Transfer> transfers;

  std::mutex pool_mutex;
  std::shared_ptr<ortrun::ThreadPool> pool;

  void AddTransfers(const ortrun::ProviderLibrary& library) {
    for (OrtEpFactory* factory : library.factories) {
      if (factory->ort_version_supported < 23 || factory->CreateDataTransfer == nullptr) continue;
      OrtDataTransferImpl* transfer = nullptr;
      OrtStatus* status = factory->CreateDataTransfer(factory, &transfer);
      if (status != nullptr) Api().ReleaseStatus(status);
      if (status == nullptr && transfer != nullptr) transfers.push_back({factory, transfer});
    }
  }
  /// A library that could not be loaded for want of memory, or while there is no provider at all, gets another chance.
  void RetryLibraries(const OrtLogger& logger, const std::vector<const OrtHardwareDevice*>& hardware) {
    const bool none = std::none_of(libraries.begin(), libraries.end(), [](const auto& known) { return known->usable; });
    for (auto& library : libraries) {
      if (library->usable || !library->discovered || !(none || ortrun::LackedMemory(library->reason))) continue;
      auto again = ortrun::LoadProviderLibrary(library->registration, library->file, logger, hardware);
      if (!again->usable) continue;
      again->discovered = true;
      ortrun::ReleaseFactories(*library);
      library = std::move(again);
      AddTransfers(*library);
    }
  }
  void DropTransfers(const ortrun::ProviderLibrary& library) {
    std::erase_if(transfers, [&](const Transfer& transfer) {
      const auto& factories = library.factories;
      if (std::find(factories.begin(), factories.end(), transfer.factory) == factories.end()) return false;
      if (transfer.impl->Release != nullptr) transfer.impl->Release(transfer.impl);
      return true;
    });
  }
};

OrtEnv::OrtEnv(const Options& options) : options_(options), impl_(std::make_unique<Impl>()) {
  logger_ = std::make_shared<OrtLogger>(std::make_shared<const ortrun::LogSink>(options.sink),
                                        options.log_id.empty() ? "ortrun" : options.log_id, options.severity);
  hardware_ = ortrun::DiscoverHardware();
  for (const auto& device : hardware_) hardware_pointers_.push_back(device.get());
}

OrtEnv::~OrtEnv() {
  impl_->shared_allocators.clear();
  for (const auto& library : impl_->libraries) {
    impl_->DropTransfers(*library);
    ortrun::ReleaseFactories(*library);
  }
}

OrtEnv* OrtEnv::Acquire(const Options& options) {
  const std::lock_guard lock(environment_mutex);
  if (environment == nullptr) environment = new OrtEnv(options);  // NOLINT: counted, deleted by the last Release
  ++environment_holders;
  return environment;
}

void OrtEnv::AddRef() {
  const std::lock_guard lock(environment_mutex);
  ++environment_holders;
}

void OrtEnv::Release() {
  OrtEnv* last = nullptr;
  {
    const std::lock_guard lock(environment_mutex);
    if (environment_holders == 0 || --environment_holders != 0) return;
    last = std::exchange(environment, nullptr);
  }
  delete last;
}

void OrtEnv::SetLogSink(const ortrun::LogSink& sink) {
  const std::lock_guard lock(impl_->mutex);
  logger_ =
      std::make_shared<OrtLogger>(std::make_shared<const ortrun::LogSink>(sink), logger_->id(), logger_->severity());
}

const std::shared_ptr<ortrun::ThreadPool>& OrtEnv::thread_pool() {
  const std::lock_guard lock(impl_->pool_mutex);
  if (impl_->pool == nullptr)
    impl_->pool = std::make_shared<ortrun::ThreadPool>(options_.threading == nullptr ? ortrun::ThreadPool::Options()
                                                                                     : options_.threading->intra_op);
  return impl_->pool;
}

void OrtEnv::Discover() {
  if (impl_->discovered) return impl_->RetryLibraries(*logger_, hardware_pointers_);
  auto& libraries = impl_->libraries;
  impl_->searched = ortrun::SearchProviderFolders();
  std::set<std::string> seen;  // the first folder wins where two hold a library of one name
  for (const ortrun::SearchedFolder& folder : impl_->searched) {
    for (const std::filesystem::path& file : folder.files) {
      if (!seen.insert(file.filename().string()).second) continue;
      // Where memory ran out half-way, the next call goes on with the rest.
      const bool known = std::any_of(libraries.begin(), libraries.end(),
                                     [&](const auto& library) { return library->discovered && library->file == file; });
      if (known) continue;
      libraries.reserve(libraries.size() + 1);
      libraries.push_back(ortrun::LoadProviderLibrary(file.stem().string(), file, *logger_, hardware_pointers_));
      libraries.back()->discovered = true;
      impl_->AddTransfers(*libraries.back());
    }
  }
  impl_->discovered = true;
}

std::vector<const OrtEpDevice*> OrtEnv::Devices() {
  const std::lock_guard lock(impl_->mutex);
  Discover();
  std::vector<const OrtEpDevice*> devices;
  for (const auto& library : impl_->libraries)
    for (const auto& device : library->devices) devices.push_back(device.get());
  return devices;
}

const std::vector<const OrtEpDevice*>& OrtEnv::DeviceList() {
  auto devices = Devices();
  const std::lock_guard lock(impl_->mutex);
  if (devices != impl_->device_list) impl_->device_list = std::move(devices);
  return impl_->device_list;
}

std::vector<std::string> OrtEnv::ProviderNames() {
  // Providers with an own device come before those of the CPU, as a caller without an order would have them.
  std::vector<std::string> names;
  const auto devices = Devices();
  for (const bool cpu : {false, true})
    for (const OrtEpDevice* device : devices)
      if ((device->hardware->type == OrtHardwareDeviceType_CPU) == cpu &&
          std::find(names.begin(), names.end(), device->ep_name) == names.end())
        names.push_back(device->ep_name);
  return names;
}

bool OrtEnv::IsDiscovered(const OrtEpDevice& device) {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& library : impl_->libraries)
    for (const auto& known : library->devices)
      if (known.get() == &device) return library->discovered;
  return false;
}

void OrtEnv::RegisterLibrary(const std::string& registration, const std::filesystem::path& file) {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& library : impl_->libraries)
    if (!library->discovered && library->registration == registration)
      throw ortrun::Error(ORT_INVALID_ARGUMENT,
                          ortrun::Concat("a provider library is registered as '", registration, "' already: '",
                                         library->file.string(), "'; unregister it first or choose another name"));
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    throw ortrun::Error(ORT_FAIL, ortrun::Concat("provider library '", file.string(), "' does not exist"));
  auto library =
      ortrun::LoadProviderLibrary(registration, std::filesystem::absolute(file), *logger_, hardware_pointers_);
  if (!library->usable)
    throw ortrun::Error(
        ORT_FAIL, ortrun::Concat("provider library '", library->file.string(), "' cannot be used: ", library->reason));
  impl_->AddTransfers(*library);
  const auto first_discovered = std::find_if(impl_->libraries.begin(), impl_->libraries.end(),
                                             [](const auto& known) { return known->discovered; });
  impl_->libraries.insert(first_discovered, std::move(library));
}

void OrtEnv::UnregisterLibrary(const std::string& registration) {
  const std::lock_guard lock(impl_->mutex);
  std::vector<std::string> names;
  for (auto library = impl_->libraries.begin(); library != impl_->libraries.end(); ++library) {
    if ((*library)->discovered) continue;
    names.push_back((*library)->registration);
    if ((*library)->registration != registration) continue;
    std::erase_if(impl_->shared_allocators, [&](const auto& allocator) {
      const OrtMemoryInfo* info = allocator->Info(allocator.get());
      return std::any_of((*library)->devices.begin(), (*library)->devices.end(),
                         [&](const auto& device) { return device->memory && device->memory->device == info->device; });
    });
    impl_->DropTransfers(**library);
    ortrun::ReleaseFactories(**library);
    impl_->libraries.erase(library);
    return;
  }
  throw ortrun::Error(ORT_FAIL, ortrun::Concat("no provider library is registered as '", registration, "'.",
                                               ortrun::DidYouMean(registration, names)));
}

std::string OrtEnv::ListProviders() {
  using Json = nlohmann::ordered_json;
  const std::lock_guard lock(impl_->mutex);
  Discover();
  Json listed = Json::array();
  for (const auto& library : impl_->libraries) {
    const auto describe = [&](const std::string& name, OrtEpFactory* factory) {
      Json provider;
      provider["name"] = name;
      provider["registration"] = library->registration;
      provider["version"] = factory == nullptr ? "" : ortrun::FactoryVersion(*factory);
      const char* vendor = factory == nullptr || factory->GetVendor == nullptr ? "" : factory->GetVendor(factory);
      provider["vendor"] = vendor == nullptr ? "" : vendor;
      provider["file"] = library->file.string();
      provider["status"] = library->usable ? "ready" : "unusable";
      provider["reason"] = library->reason;
      provider["devices"] = Json::array();
      for (const auto& device : library->devices) {
        if (device->factory != factory) continue;
        static constexpr const char* kTypes[] = {"CPU", "GPU", "NPU"};
        provider["devices"].push_back({{"type", kTypes[device->hardware->type]},
                                       {"vendor", device->hardware->vendor},
                                       {"vendor_id", device->hardware->vendor_id},
                                       {"device_id", device->hardware->device_id},
                                       {"metadata", device->metadata.entries()},
                                       {"options", device->options.entries()}});
      }
      listed.push_back(std::move(provider));
    };
    if (library->factories.empty()) describe(library->file.stem().string(), nullptr);
    for (size_t i = 0; i < library->factories.size(); ++i)
      describe(i < library->names.size() ? library->names[i] : library->registration, library->factories[i]);
  }
  return listed.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string OrtEnv::SearchReport() {
  const std::lock_guard lock(impl_->mutex);
  Discover();
  std::string report = "searched: ";
  const char* separator = "";
  for (const ortrun::SearchedFolder& folder : impl_->searched) {
    std::vector<std::string> names;
    for (const auto& file : folder.files) names.push_back(file.filename().string());
    report += ortrun::Concat(separator, "'", folder.path.string(), "' (",
                             !folder.exists ? "no such folder" : "found: " + ortrun::Join(names), ")");
    separator = "; ";
  }
  for (const auto& library : impl_->libraries)
    if (!library->usable) report += ortrun::Concat("; '", library->file.string(), "' is not usable: ", library->reason);
  return report + ". Put provider libraries there, or name their folder in ORTRUN_PROVIDER_PATH";
}

std::shared_ptr<OrtAllocator> OrtEnv::SharedAllocator(const OrtMemoryInfo& memory) {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& allocator : impl_->shared_allocators)
    if (allocator->Info(allocator.get())->device == memory.device) return allocator;
  return nullptr;
}

std::shared_ptr<OrtAllocator> OrtEnv::CreateSharedAllocator(const OrtEpDevice& device, OrtDeviceMemoryType memory_type,
                                                            const OrtKeyValuePairs* options) {
  const auto& memory = memory_type == OrtDeviceMemoryType_HOST_ACCESSIBLE ? device.host_accessible : device.memory;
  if (!memory)
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("provider '", device.ep_name, "' has no memory of that kind on this device"));
  if (device.factory->CreateAllocator == nullptr)
    throw ortrun::Error(ORT_NOT_IMPLEMENTED, ortrun::Concat("provider '", device.ep_name, "' makes no allocators"));
  OrtAllocator* made = nullptr;
  ortrun::ThrowOnError(Api(), device.factory->CreateAllocator(device.factory, &*memory, options, &made));
  ortrun::Require(made != nullptr, "provider '", device.ep_name, "' made no allocator for '", memory->name, "'");
  OrtEpFactory* factory = device.factory;
  std::shared_ptr<OrtAllocator> allocator(made, [factory](OrtAllocator* a) {
    if (factory->ReleaseAllocator != nullptr) factory->ReleaseAllocator(factory, a);
  });
  RemoveSharedAllocator(*memory);
  AddSharedAllocator(allocator);
  return allocator;
}

void OrtEnv::ReleaseSharedAllocator(const OrtEpDevice& device, OrtDeviceMemoryType memory_type) {
  const auto& memory = memory_type == OrtDeviceMemoryType_HOST_ACCESSIBLE ? device.host_accessible : device.memory;
  if (memory) RemoveSharedAllocator(*memory);
}

void OrtEnv::AddSharedAllocator(std::shared_ptr<OrtAllocator> allocator) {
  const std::lock_guard lock(impl_->mutex);
  impl_->shared_allocators.push_back(std::move(allocator));
}

void OrtEnv::RemoveSharedAllocator(const OrtMemoryInfo& memory) {
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->shared_allocators,
                [&](const auto& allocator) { return allocator->Info(allocator.get())->device == memory.device; });
}

OrtDataTransferImpl* OrtEnv::FindDataTransfer(const OrtMemoryDevice& from, const OrtMemoryDevice& to) {
  const std::lock_guard lock(impl_->mutex);
  for (const Impl::Transfer& transfer : impl_->transfers)
    if (transfer.impl->CanCopy(transfer.impl, &from, &to)) return transfer.impl;
  return nullptr;
}

void OrtEnv::CopyTensors(const OrtValue* const* from, OrtValue* const* to, OrtSyncStream* stream, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const OrtValue& source = *from[i];
    OrtValue& target = *to[i];
    ortrun::Require(source.IsTensor() && target.IsTensor() && source.type() == target.type() &&
                        source.tensor().count == target.tensor().count,
                    "a copy needs two tensors of one type and size, got ", ortrun::TypeName(source.TypeOf()), " ",
                    ortrun::ShapeText(source.tensor().shape, source.tensor().rank), " and ",
                    ortrun::TypeName(target.TypeOf()), " ",
                    ortrun::ShapeText(target.tensor().shape, target.tensor().rank));
    const OrtMemoryDevice& source_device = source.memory().device;
    const OrtMemoryDevice& target_device = target.memory().device;
    if (source_device.HostAccessible() && target_device.HostAccessible()) {
      if (source.IsString())
        std::copy_n(source.strings(), source.tensor().count, target.strings());
      else if (source.bytes() != 0)
        std::memcpy(target.tensor().data, source.tensor().data, source.bytes());
      continue;
    }
    OrtDataTransferImpl* transfer = FindDataTransfer(source_device, target_device);
    if (transfer == nullptr)
      throw ortrun::Error(ORT_NOT_IMPLEMENTED,
                          ortrun::Concat("no provider can copy from memory '", source.memory().name, "' to '",
                                         target.memory().name, "'"));
    const OrtValue* one = &source;
    OrtValue* other = &target;
    OrtSyncStream* streams[] = {stream};
    ortrun::ThrowOnError(Api(),
                         transfer->CopyTensors(transfer, &one, &other, stream == nullptr ? nullptr : streams, 1));
  }
}
