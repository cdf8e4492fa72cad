// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace ortrun {

class Program;

/// What a run of some of a program's outputs takes: the steps that they need, and the inputs that those read.
struct Selection {
  std::vector<char> wanted;  ///< by output
  std::vector<char> steps;   ///< by step: it runs
  std::vector<char> inputs;  ///< by input of the program: somebody reads it
};

/// The selections of a program that were asked for last. Thread-safe.
class SelectionCache {
 public:
  static constexpr size_t kCapacity = 8;
  /// `wanted`: one per output of the program.
  std::shared_ptr<const Selection> Find(const Program& program, std::span<const char> wanted);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Selection>> selections_;  ///< most recent first
};

}  // namespace ortrun
