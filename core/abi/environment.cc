// SPDX-License-Identifier: Apache-2.0
#include "core/providers/environment.h"

#include <memory>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/memory.h"

namespace ortrun::abi {
namespace {

void CheckSeverity(int severity) {
  Require(severity >= ORT_LOGGING_LEVEL_VERBOSE && severity <= ORT_LOGGING_LEVEL_FATAL, "logging level ", severity,
          " is not valid: levels go from 0 (verbose) to 4 (fatal)");
}

OrtEnv::Options OptionsFrom(OrtLoggingLevel severity, const char* id, const OrtThreadingOptions* threading) {
  CheckSeverity(severity);
  OrtEnv::Options options;
  options.severity = severity;
  options.log_id = id == nullptr ? "" : id;
  if (threading != nullptr) options.threading = std::make_shared<const OrtThreadingOptions>(*threading);
  return options;
}

OrtStatus* CreateEnv(OrtLoggingLevel log_severity_level, const char* logid, OrtEnv** out) {
  return Guard({{"logid", logid}, {"out", out}},
               [&] { *out = OrtEnv::Acquire(OptionsFrom(log_severity_level, logid, nullptr)); });
}

OrtStatus* CreateEnvWithCustomLogger(OrtLoggingFunction logging_function, void* logger_param,
                                     OrtLoggingLevel log_severity_level, const char* logid, OrtEnv** out) {
  return Guard({{"logid", logid}, {"out", out}}, [&] {
    OrtEnv::Options options = OptionsFrom(log_severity_level, logid, nullptr);
    options.sink = {logging_function, logger_param};
    *out = OrtEnv::Acquire(options);
  });
}

OrtStatus* CreateEnvWithGlobalThreadPools(OrtLoggingLevel log_severity_level, const char* logid,
                                          const OrtThreadingOptions* tp_options, OrtEnv** out) {
  return Guard({{"logid", logid}, {"tp_options", tp_options}, {"out", out}},
               [&] { *out = OrtEnv::Acquire(OptionsFrom(log_severity_level, logid, tp_options)); });
}

OrtStatus* CreateEnvWithCustomLoggerAndGlobalThreadPools(OrtLoggingFunction logging_function, void* logger_param,
                                                         OrtLoggingLevel log_severity_level, const char* logid,
                                                         const OrtThreadingOptions* tp_options, OrtEnv** out) {
  return Guard({{"logid", logid}, {"tp_options", tp_options}, {"out", out}}, [&] {
    OrtEnv::Options options = OptionsFrom(log_severity_level, logid, tp_options);
    options.sink = {logging_function, logger_param};
    *out = OrtEnv::Acquire(options);
  });
}

OrtStatus* CreateEnvWithOptions(const OrtEnvCreationOptions* options, OrtEnv** out) {
  return Guard({{"options", options}, {"out", out}}, [&] {
    Require(options->version != 0, "OrtEnvCreationOptions::version must be set to ORT_API_VERSION");
    CheckSeverity(options->logging_severity_level);
    OrtEnv::Options chosen = OptionsFrom(static_cast<OrtLoggingLevel>(options->logging_severity_level), options->log_id,
                                         options->threading_options);
    chosen.sink = {options->custom_logging_function, options->custom_logging_param};
    if (options->config_entries != nullptr) chosen.config = *options->config_entries;
    *out = OrtEnv::Acquire(chosen);
  });
}

void ReleaseEnv(OrtEnv* env) noexcept {
  Quietly(0, [&] {
    if (env != nullptr) env->Release();
    return 0;
  });
}

// There is no telemetry: both succeed, nothing is ever sent.
OrtStatus* EnableTelemetryEvents(const OrtEnv*) noexcept { return nullptr; }
OrtStatus* DisableTelemetryEvents(const OrtEnv*) noexcept { return nullptr; }
OrtStatus* SetLanguageProjection(const OrtEnv*, OrtLanguageProjection) noexcept { return nullptr; }

OrtStatus* UpdateEnvWithCustomLogLevel(OrtEnv* ort_env, OrtLoggingLevel log_severity_level) {
  return Guard({{"ort_env", ort_env}}, [&] {
    CheckSeverity(log_severity_level);
    ort_env->logger()->set_severity(log_severity_level);
  });
}

OrtStatus* RegisterExecutionProviderLibrary(OrtEnv* env, const char* registration_name, const char* path) {
  return Guard({{"env", env}, {"registration_name", registration_name}, {"path", path}},
               [&] { env->RegisterLibrary(registration_name, path); });
}

OrtStatus* UnregisterExecutionProviderLibrary(OrtEnv* env, const char* registration_name) {
  return Guard({{"env", env}, {"registration_name", registration_name}},
               [&] { env->UnregisterLibrary(registration_name); });
}

OrtStatus* CopyTensors(const OrtEnv* env, const OrtValue* const* src_tensors, OrtValue* const* dst_tensors,
                       OrtSyncStream* stream, size_t num_tensors) {
  return Guard({{"env", env}, {"src_tensors", src_tensors}, {"dst_tensors", dst_tensors}}, [&] {
    for (size_t i = 0; i < num_tensors; ++i) {
      Require(src_tensors[i] != nullptr && dst_tensors[i] != nullptr, "CopyTensors: tensor ", i, " is null");
      const OrtValue& from = *src_tensors[i];
      const OrtValue& to = *dst_tensors[i];
      Require(from.IsTensor() && to.IsTensor(), "CopyTensors: value ", i, " is no dense tensor");
      Require(!to.read_only(), "CopyTensors: target ", i, " is read-only");
      Require(from.type() == to.type() && from.tensor().count == to.tensor().count, "CopyTensors: tensor ", i,
              " is copied from ", ElementTypeName(from.type()), ShapeText(from.tensor().shape, from.tensor().rank),
              " to ", ElementTypeName(to.type()), ShapeText(to.tensor().shape, to.tensor().rank));
    }
    const_cast<OrtEnv*>(env)->CopyTensors(src_tensors, dst_tensors, stream, num_tensors);  // NOLINT: the slot's type
  });
}

}  // namespace

void FillEnvironment(OrtApi& api) {
  api.CreateEnv = CreateEnv;
  api.CreateEnvWithCustomLogger = CreateEnvWithCustomLogger;
  api.CreateEnvWithGlobalThreadPools = CreateEnvWithGlobalThreadPools;
  api.CreateEnvWithCustomLoggerAndGlobalThreadPools = CreateEnvWithCustomLoggerAndGlobalThreadPools;
  api.CreateEnvWithOptions = CreateEnvWithOptions;
  api.ReleaseEnv = ReleaseEnv;
  api.EnableTelemetryEvents = EnableTelemetryEvents;
  api.DisableTelemetryEvents = DisableTelemetryEvents;
  api.SetLanguageProjection = SetLanguageProjection;
  api.UpdateEnvWithCustomLogLevel = UpdateEnvWithCustomLogLevel;
  api.RegisterExecutionProviderLibrary = RegisterExecutionProviderLibrary;
  api.UnregisterExecutionProviderLibrary = UnregisterExecutionProviderLibrary;
  api.CopyTensors = CopyTensors;
}

}  // namespace ortrun::abi
