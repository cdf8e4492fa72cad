// SPDX-License-Identifier: Apache-2.0
#include "core/base/logging.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace ortrun {

void LogSink::Write(OrtLoggingLevel severity, const char* category, const char* id, const char* location,
                    const char* message) const {
  if (function != nullptr) {
    function(param, severity, category, id, location, message);
    return;
  }
  static constexpr char kLetters[] = {'V', 'I', 'W', 'E', 'F'};
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1000000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char time[32];
  std::strftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S", &local);
  // One call, so that lines of several threads do not mix.
  std::fprintf(stderr, "%s.%06lld [%c:%s:%s%s%s] %s\n", time, static_cast<long long>(micros), kLetters[severity],
               category, id, *location == '\0' ? "" : ", ", location, message);
}

}  // namespace ortrun
