// SPDX-License-Identifier: Apache-2.0
#include "core/abi/config.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/options.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateRunOptions(OrtRunOptions** out) {
  return Guard({{"out", out}}, [&] { *out = new OrtRunOptions(); });
}

OrtStatus* RunOptionsSetRunLogVerbosityLevel(OrtRunOptions* options, int log_verbosity_level) {
  return Guard({{"options", options}}, [&] { options->log_verbosity = log_verbosity_level; });
}

OrtStatus* RunOptionsSetRunLogSeverityLevel(OrtRunOptions* options, int log_severity_level) {
  return Guard({{"options", options}}, [&] { options->log_severity = log_severity_level; });
}

OrtStatus* RunOptionsSetRunTag(OrtRunOptions* options, const char* run_tag) {
  return Guard({{"options", options}}, [&] { options->tag = run_tag == nullptr ? "" : run_tag; });
}

OrtStatus* RunOptionsGetRunLogVerbosityLevel(const OrtRunOptions* options, int* log_verbosity_level) {
  return Guard({{"options", options}, {"log_verbosity_level", log_verbosity_level}},
               [&] { *log_verbosity_level = options->log_verbosity; });
}

OrtStatus* RunOptionsGetRunLogSeverityLevel(const OrtRunOptions* options, int* log_severity_level) {
  return Guard({{"options", options}, {"log_severity_level", log_severity_level}},
               [&] { *log_severity_level = options->log_severity; });
}

OrtStatus* RunOptionsGetRunTag(const OrtRunOptions* options, const char** run_tag) {
  return Guard({{"options", options}, {"run_tag", run_tag}}, [&] { *run_tag = options->tag.c_str(); });
}

OrtStatus* RunOptionsSetTerminate(OrtRunOptions* options) {
  return Guard({{"options", options}}, [&] { options->terminate = true; });
}

OrtStatus* RunOptionsUnsetTerminate(OrtRunOptions* options) {
  return Guard({{"options", options}}, [&] { options->terminate = false; });
}

OrtStatus* AddRunConfigEntry(OrtRunOptions* options, const char* config_key, const char* config_value) {
  return Guard({{"options", options}, {"config_key", config_key}, {"config_value", config_value}},
               [&] { AddConfigEntry(options->config, config_key, config_value); });
}

const char* GetRunConfigEntry(const OrtRunOptions* options, const char* config_key) noexcept {
  if (options == nullptr || config_key == nullptr) return nullptr;
  return Quietly<const char*>(nullptr, [&] {
    const std::string* value = options->config.Find(config_key);
    return value == nullptr ? nullptr : value->c_str();
  });
}

void RunOptionsSetSyncStream(OrtRunOptions* options, OrtSyncStream* sync_stream) noexcept {
  if (options != nullptr) options->stream = sync_stream;
}

OrtStatus* RunOptionsDisableProfiling(OrtRunOptions* options) {
  return Guard({{"options", options}}, [&] { options->profile_prefix.reset(); });
}

}  // namespace

void AddConfigEntry(OrtKeyValuePairs& config, const std::string& key, const std::string& value) {
  constexpr size_t kMaxKey = 1024;
  constexpr size_t kMaxValue = 8192;
  Require(!key.empty() && key.size() <= kMaxKey, "Config key is empty or longer than maximum length ", kMaxKey);
  Require(value.size() <= kMaxValue, "Config value is longer than maximum length: ", kMaxValue);
  config.Set(key, value);
}

void FillRunOptions(OrtApi& api) {
  api.CreateRunOptions = CreateRunOptions;
  api.ReleaseRunOptions = Delete<OrtRunOptions>;
  api.RunOptionsSetRunLogVerbosityLevel = RunOptionsSetRunLogVerbosityLevel;
  api.RunOptionsSetRunLogSeverityLevel = RunOptionsSetRunLogSeverityLevel;
  api.RunOptionsSetRunTag = RunOptionsSetRunTag;
  api.RunOptionsGetRunLogVerbosityLevel = RunOptionsGetRunLogVerbosityLevel;
  api.RunOptionsGetRunLogSeverityLevel = RunOptionsGetRunLogSeverityLevel;
  api.RunOptionsGetRunTag = RunOptionsGetRunTag;
  api.RunOptionsSetTerminate = RunOptionsSetTerminate;
  api.RunOptionsUnsetTerminate = RunOptionsUnsetTerminate;
  api.AddRunConfigEntry = AddRunConfigEntry;
  api.GetRunConfigEntry = GetRunConfigEntry;
  api.RunOptionsSetSyncStream = RunOptionsSetSyncStream;
  // A profile is one of a session, see EnableProfiling; without one of a run, there is none to disable.
  api.RunOptionsEnableProfiling = NotImplemented<"OrtApi::RunOptionsEnableProfiling">();
  api.RunOptionsDisableProfiling = RunOptionsDisableProfiling;
}

}  // namespace ortrun::abi
