// SPDX-License-Identifier: Apache-2.0
// How a frame gets its values ready for a run: the places of a plan and the caller's inputs; and what it saw when it
// ran without a plan.
#include <algorithm>
#include <utility>

#include "core/execution/frame.h"
#include "core/providers/device_copies.h"

namespace ortrun {

Frame::Frame(Program& program)
    : program_(program),
      session_(program.session()),
      slots_(program.values().size()),
      contexts_(program.steps().size()),
      result_shapes_(program.outputs().size()) {
  for (size_t s = 0; s < contexts_.size(); ++s) {
    const Step& step = program.steps()[s];
    OrtKernelContext& context = contexts_[s];
    context.frame = this;
    context.step = &step;
    context.inputs.resize(step.inputs.size());
    context.views.resize(step.explicit_inputs);
    context.outputs.resize(step.outputs.size());
    for (size_t i = 0; i < step.inputs.size(); ++i)
      if (step.inputs[i] >= 0) SlotOf(step.inputs[i]).sites.push_back({&context, i, false});
    for (size_t i = 0; i < step.outputs.size(); ++i)
      if (step.outputs[i] >= 0) SlotOf(step.outputs[i]).sites.push_back({&context, i, true});
  }
  for (size_t v = 0; v < slots_.size(); ++v) {
    const ProgramValue& value = program.values()[v];
    if (value.role == ProgramValue::Role::kConstant)
      PutAt(static_cast<int>(v), const_cast<Value*>(&value.constant), Place::kConstant);  // NOLINT: only read
    else
      PutAt(static_cast<int>(v), &slots_[v].own, Place::kOwn);
  }
  for (const SessionMemory& memory : session_.memories)
    arenas_.push_back(memory.provider != nullptr && memory.provider->stream_aware ? Arena::Make(memory.allocator)
                                                                                  : nullptr);
  displaced_.reserve(slots_.size());
}

Frame::~Frame() = default;

void Frame::PutAt(int value, Value* at, Place place) {
  Slot& slot = SlotOf(value);
  slot.at = at;
  slot.place = place;
  const ONNXType declared = program_.values()[static_cast<size_t>(value)].info->type.kind;
  const bool tensor = declared == ONNX_TYPE_TENSOR || (declared == ONNX_TYPE_UNKNOWN && at->IsTensor());
  for (const Slot::UseSite& site : slot.sites) {
    if (site.output) {
      site.context->outputs[site.index] = at;
      continue;
    }
    site.context->inputs[site.index] = at;
    if (site.index < site.context->views.size()) site.context->views[site.index] = tensor ? &at->tensor() : nullptr;
  }
}

/// Puts a local value where the bound plan has it.
void Frame::PutBack(int value) {
  const auto v = static_cast<size_t>(value);
  Slot& slot = slots_[v];
  if (plan_ != nullptr && plan_->constants[v].HasValue()) {
    slot.own.ReleaseStorage();
    PutAt(value, const_cast<Value*>(&plan_->constants[v]), Place::kConstant);  // NOLINT: its producer does not run
    return;
  }
  const bool planned = plan_ != nullptr && plan_->values[v].planned;
  if (planned) {
    const PlannedValue& place = plan_->values[v];
    char* base = static_cast<char*>(blocks_[place.memory].first.get());
    slot.own.PlaceTensor(place.type, place.dims.data(), place.dims.rank(),
                         base == nullptr ? nullptr : base + place.offset, session_.memories[place.memory].info);
  } else {
    slot.own.ReleaseStorage();
  }
  if (slot.at != &slot.own || slot.place != (planned ? Place::kPlanned : Place::kOwn))
    PutAt(value, &slot.own, planned ? Place::kPlanned : Place::kOwn);
}

/// Takes a local value from its planned place, for this run.
void Frame::Displace(int value) {
  Slot& slot = SlotOf(value);
  if (slot.place == Place::kOwn || slot.place == Place::kGiven) return;
  displaced_.push_back(value);
  PutAt(value, &slot.own, Place::kOwn);
}

void Frame::Bind(const std::shared_ptr<const Plan>& plan) {
  plan_ = plan;
  displaced_.clear();
  blocks_.resize(session_.memories.size());
  if (plan != nullptr) {
    for (size_t m = 0; m < plan->block_bytes.size(); ++m) {
      auto& [block, size] = blocks_[m];
      const size_t wanted = plan->block_bytes[m];
      // A block that served a much larger shape is given back.
      if (wanted <= size && (size <= (1u << 20) || wanted * 4 >= size)) continue;
      block.reset();
      block = wanted == 0 ? nullptr : Allocate(session_.memories[m].allocator, wanted);
      size = wanted;
    }
    scratch_.Reserve(plan->scratch_bytes);
  } else {
    blocks_.assign(blocks_.size(), {});
  }
  for (size_t v = 0; v < slots_.size(); ++v)
    if (program_.values()[v].role == ProgramValue::Role::kLocal) PutBack(static_cast<int>(v));
}

void Frame::BindInputs() {
  const auto& inputs = program_.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value* given = call_->inputs[i];
    Slot& slot = SlotOf(inputs[i]);
    if (given == nullptr) {  // left out; what an earlier caller gave may be gone
      slot.own.Reset();
      PutAt(inputs[i], &slot.own, Place::kInput);
      continue;
    }
    // Values of outer graphs are where all bodies expect them, the caller's may be anywhere.
    const size_t memory = program_.values()[static_cast<size_t>(inputs[i])].memory;
    const MemoryDevice& expected = session_.memories[memory].info.device;
    if (given->IsTensor() && !given->memory().device.HostAccessible() && given->memory().device != expected) {
      // Nodes that want it on the host need a copy; copies to the device that it is on take the value as it is.
      const bool host_use = std::any_of(slot.sites.begin(), slot.sites.end(), [&](const Slot::UseSite& site) {
        const Step& step = *site.context->step;
        return !site.output && !step.kernel.IsCopy() && !ReadsShapeOnly(*step.node) &&
               session_.InputMemory(*step.node, site.index) == 0;
      });
      if (host_use) {
        slot.own.AllocateTensor(given->type(), given->tensor().shape, given->tensor().rank,
                                session_.memories[0].allocator);
        Copy(*given, slot.own, nullptr);
        PutAt(inputs[i], &slot.own, Place::kInput);
        continue;
      }
    }
    PutAt(inputs[i], const_cast<Value*>(given), Place::kInput);  // NOLINT: kernels only read their inputs
  }
}

