// SPDX-License-Identifier: Apache-2.0
#include "python/src/api.h"

#include <dlfcn.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <vector>

#include "ortrun/tools.h"
#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/logging.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

constexpr const char* kLibraryPrefix = "libonnxruntime.so.1";
constexpr const char* kOwnLibrary = "libonnxruntime.so.1.30.0";

const OrtApiBase* api_base = nullptr;
const OrtApi* api = nullptr;
std::string runtime_path;

std::mutex environment_mutex;
std::atomic<OrtEnv*> environment = nullptr;
std::optional<ThreadPoolSizes> global_thread_pools;

std::filesystem::path OwnFolder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&LoadRuntime), &info) == 0 || info.dli_fname == nullptr) {
    throw py::import_error("onnxruntime: the loader does not say where the extension module lies");
  }
  return std::filesystem::absolute(info.dli_fname).parent_path();
}

// Wheels have no symlinks, so the file is found by its full name; the newest one where our own is not there.
std::filesystem::path FindLibrary(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(kLibraryPrefix)) found.push_back(entry.path());
  }
  if (found.empty()) {
    throw py::import_error("onnxruntime: no " + std::string(kLibraryPrefix) + "* in " + folder.string() +
                           "; the package is incomplete, install it again");
  }
  std::sort(found.begin(), found.end());
  auto own = std::find_if(found.begin(), found.end(), [](const auto& path) { return path.filename() == kOwnLibrary; });
  return own != found.end() ? *own : found.back();
}

}  // namespace

void LoadRuntime() {
  if (api != nullptr) return;
  const auto path = FindLibrary(OwnFolder());
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    throw py::import_error("onnxruntime: cannot load " + path.string() + ": " + (reason ? reason : "unknown reason"));
  }
  auto get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr) throw py::import_error("onnxruntime: " + path.string() + " has no OrtGetApiBase");
  api_base = get_base();
  api = api_base->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    throw py::import_error("onnxruntime: " + path.string() + " is version " + api_base->GetVersionString() +
                           " and does not offer API version " + std::to_string(ORT_API_VERSION) +
                           " that this package needs; another package has replaced it, install this one again");
  }
  runtime_path = path.string();
}

const OrtApiBase& ApiBase() { return *api_base; }
const OrtApi& Api() { return *api; }
const std::string& RuntimePath() { return runtime_path; }
bool EnvironmentExists() { return environment.load(std::memory_order_acquire) != nullptr; }

OrtEnv* Environment() {
  if (OrtEnv* made = environment.load(std::memory_order_acquire)) return made;
  const ReleaseGil released;  // providers are discovered and may log while another thread waits for the mutex
  const std::lock_guard lock(environment_mutex);
  if (OrtEnv* made = environment.load(std::memory_order_relaxed)) return made;
  OrtEnv* made = nullptr;
  const auto severity = static_cast<OrtLoggingLevel>(DefaultSeverity());
  if (global_thread_pools) {
    auto threading = Make<OrtThreadingOptions>(api->CreateThreadingOptions);
    Check(api->SetGlobalIntraOpNumThreads(threading.get(), global_thread_pools->intra_op));
    Check(api->SetGlobalInterOpNumThreads(threading.get(), global_thread_pools->inter_op));
    Check(
        api->CreateEnvWithCustomLoggerAndGlobalThreadPools(&LogMessage, nullptr, severity, "", threading.get(), &made));
  } else {
    Check(api->CreateEnvWithCustomLogger(&LogMessage, nullptr, severity, "", &made));
  }
  Check(api->SetLanguageProjection(made, ORT_PROJECTION_PYTHON));
  environment.store(made, std::memory_order_release);
  return made;
}

void SetGlobalThreadPools(ThreadPoolSizes sizes) {
  const ReleaseGil released;
  const std::lock_guard lock(environment_mutex);
  if (environment.load(std::memory_order_relaxed) != nullptr) {
    throw std::runtime_error(
        "set_global_thread_pool_sizes: a session, value or provider list was already made; call it right after "
        "`import onnxruntime`");
  }
  global_thread_pools = sizes;
}

void Check(OrtStatus* status) {
  if (status == nullptr) return;
  const Owned<OrtStatus> owned(status);
  throw StatusError(api->GetErrorCode(status), api->GetErrorMessage(status));
}

OrtAllocator* CpuAllocator() {
  static OrtAllocator* const allocator = [] {
    OrtAllocator* found = nullptr;
    Check(api->GetAllocatorWithDefaultOptions(&found));
    return found;
  }();
  return allocator;
}

const OrtMemoryInfo* CpuMemory() {
  static const OrtMemoryInfo* const memory = [] {
    const OrtMemoryInfo* found = nullptr;
    Check(api->AllocatorGetInfo(CpuAllocator(), &found));
    return found;
  }();
  return memory;
}

void MarkReadOnly(OrtValue* value) {
  static const auto mark =
      reinterpret_cast<OrtrunMarkReadOnlyFn>(Api().GetExperimentalFunction(ORTRUN_MARK_READ_ONLY));  // NOLINT: by name
  if (mark != nullptr) Check(mark(value));
}

bool IsReadOnly(const OrtValue* value) {
  static const auto ask =
      reinterpret_cast<OrtrunIsReadOnlyFn>(Api().GetExperimentalFunction(ORTRUN_IS_READ_ONLY));  // NOLINT: by name
  int read_only = 0;
  if (ask != nullptr) Check(ask(value, &read_only));
  return read_only != 0;
}

std::string TakeText(char* text) {
  std::string copy = text ? text : "";
  if (text) Check(api->AllocatorFree(CpuAllocator(), text));
  return copy;
}

}  // namespace ortrun::python
