// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "core/abi/array_argument.h"
#include "core/abi/config.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/options.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateSessionOptions(OrtSessionOptions** options) {
  return Guard({{"options", options}}, [&] { *options = new OrtSessionOptions(); });
}

OrtStatus* CloneSessionOptions(const OrtSessionOptions* in_options, OrtSessionOptions** out_options) {
  return Guard({{"in_options", in_options}, {"out_options", out_options}}, [&] {
    auto copy = std::make_unique<OrtSessionOptions>(*in_options);
    copy->load_canceled = std::make_shared<std::atomic<bool>>(in_options->load_canceled->load());
    *out_options = copy.release();
  });
}

OrtStatus* SetOptimizedModelFilePath(OrtSessionOptions* options, const char* optimized_model_filepath) {
  return Guard({{"options", options}, {"optimized_model_filepath", optimized_model_filepath}},
               [&] { options->optimized_model_path = optimized_model_filepath; });
}

OrtStatus* SetSessionExecutionMode(OrtSessionOptions* options, ExecutionMode execution_mode) {
  return Guard({{"options", options}}, [&] {
    Require(execution_mode == ORT_SEQUENTIAL || execution_mode == ORT_PARALLEL, "execution_mode is not valid");
    options->execution_mode = execution_mode;
  });
}

OrtStatus* GetSessionExecutionMode(const OrtSessionOptions* options, ExecutionMode* out) {
  return Guard({{"options", options}, {"out", out}}, [&] { *out = options->execution_mode; });
}

OrtStatus* EnableProfiling(OrtSessionOptions* options, const char* profile_file_prefix) {
  return Guard({{"options", options}, {"profile_file_prefix", profile_file_prefix}},
               [&] { options->profile_prefix = profile_file_prefix; });
}

OrtStatus* DisableProfiling(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [&] { options->profile_prefix.reset(); });
}

OrtStatus* EnableMemPattern(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [&] { options->memory_pattern = true; });
}

OrtStatus* DisableMemPattern(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [&] { options->memory_pattern = false; });
}

OrtStatus* GetMemPatternEnabled(const OrtSessionOptions* options, int* out) {
  return Guard({{"options", options}, {"out", out}}, [&] { *out = options->memory_pattern ? 1 : 0; });
}

OrtStatus* EnableCpuMemArena(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [&] { options->cpu_arena = true; });
}

OrtStatus* DisableCpuMemArena(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [&] { options->cpu_arena = false; });
}

OrtStatus* SetSessionLogId(OrtSessionOptions* options, const char* logid) {
  return Guard({{"options", options}, {"logid", logid}}, [&] { options->log_id = logid; });
}

OrtStatus* SetSessionLogVerbosityLevel(OrtSessionOptions* options, int session_log_verbosity_level) {
  return Guard({{"options", options}}, [&] { options->log_verbosity = session_log_verbosity_level; });
}

OrtStatus* SetSessionLogSeverityLevel(OrtSessionOptions* options, int session_log_severity_level) {
  return Guard({{"options", options}}, [&] { options->log_severity = session_log_severity_level; });
}

OrtStatus* SetSessionGraphOptimizationLevel(OrtSessionOptions* options, GraphOptimizationLevel level) {
  return Guard({{"options", options}}, [&] {
    Require((level >= ORT_DISABLE_ALL && level <= ORT_ENABLE_LAYOUT) || level == ORT_ENABLE_ALL,
            "graph_optimization_level is not valid");
    options->optimization_level = level;
  });
}

OrtStatus* SetIntraOpNumThreads(OrtSessionOptions* options, int intra_op_num_threads) {
  return Guard({{"options", options}}, [&] { options->intra_op_threads = intra_op_num_threads; });
}

OrtStatus* SetInterOpNumThreads(OrtSessionOptions* options, int inter_op_num_threads) {
  return Guard({{"options", options}}, [&] { options->inter_op_threads = inter_op_num_threads; });
}

