// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/execution/kernel_context.h"
#include "core/execution/plan.h"
#include "core/execution/program.h"
#include "core/execution/scratch_memory.h"
#include "core/execution/slot.h"
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

  /// What the last run, without a plan, saw. Takes the constants of the plan to be made out of the frame.
  ObservedRun Observe();
  /// Gets the memory of a plan ready, so that the next run allocates nothing.
  void Bind(const std::shared_ptr<const Plan>& plan);

  // For OrtKernelContext.
  Value* MakeOutput(const Step& step, size_t index, const int64_t* dims, size_t rank);
  /// Makes an output this value, whatever it is; throws when the output is declared as another type.
  void SetOutput(const Step& step, size_t index, Value value);
  Value* PreallocatedOutput(const Step& step, size_t index);
  ScratchMemory& scratch() { return scratch_; }
  SessionState& session() const { return session_; }
  const RunCall* call() const { return call_; }
  OrtSyncStream* stream(int index) const { return index < 0 ? nullptr : streams_[static_cast<size_t>(index)].get(); }

 private:
  Slot& SlotOf(int value) { return slots_[static_cast<size_t>(value)]; }
  void ShareHeld(std::vector<Value>& held) const;
  void PutAt(int value, Value* at, Place place);
  void PutBack(int value);
  void Displace(int value);
  void BindInputs();
  void BindResults();
  bool FitsExpected(size_t output, const Value& given) const;
  void RunSteps();
  void RunStep(size_t index);
  void RunCopy(const Step& step);
  const Value* SourceOf(const Step& copy) const;
  bool NeedsCopy(int output) const;
  const std::string& ResultName(const Value& place) const;
  void Copy(const Value& from, Value& to, OrtSyncStream* stream);
  void FindTypes(const Step& step);
  ElementType ElementMade(const Step& step, size_t index) const;
  void Release(const Step& step);
  const Value& ResultOf(size_t output) const;
  bool MayMove(size_t output, const MemoryDevice& wanted) const;
  void CheckResults() const;
  void CollectResults();
  void CollectResult(size_t output);
  void StartStreams();
  void WaitForStreams();
  void FinishStreams();
  [[noreturn]] void Fail(const Step& step, OrtStatus* status);

  Program& program_;
  SessionState& session_;
  std::vector<Slot> slots_;                 ///< by value index
  std::vector<OrtKernelContext> contexts_;  ///< by step
  uint64_t run_ = 0;                        ///< number of the run
  std::shared_ptr<const Plan> plan_;
  std::vector<int> displaced_;  ///< values that left their planned places, to be put back before the next run
  std::vector<std::pair<std::shared_ptr<void>, size_t>> blocks_;  ///< by memory index
  /// By memory index: caches of this frame over the session's allocators of device memory. What a step released may
  /// still be read by work in the frame's streams, so until they are done only this frame may take it again.
  std::vector<std::shared_ptr<Arena>> arenas_;
  std::vector<Value> kept_results_;         ///< by output: values that the caller wants where they were made
  std::vector<ResultShape> result_shapes_;  ///< by output, of the last run without a plan
  ScratchMemory scratch_;
  std::vector<TypeInfo> made_types_;  ///< by output of the step that runs, where its types are open
  std::vector<std::unique_ptr<OrtSyncStream>> streams_;
  RunCall* call_ = nullptr;
};

}  // namespace ortrun
