// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/execution/kernel_context.h"
#include "core/execution/plan.h"
#include "core/execution/program.h"
#include "core/execution/scratch_memory.h"
#include "core/execution/stream.h"

namespace ortrun {

/// The state of one run of a program, kept and used again by later runs. Used by one thread at a time.
class Frame {
 public:
  explicit Frame(Program& program);
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  ~Frame();

  /// Runs once, by `plan` when it is not null; otherwise values take memory as they come and the run is observed.
  void Run(RunCall& call, const std::shared_ptr<const Plan>& plan);

  /// What the last run without a plan saw.
  ObservedRun Observe();
  /// Gets the memory of a plan ready, so that the next run allocates nothing.
  void Bind(const std::shared_ptr<const Plan>& plan);

  // For OrtKernelContext.
  Value* MakeOutput(const Step& step, size_t index, const int64_t* dims, size_t rank);
  Value* OutputSlot(const Step& step, size_t index);
  Value* PreallocatedOutput(const Step& step, size_t index);
  ScratchMemory& scratch() { return scratch_; }
  SessionState& session() const { return session_; }
  const RunCall* call() const { return call_; }
  OrtSyncStream* stream(int index) const { return index < 0 ? nullptr : streams_[static_cast<size_t>(index)].get(); }

 private:
  void BindInputs();
  void BindResults();
  void RunSteps(const Plan* plan);
  void PointAt(int value, Value* place);
  void RunStep(size_t index);
  void RunCopy(const Step& step);
  const Value* SourceOf(const Step& copy) const;
  bool NeedsCopy(int output) const;
  const std::string& ResultName(const Value& place) const;
  void Copy(const Value& from, Value& to, OrtSyncStream* stream);
  void Release(const Step& step);
  void CollectResults();
  void StartStreams();
  void WaitForStreams();
  void FinishStreams();
  [[noreturn]] void Fail(const Step& step, OrtStatus* status);

  Program& program_;
  SessionState& session_;
  std::vector<Value> locals_;               ///< by value index; inputs that had to be copied lie here too
  std::vector<Value*> slots_;               ///< by value index: where the value is in this run
  std::vector<char> bound_;                 ///< by value index: lies at its planned place
  std::vector<char> made_;                  ///< by value index: memory was asked for through MakeOutput
  std::vector<OrtKernelContext> contexts_;  ///< by step
  struct UseSite {
    OrtKernelContext* context;
    size_t index;
    bool output;
  };
  std::vector<std::vector<UseSite>> sites_;  ///< by value index: where contexts point at it
  std::vector<char> constant_slot_;          ///< by value index: points at a constant of the bound plan
  std::shared_ptr<const Plan> plan_;
  std::vector<std::pair<std::shared_ptr<void>, size_t>> blocks_;  ///< by memory index
  /// By memory index: caches of this frame over the session's allocators of device memory. What a step released may
  /// still be read by work in the frame's streams, so until they are done only this frame may take it again.
  std::vector<std::shared_ptr<Arena>> arenas_;
  std::vector<Value> kept_results_;  ///< by output: values that the caller wants where they were made
  ScratchMemory scratch_;
  std::vector<std::unique_ptr<OrtSyncStream>> streams_;
  RunCall* call_ = nullptr;
};

}  // namespace ortrun
