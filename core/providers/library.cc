// SPDX-License-Identifier: Apache-2.0
#include "core/providers/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <boost/dll/shared_library.hpp>
#include <cstdlib>
#include <mutex>
#include <sstream>
#include <utility>

#include "core/base/nearest.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

std::string TakeMessage(OrtStatus* status) {
  if (status == nullptr) return "";
  std::string message = Api().GetErrorMessage(status);
  Api().ReleaseStatus(status);
  return message;
}

std::filesystem::path OwnFolder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&OrtGetApiBase), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  const auto real = std::filesystem::canonical(info.dli_fname, error);
  return (error ? std::filesystem::path(info.dli_fname) : real).parent_path();
}

bool LooksLikeLibrary(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  const size_t at = name.find(".so");
  return at != std::string::npos && at != 0 && (name.size() == at + 3 || name[at + 3] == '.');
}

SearchedFolder List(const std::filesystem::path& path) {
  SearchedFolder folder{path, false, {}};
  std::error_code error;
  folder.exists = std::filesystem::is_directory(path, error);
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (LooksLikeLibrary(entry->path()) && entry->is_regular_file(ignored)) folder.files.push_back(entry->path());
  }
  std::sort(folder.files.begin(), folder.files.end());
  return folder;
}

constexpr size_t kMaxFactories = 16;
constexpr size_t kMaxDevices = 64;

/// Libraries stay loaded for the life of the process: a provider may have threads and static objects that unloading
/// would pull away. The list is never destroyed, and keeps their handles in sight of leak checkers.
boost::dll::shared_library& KeepForever(std::unique_ptr<boost::dll::shared_library> library) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<std::unique_ptr<boost::dll::shared_library>>();
  const std::lock_guard lock(mutex);
  return *kept->emplace_back(std::move(library));
}

/// Loads with deep binding off and local symbols: nothing of the library is visible to others.
boost::dll::shared_library& LoadForever(const std::filesystem::path& file) {
  auto library = std::make_unique<boost::dll::shared_library>();
  boost::dll::fs::error_code error;
  library->load(boost::dll::fs::path(file.string()), error, boost::dll::load_mode::rtld_now);
  if (error) {
    const char* detail = dlerror();
    throw Error(ORT_FAIL, Concat("the library could not be loaded: ", detail != nullptr ? detail : error.message()));
  }
  return KeepForever(std::move(library));
}

void AskDevices(ProviderLibrary& library, OrtEpFactory& factory, const std::vector<const HardwareDevice*>& hardware) {
  std::array<OrtEpDevice*, kMaxDevices> devices{};
  size_t count = 0;
  OrtStatus* status =
      factory.GetSupportedDevices(&factory, hardware.data(), hardware.size(), devices.data(), devices.size(), &count);
  std::vector<std::unique_ptr<EpDevice>> owned;
  for (size_t i = 0; i < std::min(count, devices.size()); ++i)
    if (devices[i] != nullptr) owned.emplace_back(devices[i]);
  ThrowOnError(Api(), status);
  const char* name = factory.GetName == nullptr ? nullptr : factory.GetName(&factory);
  Require(name != nullptr && *name != '\0', "a factory of the library has no name");
  library.names.emplace_back(name);
  const char* vendor = factory.GetVendor == nullptr ? nullptr : factory.GetVendor(&factory);
  for (auto& device : owned) {
    device->ep_name = name;
    device->ep_vendor = vendor == nullptr ? "" : vendor;
    device->factory = &factory;
    device->metadata.Set("library_path", library.file.string());
    if (const std::string version = FactoryVersion(factory);
        !version.empty() && device->metadata.Find("version") == nullptr)
      device->metadata.Set("version", version);
    library.devices.push_back(std::move(device));
  }
}

