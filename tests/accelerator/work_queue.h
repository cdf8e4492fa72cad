// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace ortrun::accelerator {

/// A stream: work is queued at once and done later, in order, each piece after a delay, on a thread of the queue's own.
class WorkQueue {
 public:
  explicit WorkQueue(std::chrono::microseconds delay);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue();

  void Push(std::function<void()> work);
  /// A mark after everything pushed so far.
  uint64_t Mark();
  void WaitFor(uint64_t mark);

 private:
  void Run();

  std::chrono::microseconds delay_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  uint64_t pushed_ = 0;
  uint64_t done_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ortrun::accelerator
