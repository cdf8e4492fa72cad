// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ortrun {

/// Collects timed events and writes them as a Chrome trace (chrome://tracing, Perfetto). Thread-safe.
class Profiler {
 public:
  using Clock = std::chrono::steady_clock;
  using Args = std::vector<std::pair<std::string, std::string>>;

  /// The file will be `<prefix>_<date>_<time>.json` in the current folder of the process.
  explicit Profiler(const std::string& prefix);
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  void Add(const char* category, std::string name, Clock::time_point start, Clock::time_point end, Args args);
  /// Writes what was collected and answers the path; later events are dropped. Throws Error(ORT_FAIL) when the file
  /// cannot be written.
  std::string End();
  uint64_t StartNs() const;
  bool ended() const;

 private:
  struct Event {
    const char* category;
    std::string name;
    Clock::time_point start;
    Clock::time_point end;
    uint64_t thread;
    Args args;
  };
  std::string path_;
  Clock::time_point start_;
  mutable std::mutex mutex_;
  std::vector<Event> events_;
  bool ended_ = false;
};

/// Times a scope for a profiler that may be absent.
class ProfiledScope {
 public:
  ProfiledScope(Profiler* profiler, const char* category, std::string name)
      : profiler_(profiler), category_(category), name_(std::move(name)), start_(Profiler::Clock::now()) {}
  ProfiledScope(const ProfiledScope&) = delete;
  ProfiledScope& operator=(const ProfiledScope&) = delete;
  ~ProfiledScope() {
    if (profiler_ != nullptr) profiler_->Add(category_, std::move(name_), start_, Profiler::Clock::now(), {});
  }

 private:
  Profiler* profiler_;
  const char* category_;
  std::string name_;
  Profiler::Clock::time_point start_;
};

}  // namespace ortrun
