// SPDX-License-Identifier: Apache-2.0
#include "core/execution/profiler.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <set>

#include "core/base/json.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

std::string TimeStamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d_%H-%M-%S", &local);
  return text;
}

/// Sessions that begin in one second have files of their own.
std::string NewPath(const std::string& prefix) {
  static std::mutex mutex;
  static auto* const given = new std::set<std::string>();
  const std::string stem = prefix + "_" + TimeStamp();
  const std::lock_guard lock(mutex);
  std::string path = stem + ".json";
  for (int number = 2; !given->insert(path).second; ++number) path = stem + "_" + std::to_string(number) + ".json";
  return path;
}

long long Micros(Profiler::Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

Profiler::Profiler(const std::string& prefix) : path_(NewPath(prefix)), start_(Clock::now()) {}

void Profiler::Add(const char* category, std::string name, Clock::time_point start, Clock::time_point end, Args args) {
  const auto thread = static_cast<uint64_t>(syscall(SYS_gettid));
  const std::lock_guard lock(mutex_);
  if (!ended_) events_.push_back({category, std::move(name), start, end, thread, std::move(args)});
}

std::string Profiler::End() {
  const std::lock_guard lock(mutex_);
  if (ended_) return path_;
  ended_ = true;
  std::ofstream file(path_);
  file << "[\n";
  const char* separator = "";
  for (const Event& event : events_) {
    file << separator << R"({"cat" : ")" << event.category << R"(","pid" :)" << getpid() << R"(,"tid" :)"
         << event.thread << R"(,"dur" :)" << Micros(event.end - event.start) << R"(,"ts" :)"
         << Micros(event.start - start_) << R"(,"ph" : "X","name" :)" << JsonText(event.name) << R"(,"args" : {)";
    const char* comma = "";
    for (const auto& [key, value] : event.args) {
      file << comma << JsonText(key) << " : " << JsonText(value);
      comma = ",";
    }
    file << "}}";
    separator = ",\n";
  }
  file << "\n]\n";
  events_.clear();
  file.close();
  if (!file) throw Error(ORT_FAIL, Concat("the profile could not be written to '", path_, "'"));
  return path_;
}

uint64_t Profiler::StartNs() const {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(start_.time_since_epoch()).count());
}

bool Profiler::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

}  // namespace ortrun
