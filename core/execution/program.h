// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/execution/kernel_info.h"
#include "core/execution/plan.h"
#include "core/execution/selection.h"
#include "core/execution/session_state.h"

namespace ortrun {

class Frame;
struct RunCall;

/// Who runs a step: a kernel of a provider or of the host, a compiled group, or a copy between memories.
class StepKernel {
 public:
  StepKernel() = default;
  explicit StepKernel(OrtKernelImpl* kernel) : kernel_(kernel) {}
  StepKernel(OrtNodeComputeInfo* compute, void* state) : compute_(compute), state_(state) {}
  StepKernel(StepKernel&& other) noexcept { *this = std::move(other); }
  StepKernel& operator=(StepKernel&& other) noexcept {
    std::swap(kernel_, other.kernel_);
    std::swap(compute_, other.compute_);
    std::swap(state_, other.state_);
    return *this;
  }
  ~StepKernel();

  OrtKernelImpl* kernel() const { return kernel_; }
  OrtStatus* Compute(OrtKernelContext* context) const {
    return kernel_ != nullptr ? kernel_->Compute(kernel_, context) : compute_->Compute(compute_, state_, context);
  }
  bool IsCopy() const { return kernel_ == nullptr && compute_ == nullptr; }

 private:
  OrtKernelImpl* kernel_ = nullptr;
  OrtNodeComputeInfo* compute_ = nullptr;
  void* state_ = nullptr;
};

/// One node of a program, with everything resolved that does not depend on values.
struct Step {
  const Node* node = nullptr;
  Provider* provider = nullptr;  ///< nullptr: the host (custom ops, control flow, copies to the CPU)
  StepKernel kernel;
  std::vector<int> inputs;  ///< value indices, explicit then implicit; -1: omitted
  size_t explicit_inputs = 0;
  std::vector<int> outputs;    ///< value indices; -1: omitted
  std::vector<int> releases;   ///< values nobody needs after this step
  bool shape_only = false;     ///< depends on input shapes alone: skipped where a plan holds its results
  int stream = -1;             ///< index of the provider's stream in a run, -1: none
  bool open_types = false;     ///< some type is known at the run only: what it makes follows from what it is given
  bool joins_streams = false;  ///< its bodies read values on a device, in streams of their own
};

/// One value of a program.
struct ProgramValue {
  enum class Role { kConstant, kInput, kLocal };
  const ValueInfo* info = nullptr;
  Role role = Role::kLocal;
  Value constant;          ///< of a constant; packed weights keep their shape only
  bool is_output = false;  ///< its memory goes to the caller: it, or an alias of it, is an output of the graph
  bool shape_only = false;
  int alias_of = -1;     ///< local value whose memory it takes: always (Reshape and its like)
  int held_source = -1;  ///< of a shape-only value: the constant or shape-only value whose content it always is
  int inplace_of = -1;   ///< local value whose memory it may take when sizes agree
  size_t memory = 0;     ///< index in SessionState::memories
  int producer = -1;     ///< step
  int last_use = -1;     ///< step; the number of steps for outputs
};

/// One output of a program: which value it is, and the shape that the model lets expect.
struct ProgramOutput {
  struct Extent {
    int64_t number = -1;  ///< -1 where nothing is known; otherwise the number, unless an input has it:
    int input = -1;       ///< the input of the program whose dimension `axis` it is called after
    size_t axis = 0;
  };
  const ValueInfo* info = nullptr;
  bool has_shape = false;
  std::vector<Extent> dims;
  bool shape_follows = false;  ///< from the shapes of the inputs, so that a plan knows it for sure
  bool repeated = false;       ///< another output is the same value
  bool repeats = false;        ///< and stands before this one
};

/// A graph (main or body) as a list of steps over numbered values. Immutable once made; runs take frames from it.
class Program {
 public:
  /// For a graph of the session. Formal inputs come first in the list of inputs, then values of outer graphs.
  Program(SessionState& session, const Graph& graph);
  /// For one node alone, whose inputs are constants or become the program's inputs (folding, single calls).
  Program(SessionState& session, const Node& node, std::unique_ptr<KernelInfo> info, StepKernel kernel);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  SessionState& session() const { return session_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<ProgramValue>& values() const { return values_; }
  /// Value indices of the inputs: formal inputs, then outer values in the order of outer_inputs().
  const std::vector<int>& inputs() const { return inputs_; }
  const std::vector<int>& outputs() const { return outputs_; }
  const std::vector<ProgramOutput>& output_facts() const { return output_facts_; }
  const std::vector<const ValueInfo*>& outer_inputs() const { return outer_inputs_; }
  size_t stream_count() const { return stream_providers_.size(); }
  Provider* stream_provider(size_t index) const { return stream_providers_[index]; }
  bool plannable() const { return plannable_; }
  /// Whether values may share a place: one after the other, or as an alias of another.
  bool reuses_memory() const { return reuses_memory_; }

  /// Runs once. `inputs` in the order of inputs(), `results` in the order of outputs(): a result with a value receives
  /// it in place, an empty one is set. `wanted` (see RunCall) selects outputs.
  void Run(RunCall& call);

  /// What a run of these outputs (one entry each) takes.
  std::shared_ptr<const Selection> Select(std::span<const char> wanted) { return selections_.Find(*this, wanted); }

  const PlanCache& plans() const { return plans_; }

  /// Drops the data of constants that every consumer has packed; their shapes stay.
  void ReleasePackedConstants();

 private:
  friend class ProgramBuilder;
  std::unique_ptr<Frame> TakeFrame();
  void ReturnFrame(std::unique_ptr<Frame> frame);

  SessionState& session_;
  std::vector<Step> steps_;
  std::vector<ProgramValue> values_;
  std::vector<int> inputs_;
  std::vector<int> outputs_;
  std::vector<ProgramOutput> output_facts_;
  std::vector<const ValueInfo*> outer_inputs_;
  std::vector<Provider*> stream_providers_;
  std::vector<std::unique_ptr<KernelInfo>> infos_;  ///< kernels may keep pointers to theirs
  bool plannable_ = true;
  bool reuses_memory_ = true;

  PlanCache plans_;
  SelectionCache selections_;
  mutable std::mutex frames_mutex_;
  std::vector<std::unique_ptr<Frame>> frames_;
};

/// One call of a program.
struct RunCall {
  const RunOptions* options = nullptr;
  std::span<const Value* const> inputs;
  /// One per output of the program. A value here is the caller's and receives the result; an empty one is set.
  std::span<Value> results;
  /// One per output: false when the caller does not want it.
  std::span<const char> wanted;
  /// One per output: memory index in which a new value is wanted, or empty for 0 (the CPU).
  std::span<const int> result_memory;
  /// From Program::Select; nullptr: all steps run. Inputs that it does not read may be null.
  std::shared_ptr<const Selection> selection;
};

}  // namespace ortrun
