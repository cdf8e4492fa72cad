// SPDX-License-Identifier: Apache-2.0
#pragma once

// SessionOptions and RunOptions. The C interface cannot be asked for most settings, so they are kept here and applied
// when a session is made.

#include <pybind11/pybind11.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/src/api.h"
#include "python/src/value.h"

namespace ortrun::python {

using StringMap = std::map<std::string, std::string>;

enum class ExecutionOrder { kDefault = 0, kPriorityBased = 1, kMemoryEfficient = 2 };

/// One change that a session's options get in the C interface, in the order in which the user asked for it.
struct FreeDimension {
  std::string name;
  int64_t size;
  bool by_denotation;
};

struct ProviderChoice {
  std::string name;
  StringMap options;
  std::vector<const OrtEpDevice*> devices;  ///< empty: those that the runtime chooses for the name
};

class SessionOptions {
 public:
  SessionOptions();
  SessionOptions(const SessionOptions& other);

  bool enable_cpu_mem_arena = true;
  bool enable_mem_pattern = true;
  bool enable_mem_reuse = true;
  bool enable_profiling = false;
  bool use_deterministic_compute = false;
  bool use_per_session_threads = true;
  int inter_op_num_threads = 0;
  int intra_op_num_threads = 0;
  int log_severity_level = -1;
  int log_verbosity_level = 0;
  ExecutionMode execution_mode = ORT_SEQUENTIAL;
  ExecutionOrder execution_order = ExecutionOrder::kDefault;
  GraphOptimizationLevel graph_optimization_level = ORT_ENABLE_ALL;
  std::string logid;
  std::string optimized_model_filepath;
  std::string profile_file_prefix = "onnxruntime_profile_";

  void AddConfigEntry(const std::string& key, const std::string& value);
  const std::string& ConfigEntry(const std::string& key) const;
  void AddFreeDimension(const std::string& name, int64_t size, bool by_denotation);
  void AddProvider(const std::string& name, const StringMap& options);
  void AddProviderForDevices(const std::vector<const OrtEpDevice*>& devices, const StringMap& options);
  void RegisterCustomOps(const std::string& library);
  void AddInitializer(const std::string& name, pybind11::object value);
  void AddExternalInitializers(const pybind11::list& names, const pybind11::list& values);
  void AddExternalFiles(const std::vector<std::string>& names, const std::vector<pybind11::buffer>& buffers,
                        const std::vector<size_t>& lengths);
  void SetSelectionPolicy(OrtExecutionProviderDevicePolicy policy);
  void SetSelectionDelegate(pybind11::function delegate);
  void SetLoadCancellation(bool cancel);

  /// Whether providers were chosen here, by name, by device or by a policy.
  bool has_providers() const { return !providers_.empty() || policy_ || delegate_; }
  const std::vector<ProviderChoice>& providers() const { return providers_; }

  /// Options for a session with `providers` in this order (those named here when it is empty).
  Owned<OrtSessionOptions> ForSession(const std::vector<ProviderChoice>& providers) const;

  /// Appends `providers`, or what was chosen here when it is empty.
  void ApplyProviders(OrtSessionOptions* options, const std::vector<ProviderChoice>& providers) const;

  pybind11::dict State() const;
  static SessionOptions FromState(const pybind11::dict& state);

 private:
  Owned<OrtSessionOptions> handle_;  // what cannot be undone: custom operators, initializers, devices
  StringMap config_;
  std::vector<FreeDimension> free_dimensions_;
  std::vector<ProviderChoice> providers_;
  std::optional<OrtExecutionProviderDevicePolicy> policy_;
  pybind11::object delegate_;
  std::vector<std::string> custom_op_libraries_;
  std::vector<pybind11::object> kept_alive_;  // initializers and buffers
  bool survives_pickling_ = true;
};

struct RunOptions {
  Owned<OrtRunOptions> handle = Make<OrtRunOptions>(Api().CreateRunOptions);
  bool terminate = false;
  bool only_execute_path_to_fetches = false;
  bool training_mode = false;
  std::vector<pybind11::object> adapters;
};

/// Setting of set_seed; sessions made afterwards draw random numbers from it.
void SetRandomSeed(int64_t seed);

void DefineSessionOptions(pybind11::module_& m);
void DefineRunOptions(pybind11::module_& m);

}  // namespace ortrun::python
