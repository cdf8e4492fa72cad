// SPDX-License-Identifier: Apache-2.0
#include "core/execution/thread_count.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/execution/thread_pool.h"

namespace ortrun {
namespace {

size_t AffinityCount() {
  // The mask of a large machine may need more room than cpu_set_t has.
  for (int cpus = CPU_SETSIZE; cpus <= (1 << 16); cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(cpus));
    const size_t size = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    const int failed = sched_getaffinity(0, size, set);
    const int count = failed == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (failed == 0) return static_cast<size_t>(std::max(count, 1));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

std::optional<std::string> FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

/// Processors that a quota allows, rounded up; nothing when unlimited.
std::optional<size_t> QuotaToCount(const std::string& quota, const std::string& period) {
  const long long quota_us = std::strtoll(quota.c_str(), nullptr, 10);  // "max" is 0: no limit
  const long long period_us = std::strtoll(period.c_str(), nullptr, 10);
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  return static_cast<size_t>(std::max(1LL, (quota_us + period_us - 1) / period_us));
}

std::optional<size_t> QuotaOfFolder(const std::string& folder) {
  if (const auto line = FirstLine(folder + "/cpu.max")) {  // cgroup v2
    std::istringstream words(*line);
    std::string quota;
    std::string period;
    words >> quota >> period;
    return QuotaToCount(quota, period);
  }
  const auto quota = FirstLine(folder + "/cpu.cfs_quota_us");  // cgroup v1
  const auto period = FirstLine(folder + "/cpu.cfs_period_us");
  return quota && period ? QuotaToCount(*quota, *period) : std::nullopt;
}

}  // namespace

std::optional<size_t> CpuQuota(const std::string& root) {
  std::optional<size_t> least;
  const auto consider = [&least](std::optional<size_t> count) {
    if (count && (!least || *count < *least)) least = count;
  };
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string mount = root + "/sys/fs/cgroup" + (controllers.empty() ? "" : "/" + controllers);
    for (std::string path = line.substr(second + 1); !path.empty(); path.resize(path.rfind('/'))) {
      consider(QuotaOfFolder(mount + (path == "/" ? "" : path)));
      if (path == "/" || path.rfind('/') == std::string::npos) break;
    }
  }
  consider(QuotaOfFolder(root + "/sys/fs/cgroup"));
  consider(QuotaOfFolder(root + "/sys/fs/cgroup/cpu"));
  return least;
}

size_t DefaultThreadCount() {
  const size_t allowed = AffinityCount();
  const std::optional<size_t> quota = CpuQuota("");
  return quota ? std::min(allowed, *quota) : allowed;
}

size_t MaxThreadCount() {
  constexpr size_t kEachProcessor = 64;
  constexpr size_t kAtLeast = 256;
  return std::max(kAtLeast, kEachProcessor * std::max(AffinityCount(), size_t{std::thread::hardware_concurrency()}));
}

}  // namespace ortrun
