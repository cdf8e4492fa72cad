// SPDX-License-Identifier: Apache-2.0
#include "core/execution/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ortrun/error.h"

namespace ortrun {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(50);

// A child of fork has none of its parent's threads. Each fork raises this count; a pool that was started under another
// count starts again.
std::atomic<uint64_t> forks{0};

void CountForks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
  static_cast<void>(registered);
}

thread_local bool inside_loop = false;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// One ParallelFor under way. Lives on the caller's stack; `helpers` counts the workers inside it.
struct Loop {
  void (*fn)(void*, size_t);
  void* arg;
  size_t blocks;
  std::atomic<size_t> next{0};
  std::atomic<size_t> helpers{0};

  bool Exhausted() const { return next.load(std::memory_order_relaxed) >= blocks; }
  void Work() {
    for (size_t i = next.fetch_add(1, std::memory_order_relaxed); i < blocks;
         i = next.fetch_add(1, std::memory_order_relaxed))
      fn(arg, i);
  }
};

std::vector<cpu_set_t> ParseAffinities(const std::string& text, size_t workers) {
  std::vector<cpu_set_t> sets;
  std::istringstream groups(text);
  for (std::string group; std::getline(groups, group, ';');) {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::istringstream ids(group);
    for (std::string id; std::getline(ids, id, ',');) {
      const size_t dash = id.find('-');
      const long first = std::strtol(id.c_str(), nullptr, 10);
      const long last = dash == std::string::npos ? first : std::strtol(id.c_str() + dash + 1, nullptr, 10);
      Require(first >= 1 && last >= first && last <= CPU_SETSIZE, "thread affinity '", text,
              "' is not understood: write processors counted from 1, as in '1,2;3-4'");
      for (long cpu = first; cpu <= last; ++cpu) CPU_SET(static_cast<size_t>(cpu - 1), &set);
    }
    sets.push_back(set);
  }
  Require(sets.size() == workers, "thread affinity '", text, "' names ", sets.size(), " groups of processors for ",
          workers, " worker threads; the calling thread is not counted");
  return sets;
}

}  // namespace

struct ThreadPool::State {
  size_t threads = 1;
  bool spin = true;
  std::vector<cpu_set_t> affinities;

  std::mutex start_mutex;
  std::atomic<uint64_t> started_under{~uint64_t{0}};

  // What the workers share. Replaced as a whole after a fork, since a lock may have been held while forking.
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<Loop*> loops;
    std::deque<std::function<void()>> tasks;
    std::atomic<size_t> pending{0};  ///< loops plus tasks, so that a spinning worker need not lock
    size_t sleeping = 0;
    bool stop = false;
    std::vector<std::thread> workers;
  };
  Shared* shared = nullptr;

  void Start();
  void Stop();
  void Work(Shared& state);
  bool SpinForWork(const Shared& state) const;
};

void ThreadPool::State::Start() {
  const std::lock_guard lock(start_mutex);
  const uint64_t now = forks.load();
  if (started_under.load() == now) return;
  auto fresh = std::make_unique<Shared>();
  for (size_t i = 0; i + 1 < threads; ++i) {
    fresh->workers.emplace_back([this, state = fresh.get()] { Work(*state); });
    if (i < affinities.size())  // a refused affinity only costs speed
      pthread_setaffinity_np(fresh->workers.back().native_handle(), sizeof(cpu_set_t), &affinities[i]);
  }
  shared = fresh.release();  // the parent's, after a fork, is left: its threads do not exist here and cannot be joined
  started_under.store(now);
}

void ThreadPool::State::Stop() {
  if (shared == nullptr || started_under.load() != forks.load()) return;
  {
    const std::lock_guard lock(shared->mutex);
    shared->stop = true;
  }
  shared->wake.notify_all();
  for (std::thread& worker : shared->workers) worker.join();
  delete shared;
  shared = nullptr;
}

