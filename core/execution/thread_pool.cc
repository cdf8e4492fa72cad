// SPDX-License-Identifier: Apache-2.0
#include "core/execution/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <sstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/floating_point.h"
#include "core/execution/thread_count.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSpinTime = std::chrono::microseconds(50);
/// Until threads that the system refused are asked for again.
constexpr auto kRetryTime = std::chrono::seconds(1);
/// Loops at once for which there is room without an allocation.
constexpr size_t kLoops = 64;

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
  uint64_t mode = FloatingPointMode();  ///< the caller's, in which all blocks are computed
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
  std::atomic<Clock::rep> retry_at{std::numeric_limits<Clock::rep>::max()};  ///< when workers are missing

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

  Shared& Started();
  void Start();
  void AddWorkers(Shared& to);
  void Stop();
  void Work(Shared& state);
  bool SpinForWork(const Shared& state) const;
};

/// What the workers share, with workers started as far as the system gives them. Throws std::bad_alloc.
ThreadPool::State::Shared& ThreadPool::State::Started() {
  const Clock::rep retry = retry_at.load(std::memory_order_relaxed);
  const bool missing =
      retry != std::numeric_limits<Clock::rep>::max() && Clock::now().time_since_epoch().count() >= retry;
  if (missing || started_under.load(std::memory_order_acquire) != forks.load(std::memory_order_relaxed)) Start();
  return *shared;
}

void ThreadPool::State::Start() {
  const std::lock_guard lock(start_mutex);
  const uint64_t now = forks.load();
  if (started_under.load() != now) {
    auto fresh = std::make_unique<Shared>();
    fresh->workers.reserve(threads);
    fresh->loops.reserve(kLoops);
    AddWorkers(*fresh);
    shared =
        fresh.release();  // the parent's, after a fork, is left: its threads do not exist here, no join is possible
    started_under.store(now);
  } else if (shared->workers.size() + 1 < threads) {
    AddWorkers(*shared);
  }
}

void ThreadPool::State::AddWorkers(Shared& to) {
  retry_at.store(std::numeric_limits<Clock::rep>::max());
  try {
    for (size_t i = to.workers.size(); i + 1 < threads; ++i) {
      const std::lock_guard lock(to.mutex);
      to.workers.emplace_back([this, &to] { Work(to); });
      if (i < affinities.size())  // a refused affinity only costs speed
        pthread_setaffinity_np(to.workers.back().native_handle(), sizeof(cpu_set_t), &affinities[i]);
    }
  } catch (const std::exception&) {  // std::system_error: no thread, std::bad_alloc: no memory for one
    retry_at.store((Clock::now() + kRetryTime).time_since_epoch().count());
  }
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
      if (FloatingPointMode() != loop.mode) SetFloatingPointMode(loop.mode);
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
  state_->threads = std::min(options.threads == 0 ? DefaultThreadCount() : options.threads, MaxThreadCount());
  state_->spin = options.spin;
  if (!options.affinities.empty()) state_->affinities = ParseAffinities(options.affinities, state_->threads - 1);
}

ThreadPool::~ThreadPool() { state_->Stop(); }

size_t ThreadPool::size() const { return state_->threads; }

void ThreadPool::ParallelFor(size_t blocks, void (*fn)(void* arg, size_t block), void* arg) noexcept {
  Loop loop{fn, arg, blocks};
  if (blocks <= 1 || state_->threads == 1 || inside_loop) {
    loop.Work();
    return;
  }
  State::Shared* started = nullptr;
  size_t sleeping = 0;
  try {
    started = &state_->Started();
    const std::lock_guard lock(started->mutex);
    started->loops.push_back(&loop);
    started->pending.fetch_add(1, std::memory_order_release);
    sleeping = started->sleeping;
  } catch (const std::exception&) {
    loop.Work();
    return;
  }
  State::Shared& shared = *started;
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
  if (state_->threads != 1) {
    State::Shared& shared = state_->Started();
    std::unique_lock lock(shared.mutex);
    if (!shared.workers.empty()) {
      shared.tasks.push_back(std::move(task));
      shared.pending.fetch_add(1, std::memory_order_release);
      lock.unlock();
      shared.wake.notify_one();
      return;
    }
  }
  try {
    std::thread(std::move(task)).detach();
  } catch (const std::system_error& error) {
    throw Error(ORT_FAIL, Concat("the system gives no thread to run this on: ", error.what()));
  }
}

}  // namespace ortrun
