// SPDX-License-Identifier: Apache-2.0
#include "python/src/options.h"

#include <atomic>
#include <optional>

#include "python/src/devices.h"
#include "python/src/errors.h"
#include "python/src/gil.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

constexpr size_t kMaxKeyLength = 1024;

std::atomic<bool> seed_is_set = false;
std::atomic<int64_t> seed = 0;

Owned<OrtSessionOptions> Clone(const OrtSessionOptions* options) {
  return Make<OrtSessionOptions>(Api().CloneSessionOptions, options);
}

}  // namespace

SessionOptions::SessionOptions() : handle_(Make<OrtSessionOptions>(Api().CreateSessionOptions)) {}

SessionOptions::SessionOptions(const SessionOptions& other)
    : enable_cpu_mem_arena(other.enable_cpu_mem_arena),
      enable_mem_pattern(other.enable_mem_pattern),
      enable_mem_reuse(other.enable_mem_reuse),
      enable_profiling(other.enable_profiling),
      use_deterministic_compute(other.use_deterministic_compute),
      use_per_session_threads(other.use_per_session_threads),
      inter_op_num_threads(other.inter_op_num_threads),
      intra_op_num_threads(other.intra_op_num_threads),
      log_severity_level(other.log_severity_level),
      log_verbosity_level(other.log_verbosity_level),
      execution_mode(other.execution_mode),
      execution_order(other.execution_order),
      graph_optimization_level(other.graph_optimization_level),
      logid(other.logid),
      optimized_model_filepath(other.optimized_model_filepath),
      profile_file_prefix(other.profile_file_prefix),
      handle_(Clone(other.handle_.get())),
      config_(other.config_),
      free_dimensions_(other.free_dimensions_),
      providers_(other.providers_),
      policy_(other.policy_),
      delegate_(other.delegate_),
      custom_op_libraries_(other.custom_op_libraries_),
      kept_alive_(other.kept_alive_),
      survives_pickling_(other.survives_pickling_) {}

void SessionOptions::AddConfigEntry(const std::string& key, const std::string& value) {
  if (key.empty() || key.size() > kMaxKeyLength) {
    throw std::runtime_error("Config key is empty or longer than maximum length " + std::to_string(kMaxKeyLength));
  }
  Check(Api().AddSessionConfigEntry(handle_.get(), key.c_str(), value.c_str()));
  config_[key] = value;
}

const std::string& SessionOptions::ConfigEntry(const std::string& key) const {
  const auto found = config_.find(key);
  if (found == config_.end()) {
    throw std::runtime_error("SessionOptions does not have configuration with key: " + key);
  }
  return found->second;
}

void SessionOptions::AddFreeDimension(const std::string& name, int64_t size, bool by_denotation) {
  Check(by_denotation ? Api().AddFreeDimensionOverride(handle_.get(), name.c_str(), size)
                      : Api().AddFreeDimensionOverrideByName(handle_.get(), name.c_str(), size));
  free_dimensions_.push_back({name, size, by_denotation});
}

void SessionOptions::RegisterCustomOps(const std::string& library) {
  {
    const ReleaseGil released;  // the library's initialisation may take the GIL
    Check(Api().RegisterCustomOpsLibrary_V2(handle_.get(), library.c_str()));
  }
  custom_op_libraries_.push_back(library);
}

void SessionOptions::AddInitializer(const std::string& name, py::object object) {
  const ValuePtr value = AsValue(object);
  if (value == nullptr) throw std::runtime_error("add_initializer: '" + name + "' needs an OrtValue");
  Check(Api().AddInitializer(handle_.get(), name.c_str(), value->get()));
  kept_alive_.push_back(std::move(object));
  survives_pickling_ = false;
}

void SessionOptions::AddExternalInitializers(const py::list& names, const py::list& values) {
  if (py::len(names) != py::len(values)) {
    throw std::runtime_error("add_external_initializers: as many values as names are needed");
  }
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
  std::vector<const OrtValue*> tensors;
  for (const py::handle name : names) texts.push_back(name.cast<std::string>());
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  for (const py::handle object : values) {
    const ValuePtr value = AsValue(object);
    if (value == nullptr) {
      throw std::runtime_error("add_external_initializers: '" + texts[tensors.size()] + "' needs an OrtValue");
    }
    tensors.push_back(value->get());
  }
  Check(Api().AddExternalInitializers(handle_.get(), pointers.data(), tensors.data(), tensors.size()));
  kept_alive_.push_back(values);
  survives_pickling_ = false;
}