/// A result that always is its input's memory (Reshape and its like) is no second copy of a weight.
void Frame::ShareHeld(std::vector<Value>& held) const {
  const auto& values = program_.values();
  for (const Step& step : program_.steps()) {  // sources before what is made of them
    for (const int v : step.outputs) {
      if (v < 0 || values[static_cast<size_t>(v)].held_source < 0) continue;
      Value& result = held[static_cast<size_t>(v)];
      const auto from = static_cast<size_t>(values[static_cast<size_t>(v)].held_source);
      const Value& source = values[from].role == ProgramValue::Role::kConstant ? values[from].constant : held[from];
      if (!result.HasValue() || !source.IsTensor() || source.tensor().data == nullptr ||
          result.type() != source.type() || result.tensor().count != source.tensor().count)
        continue;
      const Value made = std::move(result);  // has the shape
      result = Value();
      result.ShareTensor(made.type(), made.tensor().shape, made.tensor().rank, source);
    }
  }
}

ObservedRun Frame::Observe() {
  ObservedRun run;
  const auto& values = program_.values();
  run.values.resize(values.size());
  run.shape_only.resize(values.size());
  for (size_t v = 0; v < values.size(); ++v) {
    Slot& slot = slots_[v];
    if (values[v].role != ProgramValue::Role::kLocal || slot.made_in != run_ || slot.place != Place::kOwn ||
        !slot.own.IsTensor())
      continue;
    if (!values[v].is_output) {
      run.values[v].tensor = true;
      run.values[v].type = slot.own.type();
      run.values[v].dims.Assign(slot.own.tensor().shape, slot.own.tensor().rank);
    }
    if (values[v].shape_only) run.shape_only[v] = std::move(slot.own);
  }
  ShareHeld(run.shape_only);
  run.results = result_shapes_;
  run.scratch_bytes = scratch_.peak();
  return run;
}

}  // namespace ortrun