bool ThreadPool::State::SpinForWork(const Shared& state) const {
  if (!spin) return false;
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (state.pending.load(std::memory_order_acquire) != 0) return true;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void ThreadPool::State::Work(Shared& state) {
  std::unique_lock lock(state.mutex);
  while (true) {
    const auto open = std::find_if(state.loops.begin(), state.loops.end(), [](Loop* l) { return !l->Exhausted(); });
    if (open != state.loops.end()) {
      Loop& loop = **open;
      loop.helpers.fetch_add(1, std::memory_order_relaxed);  // under the lock: the caller waits for it
      lock.unlock();
      inside_loop = true;
      loop.Work();
      inside_loop = false;
      loop.helpers.fetch_sub(1, std::memory_order_release);
      lock.lock();
      continue;
    }
    if (!state.tasks.empty()) {
      const auto task = std::move(state.tasks.front());
      state.tasks.pop_front();
      state.pending.fetch_sub(1, std::memory_order_relaxed);
      lock.unlock();
      task();
      lock.lock();
      continue;
    }
    if (state.stop) return;
    lock.unlock();
    const bool found = SpinForWork(state);
    lock.lock();
    if (found && state.pending.load(std::memory_order_relaxed) != 0) {
      if (std::any_of(state.loops.begin(), state.loops.end(), [](Loop* l) { return !l->Exhausted(); }) ||
          !state.tasks.empty())
        continue;
      // The loops that are left have no block to give; their callers take them off in a moment.
      lock.unlock();
      Pause();
      lock.lock();
      continue;
    }
    if (state.stop || state.pending.load(std::memory_order_relaxed) != 0) continue;
    ++state.sleeping;
    state.wake.wait(lock, [&] { return state.stop || state.pending.load(std::memory_order_relaxed) != 0; });
    --state.sleeping;
  }
}

ThreadPool::ThreadPool(const Options& options) : state_(std::make_unique<State>()) {
  CountForks();
  state_->threads = options.threads == 0 ? DefaultThreadCount() : options.threads;
  state_->spin = options.spin;
  if (!options.affinities.empty()) state_->affinities = ParseAffinities(options.affinities, state_->threads - 1);
}

ThreadPool::~ThreadPool() { state_->Stop(); }

size_t ThreadPool::size() const { return state_->threads; }

void ThreadPool::ParallelFor(size_t blocks, void (*fn)(void* arg, size_t block), void* arg) {
  if (blocks <= 1 || state_->threads == 1 || inside_loop) {
    for (size_t i = 0; i < blocks; ++i) fn(arg, i);
    return;
  }
  if (state_->started_under.load(std::memory_order_acquire) != forks.load(std::memory_order_relaxed)) state_->Start();
  State::Shared& shared = *state_->shared;
  Loop loop{fn, arg, blocks};
  size_t sleeping = 0;
  {
    const std::lock_guard lock(shared.mutex);
    shared.loops.push_back(&loop);
    shared.pending.fetch_add(1, std::memory_order_release);
    sleeping = shared.sleeping;
  }
  if (sleeping > 1 && blocks > 2) {
    shared.wake.notify_all();
  } else if (sleeping > 0) {
    shared.wake.notify_one();
  }
  inside_loop = true;
  loop.Work();
  inside_loop = false;
  {
    const std::lock_guard lock(shared.mutex);
    shared.loops.erase(std::find(shared.loops.begin(), shared.loops.end(), &loop));
    shared.pending.fetch_sub(1, std::memory_order_relaxed);
  }
  for (int spins = 0; loop.helpers.load(std::memory_order_acquire) != 0; ++spins) {
    Pause();
    if (spins > 4096) sched_yield();  // a helper may have lost its processor inside a block
  }
}

void ThreadPool::Schedule(std::function<void()> task) {
  if (state_->threads == 1) {
    std::thread(std::move(task)).detach();
    return;
  }
  if (state_->started_under.load(std::memory_order_acquire) != forks.load(std::memory_order_relaxed)) state_->Start();
  State::Shared& shared = *state_->shared;
  {
    const std::lock_guard lock(shared.mutex);
    shared.tasks.push_back(std::move(task));
    shared.pending.fetch_add(1, std::memory_order_release);
  }
  shared.wake.notify_one();
}

}  // namespace ortrun