void SessionOptions::AddExternalFiles(const std::vector<std::string>& names, const std::vector<py::buffer>& buffers,
                                      const std::vector<size_t>& lengths) {
  if (names.size() != buffers.size() || names.size() != lengths.size()) {
    throw std::runtime_error("add_external_initializers_from_files_in_memory: all lists must have the same length");
  }
  std::vector<const char*> name_pointers;
  std::vector<char*> data;
  for (size_t i = 0; i < names.size(); ++i) {
    const py::buffer_info info = buffers[i].request();
    if (static_cast<size_t>(info.size * info.itemsize) < lengths[i]) {
      throw std::runtime_error("the buffer of '" + names[i] + "' is shorter than its given length");
    }
    name_pointers.push_back(names[i].c_str());
    data.push_back(static_cast<char*>(info.ptr));
    kept_alive_.push_back(buffers[i]);
  }
  Check(Api().AddExternalInitializersFromFilesInMemory(handle_.get(), name_pointers.data(), data.data(), lengths.data(),
                                                       names.size()));
  survives_pickling_ = false;
}

void SessionOptions::SetLoadCancellation(bool cancel) {
  Check(Api().SessionOptionsSetLoadCancellationFlag(handle_.get(), cancel));
}

Owned<OrtSessionOptions> SessionOptions::ForSession(const std::vector<ProviderChoice>& providers) const {
  const OrtApi& api = Api();
  auto made = Clone(handle_.get());
  OrtSessionOptions* options = made.get();
  Check(enable_cpu_mem_arena ? api.EnableCpuMemArena(options) : api.DisableCpuMemArena(options));
  Check(enable_mem_pattern ? api.EnableMemPattern(options) : api.DisableMemPattern(options));
  Check(enable_profiling ? api.EnableProfiling(options, profile_file_prefix.c_str()) : api.DisableProfiling(options));
  Check(api.SetDeterministicCompute(options, use_deterministic_compute));
  Check(api.SetInterOpNumThreads(options, inter_op_num_threads));
  Check(api.SetIntraOpNumThreads(options, intra_op_num_threads));
  Check(api.SetSessionLogSeverityLevel(options, log_severity_level));
  Check(api.SetSessionLogVerbosityLevel(options, log_verbosity_level));
  Check(api.SetSessionLogId(options, logid.c_str()));
  Check(api.SetSessionExecutionMode(options, execution_mode));
  Check(api.SetSessionGraphOptimizationLevel(options, graph_optimization_level));
  if (!optimized_model_filepath.empty()) {
    Check(api.SetOptimizedModelFilePath(options, optimized_model_filepath.c_str()));
  }
  if (!use_per_session_threads) Check(api.DisablePerSessionThreads(options));
  if (!enable_mem_reuse) Check(api.AddSessionConfigEntry(options, "ortrun.enable_mem_reuse", "0"));
  if (seed_is_set) Check(api.AddSessionConfigEntry(options, "ortrun.random_seed", std::to_string(seed).c_str()));
  ApplyProviders(options, providers);
  return made;
}

py::dict SessionOptions::State() const {
  if (!survives_pickling_) {
    throw py::type_error(
        "SessionOptions with initializers, devices or a selection policy cannot be pickled; set these again after "
        "loading");
  }
  py::dict state;
  const py::object self = py::cast(this, py::return_value_policy::reference);
  for (const char* name :
       {"enable_cpu_mem_arena", "enable_mem_pattern", "enable_mem_reuse", "enable_profiling",
        "use_deterministic_compute", "use_per_session_threads", "inter_op_num_threads", "intra_op_num_threads",
        "log_severity_level", "log_verbosity_level", "execution_mode", "execution_order", "graph_optimization_level",
        "logid", "optimized_model_filepath", "profile_file_prefix"}) {
    state[name] = self.attr(name);
  }
  py::list calls;
  for (const auto& [key, value] : config_) calls.append(py::make_tuple("add_session_config_entry", key, value));
  for (const FreeDimension& free : free_dimensions_) {
    const char* method =
        free.by_denotation ? "add_free_dimension_override_by_denotation" : "add_free_dimension_override_by_name";
    calls.append(py::make_tuple(method, free.name, free.size));
  }
  for (const std::string& library : custom_op_libraries_) {
    calls.append(py::make_tuple("register_custom_ops_library", library));
  }
  for (const ProviderChoice& choice : providers_) {
    py::dict options;
    for (const auto& [key, value] : choice.options) options[py::str(key)] = value;
    calls.append(py::make_tuple("add_provider", choice.name, options));
  }
  state["calls"] = calls;
  return state;
}

SessionOptions SessionOptions::FromState(const py::dict& state) {
  SessionOptions made;
  const py::object self = py::cast(&made, py::return_value_policy::reference);
  for (const auto& [name, value] : state) {
    if (name.cast<std::string>() != "calls") py::setattr(self, name, value);
  }
  for (const py::handle call : state["calls"]) {
    const auto parts = py::reinterpret_borrow<py::tuple>(call);
    self.attr(parts[0])(*py::tuple(parts[py::slice(1, py::len(parts), 1)]));
  }
  return made;
}

void SetRandomSeed(int64_t value) {
  seed = value;
  seed_is_set = true;
}

}  // namespace ortrun::python
