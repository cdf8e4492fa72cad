// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace ortrun {

/// Processors that the container's quota allows, rounded up: the tightest one on the way from this process's control
/// group to the top, cgroup v1 or v2; nothing when there is none. `root` stands before /proc and /sys, "" but in tests.
std::optional<size_t> CpuQuota(const std::string& root);

/// The most threads that a pool makes on this machine: 64 a processor, at least 256. More never help, and each costs
/// memory of its own and of kernels' scratch.
size_t MaxThreadCount();

}  // namespace ortrun
