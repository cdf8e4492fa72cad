// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/key_value_pairs.h"
#include "core/base/logging.h"
#include "core/execution/options.h"
#include "core/execution/thread_pool.h"
#include "core/providers/device.h"

namespace ortrun {

/// A provider library: found in a folder or registered by a caller. Never unloaded.
struct ProviderLibrary {
  std::string registration;  ///< the caller's name for it, or the file's stem
  std::filesystem::path file;
  bool usable = false;
  std::string reason;  ///< why it is not usable
  std::vector<OrtEpFactory*> factories;
  std::vector<std::unique_ptr<EpDevice>> devices;
  std::vector<std::string> names;  ///< of its providers
  bool discovered = false;         ///< found in a folder, not registered by a caller
};

}  // namespace ortrun

/// The process's environment: logging, threads, provider libraries, hardware. There is one while anybody holds it
/// (OrtApi::CreateEnv counts); sessions hold it too. Thread-safe.
struct OrtEnv {
 public:
  struct Options {
    OrtLoggingLevel severity = ORT_LOGGING_LEVEL_WARNING;
    std::string log_id;
    ortrun::LogSink sink;
    std::shared_ptr<const OrtThreadingOptions> threading;  ///< null: defaults
    OrtKeyValuePairs config;
  };

  /// The one environment, made with `options` when there is none yet. Counts one holder.
  static OrtEnv* Acquire(const Options& options);
  void AddRef();
  /// Gives one hold back; the last one ends the environment.
  void Release();

  const std::shared_ptr<OrtLogger>& logger() const { return logger_; }
  void SetLogSink(const ortrun::LogSink& sink);
  const OrtKeyValuePairs& config() const { return options_.config; }
  /// The pool that all sessions share unless they ask for another number of threads.
  const std::shared_ptr<ortrun::ThreadPool>& thread_pool();
  bool has_global_threads() const { return options_.threading != nullptr; }
  bool denormal_as_zero() const { return options_.threading != nullptr && options_.threading->denormal_as_zero; }

  const std::vector<const OrtHardwareDevice*>& hardware() const { return hardware_pointers_; }

  /// Every usable device of every provider, libraries found in the provider folders included (they are loaded at the
  /// first call). Pointers stay valid until the library is unregistered.
  std::vector<const OrtEpDevice*> Devices();
  /// The same as a list that stays in place: valid until a library is registered or unregistered.
  const std::vector<const OrtEpDevice*>& DeviceList();
  /// Names of all usable providers, those of caller-registered libraries first, without repeats.
  std::vector<std::string> ProviderNames();
  /// Whether a device belongs to a library found in a folder, not registered by a caller.
  bool IsDiscovered(const OrtEpDevice& device);
  /// Throws Error(ORT_FAIL) that says why the library cannot be used, or ORT_INVALID_ARGUMENT for a repeated name.
  void RegisterLibrary(const std::string& registration, const std::filesystem::path& file);
  void UnregisterLibrary(const std::string& registration);
  /// JSON, see ORTRUN_LIST_PROVIDERS.
  std::string ListProviders();
  /// "searched: folder (found: a, b); folder (missing)", and each unusable library with its reason; for messages.
  std::string SearchReport();

  /// Allocators that the caller shares between sessions, by memory.
  std::shared_ptr<OrtAllocator> SharedAllocator(const OrtMemoryInfo& memory);
  std::shared_ptr<OrtAllocator> CreateSharedAllocator(const OrtEpDevice& device, OrtDeviceMemoryType memory_type,
                                                      const OrtKeyValuePairs* options);
  void ReleaseSharedAllocator(const OrtEpDevice& device, OrtDeviceMemoryType memory_type);
  void AddSharedAllocator(std::shared_ptr<OrtAllocator> allocator);
  void RemoveSharedAllocator(const OrtMemoryInfo& memory);

  /// Copies tensors between any two memories that the CPU or a registered provider can serve.
  void CopyTensors(const OrtValue* const* from, OrtValue* const* to, OrtSyncStream* stream, size_t count);
  /// The data transfer that can copy between two memories, or nullptr. Owned by the environment.
  OrtDataTransferImpl* FindDataTransfer(const OrtMemoryDevice& from, const OrtMemoryDevice& to);

 private:
  explicit OrtEnv(const Options& options);
  ~OrtEnv();
  void Discover();
  struct Impl;

  Options options_;
  std::shared_ptr<OrtLogger> logger_;
  std::vector<std::unique_ptr<OrtHardwareDevice>> hardware_;
  std::vector<const OrtHardwareDevice*> hardware_pointers_;
  std::unique_ptr<Impl> impl_;
};

namespace ortrun {
using Environment = ::OrtEnv;
}
