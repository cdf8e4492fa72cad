// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

#include <atomic>
#include <cstddef>
#include <memory>

namespace ortrun::cpu {

/// Threads that walk through a sequence of steps together. A step has one part a member and begins when all parts of
/// the one before are done.
///
/// It needs no thread but the first: who finds a part unclaimed takes it, so a member that comes late, or not before
/// the others are through, delays nobody and finds less to do. A member prefers its own part, whose data its caches
/// hold. Waiting is a short spin on what another thread is computing at this moment; a barrier of the thread pool would
/// cost more than such a step.
class StepTeam {
 public:
  /// One cache line for each counter. `lines` holds members + 1 of them and outlives the team.
  struct alignas(64) Line {
    std::atomic<size_t> value{0};
  };

  StepTeam(Line* lines, size_t members, size_t steps) : lines_(lines), members_(members), steps_(steps) {
    for (size_t i = 0; i <= members; ++i) std::construct_at(lines + i);
  }

  /// Called by member `member` on its thread; run(step, part) computes a part and must not throw. Returns when all
  /// steps are done.
  template <typename Run>
  void Work(size_t member, const Run& run) const {
    for (size_t idle = 0;;) {
      const size_t step = finished().load(std::memory_order_acquire) / members_;
      if (step >= steps_) return;
      bool found = false;
      for (size_t i = 0; i < members_; ++i) {
        const size_t part = (member + i) % members_;
        size_t expected = step;  // a part's counter is the number of steps in which it has been claimed
        if (!lines_[part].value.compare_exchange_strong(expected, step + 1, std::memory_order_relaxed)) continue;
        run(step, part);
        finished().fetch_add(1, std::memory_order_acq_rel);
        found = true;
      }
      idle = found ? 0 : idle + 1;
      if (idle > 4096)
        sched_yield();  // who holds the last part may have lost its processor
      else if (!found)
        Pause();
    }
  }

 private:
  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  std::atomic<size_t>& finished() const { return lines_[members_].value; }

  Line* lines_;
  size_t members_;
  size_t steps_;
};

}  // namespace ortrun::cpu
