// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "onnxruntime_c_api.h"
#include "ortrun/error.h"

namespace ortrun {

/// Where log lines go: standard error, or the caller's function. Thread-safe.
struct LogSink {
  OrtLoggingFunction function = nullptr;  ///< nullptr: standard error
  void* param = nullptr;
  void Write(OrtLoggingLevel severity, const char* category, const char* id, const char* location,
             const char* message) const;
};

}  // namespace ortrun

/// A named logger with a severity below which nothing is formatted. Thread-safe.
struct OrtLogger {
 public:
  OrtLogger(std::shared_ptr<const ortrun::LogSink> sink, std::string id, OrtLoggingLevel severity)
      : sink_(std::move(sink)), id_(std::move(id)), severity_(severity) {}

  OrtLoggingLevel severity() const { return severity_.load(std::memory_order_relaxed); }
  void set_severity(OrtLoggingLevel severity) { severity_.store(severity, std::memory_order_relaxed); }
  bool Enabled(OrtLoggingLevel severity) const { return severity >= this->severity(); }
  const std::string& id() const { return id_; }
  const std::shared_ptr<const ortrun::LogSink>& sink() const { return sink_; }

  /// Formats and writes only when `severity` is enabled.
  template <typename... Args>
  void Log(OrtLoggingLevel severity, const Args&... args) const {
    if (Enabled(severity)) Write(severity, "", ortrun::Concat(args...).c_str());
  }
  template <typename... Args>
  void Warning(const Args&... args) const {
    Log(ORT_LOGGING_LEVEL_WARNING, args...);
  }
  template <typename... Args>
  void Info(const Args&... args) const {
    Log(ORT_LOGGING_LEVEL_INFO, args...);
  }

  void Write(OrtLoggingLevel severity, const char* location, const char* message) const {
    sink_->Write(severity, "onnxruntime", id_.c_str(), location, message);
  }

 private:
  std::shared_ptr<const ortrun::LogSink> sink_;
  std::string id_;
  std::atomic<OrtLoggingLevel> severity_;
};

namespace ortrun {
using Logger = ::OrtLogger;
}
