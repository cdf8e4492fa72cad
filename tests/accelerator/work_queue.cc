// SPDX-License-Identifier: Apache-2.0
#include "tests/accelerator/work_queue.h"

#include <utility>

namespace ortrun::accelerator {

WorkQueue::WorkQueue(std::chrono::microseconds delay) : delay_(delay), thread_([this] { Run(); }) {}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkQueue::Push(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    ++pushed_;
  }
  changed_.notify_all();
}

uint64_t WorkQueue::Mark() {
  const std::lock_guard lock(mutex_);
  return pushed_;
}

void WorkQueue::WaitFor(uint64_t mark) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_ >= mark; });
}

void WorkQueue::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || !work_.empty(); });
    if (work_.empty()) return;  // what was pushed before the end is still done
    const std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    if (delay_.count() != 0) std::this_thread::sleep_for(delay_);
    work();
    lock.lock();
    ++done_;
    changed_.notify_all();
  }
}

}  // namespace ortrun::accelerator