OrtStatus* DisablePerSessionThreads(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [&] { options->own_threads = false; });
}

OrtStatus* SetDeterministicCompute(OrtSessionOptions* options, bool value) {
  return Guard({{"options", options}}, [&] { options->deterministic = value; });
}

OrtStatus* AddFreeDimensionOverride(OrtSessionOptions* options, const char* dim_denotation, int64_t dim_value) {
  return Guard({{"options", options}, {"dim_denotation", dim_denotation}},
               [&] { options->dimension_by_denotation[dim_denotation] = dim_value; });
}

OrtStatus* AddFreeDimensionOverrideByName(OrtSessionOptions* options, const char* dim_name, int64_t dim_value) {
  return Guard({{"options", options}, {"dim_name", dim_name}},
               [&] { options->dimension_by_name[dim_name] = dim_value; });
}

OrtStatus* AddSessionConfigEntry(OrtSessionOptions* options, const char* config_key, const char* config_value) {
  return Guard({{"options", options}, {"config_key", config_key}, {"config_value", config_value}},
               [&] { AddConfigEntry(options->config, config_key, config_value); });
}

OrtStatus* HasSessionConfigEntry(const OrtSessionOptions* options, const char* config_key, int* out) {
  return Guard({{"options", options}, {"config_key", config_key}, {"out", out}},
               [&] { *out = options->config.Find(config_key) != nullptr ? 1 : 0; });
}

OrtStatus* GetSessionConfigEntry(const OrtSessionOptions* options, const char* config_key, char* config_value,
                                 size_t* size) {
  return Guard({{"options", options}, {"config_key", config_key}, {"size", size}}, [&] {
    const std::string* value = options->config.Find(config_key);
    Require(value != nullptr, "Session config entry '", config_key, "' was not found.");
    CopyTextOut(*value, "session config entry", config_value, size);
  });
}

OrtStatus* GetSessionOptionsConfigEntries(const OrtSessionOptions* options, OrtKeyValuePairs** out) {
  return Guard({{"options", options}, {"out", out}}, [&] { *out = new OrtKeyValuePairs(options->config); });
}

void AddOneInitializer(OrtSessionOptions& options, const char* name, const OrtValue* value) {
  Require(name != nullptr && name[0] != '\0', "an initializer needs a name");
  Require(value != nullptr, "the value of initializer '", name, "' is null");
  Require(value->IsTensor(), "Received OrtValue is not a tensor. Only tensors are supported.");
  const bool added = options.initializers.emplace(name, std::make_shared<const OrtValue>(*value)).second;
  Require(added, "An OrtValue for this name has already been added: ", name);
}

OrtStatus* AddInitializer(OrtSessionOptions* options, const char* name, const OrtValue* val) {
  return Guard({{"options", options}, {"name", name}, {"val", val}}, [&] { AddOneInitializer(*options, name, val); });
}

OrtStatus* AddExternalInitializers(OrtSessionOptions* options, const char* const* initializer_names,
                                   const OrtValue* const* initializers, size_t num_initializers) {
  return Guard({{"options", options},
                Array("initializer_names", initializer_names, num_initializers),
                Array("initializers", initializers, num_initializers)},
               [&] {
                 for (size_t i = 0; i < num_initializers; ++i) {
                   AddOneInitializer(*options, initializer_names[i], initializers[i]);
                   options->external_initializers.insert(initializer_names[i]);
                 }
               });
}

