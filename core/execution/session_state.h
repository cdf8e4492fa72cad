// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/execution/arena.h"
#include "core/execution/options.h"
#include "core/execution/packed_weights.h"
#include "core/execution/profiler.h"
#include "core/execution/thread_pool.h"
#include "core/execution/weight_uses.h"
#include "core/providers/environment.h"
#include "core/providers/partitioner.h"

namespace ortrun {

class Program;

/// One memory that values of a session live in.
struct SessionMemory {
  MemoryInfo info;
  std::shared_ptr<OrtAllocator> allocator;
  Provider* provider = nullptr;  ///< nullptr: the CPU
};

struct SessionCounters {
  std::atomic<uint64_t> runs{0};
  std::atomic<uint64_t> planned_runs{0};
  std::atomic<uint64_t> heap_allocations{0};
  std::atomic<uint64_t> copies{0};
};

/// What all programs and runs of a session share. Made with the session; after that only the atomics change.
class SessionState {
 public:
  Environment* env = nullptr;
  SessionOptions options;
  std::shared_ptr<Logger> logger;
  std::shared_ptr<ThreadPool> pool;
  std::vector<std::unique_ptr<Provider>> providers;
  Partition partition;
  std::vector<SessionMemory> memories;  ///< [0] is the CPU's
  std::unique_ptr<Profiler> profiler;   ///< nullptr when profiling is off
  SessionCounters counters;
  std::unordered_map<const Graph*, std::unique_ptr<Program>> bodies;  ///< programs of subgraphs

  SessionState();
  ~SessionState();

  /// Indices of the memory in which a node takes an input and makes an output. Nodes of the host work on the CPU's.
  size_t InputMemory(const Node& node, size_t index) const;
  size_t OutputMemory(const Node& node, size_t index) const;

  WeightUses weight_uses;        ///< readers of constants that have not packed them, while the programs are made
  PackedWeights packed_weights;  ///< outlives the kernels
  /// Constants moved to a device, by their place and the memory, while the programs are made: all take the same copy.
  std::map<std::pair<const void*, size_t>, Value> device_constants;

  /// Index of a memory in `memories`; adds it when a provider serves it.
  size_t MemoryIndex(const MemoryInfo& info, Provider* provider);
  /// Index of the memory of a device, or -1.
  int FindMemory(const MemoryDevice& device) const;
  OrtAllocator* cpu_allocator() const { return memories[0].allocator.get(); }
};

}  // namespace ortrun
