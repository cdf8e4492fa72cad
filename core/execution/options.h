// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/key_value_pairs.h"
#include "core/base/logging.h"
#include "core/execution/thread_pool.h"
#include "core/execution/value.h"

struct OrtCustomOpDomain;
struct OrtEpDevice;

namespace ortrun {

/// A provider that the caller asked for, in the caller's order.
struct ProviderRequest {
  std::string name;
  KeyValuePairs options;
  std::vector<const OrtEpDevice*> devices;  ///< empty: every device of that name that the environment knows
};

}  // namespace ortrun

/// Threads of the environment's own pool.
struct OrtThreadingOptions {
  ortrun::ThreadPool::Options intra_op;
  size_t inter_op_threads = 0;
  bool denormal_as_zero = false;
};

/// How a session is made. Copied by value; not thread-safe while it is changed.
struct OrtSessionOptions {
  GraphOptimizationLevel optimization_level = ORT_ENABLE_ALL;
  ExecutionMode execution_mode = ORT_SEQUENTIAL;
  std::filesystem::path optimized_model_path;
  std::optional<std::string> profile_prefix;  ///< profiling is on when set
  bool memory_pattern = true;
  bool cpu_arena = true;
  std::string log_id;
  int log_severity = -1;  ///< -1: the environment's
  int log_verbosity = 0;
  int intra_op_threads = 0;
  int inter_op_threads = 0;
  bool own_threads = true;  ///< false: DisablePerSessionThreads, use the environment's pool
  bool deterministic = false;
  std::map<std::string, int64_t> dimension_by_name;
  std::map<std::string, int64_t> dimension_by_denotation;
  OrtKeyValuePairs config;
  std::map<std::string, std::shared_ptr<const OrtValue>> initializers;
  std::set<std::string> external_initializers;  ///< names of those given as external ones: the model must have them
  /// External files given in memory: name in the model, first byte, length. The bytes stay the caller's.
  std::map<std::string, std::pair<const char*, size_t>> external_files;
  std::vector<const OrtCustomOpDomain*> custom_op_domains;
  std::vector<std::shared_ptr<void>> custom_op_libraries;  ///< loaded libraries, never unloaded
  std::vector<ortrun::ProviderRequest> providers;
  bool fallback_to_host_provider = true;
  /// Shared with copies made for a session, so that it can be set while one is being made.
  std::shared_ptr<std::atomic<bool>> load_canceled = std::make_shared<std::atomic<bool>>(false);
  OrtExecutionProviderDevicePolicy selection_policy = OrtExecutionProviderDevicePolicy_DEFAULT;
  bool has_selection_policy = false;
  EpSelectionDelegate selection_delegate = nullptr;
  void* selection_delegate_state = nullptr;
  OrtLoggingFunction logging_function = nullptr;
  void* logging_param = nullptr;
};

/// How one run is made. `terminate` may be set from another thread while the run goes on.
struct OrtRunOptions {
  int log_verbosity = 0;
  int log_severity = -1;
  std::string tag;
  std::atomic<bool> terminate{false};
  OrtKeyValuePairs config;
  OrtSyncStream* stream = nullptr;
  std::optional<std::string> profile_prefix;
};

namespace ortrun {
using SessionOptions = ::OrtSessionOptions;
using RunOptions = ::OrtRunOptions;
}  // namespace ortrun