OrtStatus* AddExternalInitializersFromFilesInMemory(OrtSessionOptions* options,
                                                    const char* const* external_initializer_file_names,
                                                    char* const* external_initializer_file_buffer_array,
                                                    const size_t* external_initializer_file_lengths,
                                                    size_t num_external_initializer_files) {
  return Guard(
      {{"options", options},
       Array("external_initializer_file_names", external_initializer_file_names, num_external_initializer_files),
       Array("external_initializer_file_buffer_array", external_initializer_file_buffer_array,
             num_external_initializer_files),
       Array("external_initializer_file_lengths", external_initializer_file_lengths, num_external_initializer_files)},
      [&] {
        for (size_t i = 0; i < num_external_initializer_files; ++i) {
          const char* name = external_initializer_file_names[i];
          Require(name != nullptr && name[0] != '\0', "external file ", i, " has no name");
          const char* data = external_initializer_file_buffer_array[i];
          const size_t bytes = external_initializer_file_lengths[i];
          Require(data != nullptr || bytes == 0, "the bytes of external file '", name, "' are null");
          Require(options->external_files.emplace(name, std::pair(data, bytes)).second, "External file '", name,
                  "' has already been added");
        }
      });
}

OrtStatus* SessionOptionsSetLoadCancellationFlag(OrtSessionOptions* options, bool cancel) {
  return Guard({{"options", options}}, [&] { *options->load_canceled = cancel; });
}

OrtStatus* SetUserLoggingFunction(OrtSessionOptions* options, OrtLoggingFunction user_logging_function,
                                  void* user_logging_param) {
  return Guard({{"options", options}}, [&] {
    options->logging_function = user_logging_function;
    options->logging_param = user_logging_param;
  });
}

}  // namespace

void FillSessionOptions(OrtApi& api) {
  api.CreateSessionOptions = CreateSessionOptions;
  api.CloneSessionOptions = CloneSessionOptions;
  api.ReleaseSessionOptions = Delete<OrtSessionOptions>;
  api.SetOptimizedModelFilePath = SetOptimizedModelFilePath;
  api.SetSessionExecutionMode = SetSessionExecutionMode;
  api.GetSessionExecutionMode = GetSessionExecutionMode;
  api.EnableProfiling = EnableProfiling;
  api.DisableProfiling = DisableProfiling;
  api.EnableMemPattern = EnableMemPattern;
  api.DisableMemPattern = DisableMemPattern;
  api.GetMemPatternEnabled = GetMemPatternEnabled;
  api.EnableCpuMemArena = EnableCpuMemArena;
  api.DisableCpuMemArena = DisableCpuMemArena;
  api.SetSessionLogId = SetSessionLogId;
  api.SetSessionLogVerbosityLevel = SetSessionLogVerbosityLevel;
  api.SetSessionLogSeverityLevel = SetSessionLogSeverityLevel;
  api.SetSessionGraphOptimizationLevel = SetSessionGraphOptimizationLevel;
  api.SetIntraOpNumThreads = SetIntraOpNumThreads;
  api.SetInterOpNumThreads = SetInterOpNumThreads;
  api.DisablePerSessionThreads = DisablePerSessionThreads;
  api.SetDeterministicCompute = SetDeterministicCompute;
  api.AddFreeDimensionOverride = AddFreeDimensionOverride;
  api.AddFreeDimensionOverrideByName = AddFreeDimensionOverrideByName;
  api.AddSessionConfigEntry = AddSessionConfigEntry;
  api.HasSessionConfigEntry = HasSessionConfigEntry;
  api.GetSessionConfigEntry = GetSessionConfigEntry;
  api.GetSessionOptionsConfigEntries = GetSessionOptionsConfigEntries;
  api.AddInitializer = AddInitializer;
  api.AddExternalInitializers = AddExternalInitializers;
  api.AddExternalInitializersFromFilesInMemory = AddExternalInitializersFromFilesInMemory;
  api.SessionOptionsSetLoadCancellationFlag = SessionOptionsSetLoadCancellationFlag;
  api.SetUserLoggingFunction = SetUserLoggingFunction;
  api.SessionOptionsSetWeightlessSourceModelBuffer =
      NotImplemented<"OrtApi::SessionOptionsSetWeightlessSourceModelBuffer">();
}

}  // namespace ortrun::abi
