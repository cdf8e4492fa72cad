// SPDX-License-Identifier: Apache-2.0
#include "core/base/logging.h"

#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

OrtStatus* Logger_LogMessage(const OrtLogger* logger, OrtLoggingLevel log_severity_level, const char* message,
                             const char* file_path, int line_number, const char* func_name) {
  return Guard({{"logger", logger}, {"message", message}}, [&] {
    if (!logger->Enabled(log_severity_level)) return;
    const std::string location =
        Concat(file_path == nullptr ? "" : file_path, ":", line_number, " ", func_name == nullptr ? "" : func_name);
    logger->Write(log_severity_level, location.c_str(), message);
  });
}

OrtStatus* Logger_GetLoggingSeverityLevel(const OrtLogger* logger, OrtLoggingLevel* out) {
  return Guard({{"logger", logger}, {"out", out}}, [&] { *out = logger->severity(); });
}

}  // namespace

void FillLogger(OrtApi& api) {
  api.Logger_LogMessage = Logger_LogMessage;
  api.Logger_GetLoggingSeverityLevel = Logger_GetLoggingSeverityLevel;
}

}  // namespace ortrun::abi