/// Why a hardware device does not suit, as far as the factory can tell.
std::string DeviceRefusals(OrtEpFactory& factory, const std::vector<const HardwareDevice*>& hardware) {
  std::string text;
  if (factory.ort_version_supported < 24 || factory.GetHardwareDeviceIncompatibilityDetails == nullptr) return text;
  for (const HardwareDevice* device : hardware) {
    OrtDeviceEpIncompatibilityDetails details;
    if (!TakeMessage(factory.GetHardwareDeviceIncompatibilityDetails(&factory, device, &details)).empty()) continue;
    if (!details.notes.empty()) text += (text.empty() ? ": " : "; ") + details.notes;
  }
  return text;
}

}  // namespace

std::string FactoryVersion(OrtEpFactory& factory) {
  if (factory.ort_version_supported < 23 || factory.GetVersion == nullptr) return "";
  const char* version = factory.GetVersion(&factory);
  return version == nullptr ? "" : version;
}

std::vector<SearchedFolder> SearchProviderFolders() {
  std::vector<SearchedFolder> folders;
  if (const char* variable = std::getenv("ORTRUN_PROVIDER_PATH")) {
    std::istringstream paths(variable);
    for (std::string path; std::getline(paths, path, ':');)
      if (!path.empty()) folders.push_back(List(std::filesystem::absolute(path)));
  }
  folders.push_back(List(OwnFolder() / "providers"));
  return folders;
}

std::unique_ptr<ProviderLibrary> LoadProviderLibrary(const std::string& registration, const std::filesystem::path& file,
                                                     const Logger& logger,
                                                     const std::vector<const HardwareDevice*>& hardware) {
  auto library = std::make_unique<ProviderLibrary>();
  library->registration = registration;
  library->file = file;
  try {
    boost::dll::shared_library& loaded = LoadForever(file);
    if (!loaded.has("CreateEpFactories"))
      throw Error(ORT_FAIL, "it is no provider library: it does not export CreateEpFactories");
    auto* create =
        loaded.get<OrtStatus*(const char*, const OrtApiBase*, const OrtLogger*, OrtEpFactory**, size_t, size_t*)>(
            "CreateEpFactories");
    std::array<OrtEpFactory*, kMaxFactories> factories{};
    size_t count = 0;
    // The library may keep the logger, which therefore is the environment's own and outlives the library's use.
    const std::string failed =
        TakeMessage(create(registration.c_str(), OrtGetApiBase(), &logger, factories.data(), factories.size(), &count));
    if (!failed.empty()) throw Error(ORT_FAIL, failed);
    library->factories.assign(factories.begin(),
                              factories.begin() + static_cast<ptrdiff_t>(std::min(count, kMaxFactories)));
    std::erase(library->factories, nullptr);
    if (library->factories.empty()) throw Error(ORT_FAIL, "the library offers no provider for this machine");
    std::string refusals;
    for (OrtEpFactory* factory : library->factories) {
      AskDevices(*library, *factory, hardware);
      refusals += DeviceRefusals(*factory, hardware);
    }
    if (library->devices.empty()) throw Error(ORT_FAIL, "no device of this machine suits it" + refusals);
    library->usable = true;
  } catch (const std::exception& error) {
    library->reason = error.what();
    logger.Log(ORT_LOGGING_LEVEL_INFO, "provider library '", file.string(), "' is not usable: ", error.what());
  }
  return library;
}

bool LackedMemory(const std::string& reason) {
  // The loader tells its reasons as text alone.
  static constexpr const char* kSigns[] = {"bad_alloc",
                                           "out of memory",
                                           "annot allocate memory",
                                           "failed to map segment",
                                           "cannot create shared object descriptor",
                                           "cannot map zero-fill pages"};
  return std::any_of(std::begin(kSigns), std::end(kSigns),
                     [&](const char* sign) { return reason.find(sign) != std::string::npos; });
}

void ReleaseFactories(ProviderLibrary& library) {
  library.devices.clear();
  if (library.factories.empty()) return;
  void* handle = dlopen(library.file.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return;
  if (auto* release = reinterpret_cast<OrtStatus* (*)(OrtEpFactory*)>(dlsym(handle, "ReleaseEpFactory")))  // NOLINT
    for (OrtEpFactory* factory : library.factories) TakeMessage(release(factory));
  library.factories.clear();
  dlclose(handle);
}

}  // namespace ortrun
