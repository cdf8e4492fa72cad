// SPDX-License-Identifier: Apache-2.0
#include "core/execution/program.h"

#include <utility>

#include "core/execution/frame.h"
#include "core/execution/program_builder.h"
#include "ortrun/error.h"

namespace ortrun {

StepKernel::~StepKernel() {
  if (kernel_ != nullptr && kernel_->Release != nullptr) kernel_->Release(kernel_);
  if (compute_ != nullptr && compute_->ReleaseState != nullptr) compute_->ReleaseState(compute_, state_);
}

Program::Program(SessionState& session, const Graph& graph) : session_(session) {
  ProgramBuilder(*this).FromGraph(graph);
}

Program::Program(SessionState& session, const Node& node, std::unique_ptr<KernelInfo> info, StepKernel kernel)
    : session_(session) {
  ProgramBuilder(*this).FromNode(node, std::move(info), std::move(kernel));
}

Program::~Program() = default;

std::unique_ptr<Frame> Program::TakeFrame() {
  {
    const std::lock_guard lock(frames_mutex_);
    if (!frames_.empty()) {
      std::unique_ptr<Frame> frame = std::move(frames_.back());
      frames_.pop_back();
      return frame;
    }
  }
  return std::make_unique<Frame>(*this);
}

void Program::ReturnFrame(std::unique_ptr<Frame> frame) {
  const std::lock_guard lock(frames_mutex_);
  frames_.push_back(std::move(frame));
}

void Program::Run(RunCall& call) {
  const bool usual_memory = call.result_memory.empty();
  const std::shared_ptr<const Plan> plan =
      plannable_ && usual_memory ? plans_.Find(call.inputs, call.selection.get()) : nullptr;
  std::unique_ptr<Frame> frame = TakeFrame();  // after an error the frame is dropped: its state is not known
  frame->Run(call, plan);
  if (plan != nullptr) {
    session_.counters.planned_runs.fetch_add(1, std::memory_order_relaxed);
  } else {
    std::shared_ptr<const Plan> next;
    if (plannable_ && usual_memory) {
      if (ShapeKey key = KeyOf(call.inputs); !key.empty()) {
        ObservedRun seen = frame->Observe();
        seen.selection = call.selection;
        next = MakePlan(*this, std::move(key), std::move(seen));
      }
    }
    if (next != nullptr) plans_.Add(next);
    frame->Bind(next);
  }
  ReturnFrame(std::move(frame));
}

void Program::ReleasePackedConstants() {
  for (ProgramValue& value : values_) {
    if (value.role != ProgramValue::Role::kConstant || value.info == nullptr) continue;
    const ValueInfo* holder = value.info;
    while (holder->outer != nullptr) holder = holder->outer;
    const auto uses = session_.constant_uses.find(holder);
    if (uses != session_.constant_uses.end() && uses->second == 0 && !value.is_output) value.constant.ReleaseStorage();
  }
}

}  // namespace ortrun
