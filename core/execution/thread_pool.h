// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace ortrun {

/// Threads that this process may use at once: the smaller of the affinity mask and the container's CPU quota (cgroup v1
/// or v2), at least 1.
size_t DefaultThreadCount();

/// Workers for the loops inside kernels. The caller of ParallelFor works too, so a pool of n threads has n - 1 workers,
/// started by the first loop. Threads that the system refuses are done without, and asked for again after a while.
/// A worker without work spins for at most 50 microseconds, then sleeps. Thread-safe: loops of several callers share
/// the workers. A process that forks gets a pool without workers in the child, which then starts its own on first use.
class ThreadPool {
 public:
  struct Options {
    size_t threads = 0;      ///< 0: DefaultThreadCount(); no more than MaxThreadCount() (thread_count.h)
    bool spin = true;        ///< false: sleep at once
    std::string affinities;  ///< "1;2,3;...": processors (counted from 1) of each worker, as ONNX Runtime writes them
  };

  explicit ThreadPool(const Options& options);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  /// Threads that a loop may use, the caller included.
  size_t size() const;

  /// Calls fn(arg, i) once for each i in [0, blocks), in any order on several threads; returns when all have returned.
  /// All compute in the caller's floating-point mode. fn must not throw. A call from inside a loop runs inline. Never
  /// throws: without memory for it, the loop is the caller's alone.
  void ParallelFor(size_t blocks, void (*fn)(void* arg, size_t block), void* arg) noexcept;

  /// Runs `task` on a worker (on a thread of its own when the pool has none). Throws Error(ORT_FAIL) when the system
  /// gives no thread to run it on.
  void Schedule(std::function<void()> task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ortrun
