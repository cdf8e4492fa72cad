// SPDX-License-Identifier: Apache-2.0
// How a frame gets its values ready for a run: the places of a plan, the caller's inputs and buffers; and what it saw
// when it ran without a plan.
#include <algorithm>
#include <utility>

#include "core/execution/frame.h"
#include "core/providers/device_copies.h"

namespace ortrun {

Frame::Frame(Program& program) : program_(program), session_(program.session()) {
  const size_t value_count = program.values().size();
  locals_.resize(value_count);
  slots_.resize(value_count);
  bound_.resize(value_count);
  made_.resize(value_count);
  constant_slot_.resize(value_count);
  sites_.resize(value_count);
  for (size_t v = 0; v < value_count; ++v) {
    const ProgramValue& value = program.values()[v];
    slots_[v] = value.role == ProgramValue::Role::kConstant ? const_cast<Value*>(&value.constant)  // NOLINT: only read
                                                            : &locals_[v];
  }
  contexts_.resize(program.steps().size());
  for (size_t s = 0; s < contexts_.size(); ++s) {
    const Step& step = program.steps()[s];
    OrtKernelContext& context = contexts_[s];
    context.frame = this;
    context.step = &step;
    context.inputs.resize(step.inputs.size());
    context.views.resize(step.explicit_inputs);
    context.outputs.resize(step.outputs.size());
    for (size_t i = 0; i < step.inputs.size(); ++i)
      if (step.inputs[i] >= 0) sites_[static_cast<size_t>(step.inputs[i])].push_back({&context, i, false});
    for (size_t i = 0; i < step.outputs.size(); ++i)
      if (step.outputs[i] >= 0) sites_[static_cast<size_t>(step.outputs[i])].push_back({&context, i, true});
  }
  for (size_t v = 0; v < value_count; ++v) PointAt(static_cast<int>(v), slots_[v]);
  for (const SessionMemory& memory : session_.memories)
    arenas_.push_back(memory.provider != nullptr && memory.provider->stream_aware ? Arena::Make(memory.allocator)
                                                                                  : nullptr);
}

Frame::~Frame() = default;

void Frame::PointAt(int value, Value* place) {
  const auto v = static_cast<size_t>(value);
  slots_[v] = place;
  const bool tensor_type = program_.values()[v].info == nullptr ||
                           program_.values()[v].info->type.kind == ONNX_TYPE_TENSOR ||
                           program_.values()[v].info->type.kind == ONNX_TYPE_UNKNOWN;
  for (const UseSite& site : sites_[v]) {
    if (site.output) {
      site.context->outputs[site.index] = place;
      continue;
    }
    site.context->inputs[site.index] = place;
    if (site.index < site.context->views.size())
      site.context->views[site.index] = tensor_type ? &place->tensor() : nullptr;
  }
}

void Frame::Bind(const std::shared_ptr<const Plan>& plan) {
  plan_ = plan;
  const auto& values = program_.values();
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
  for (size_t v = 0; v < values.size(); ++v) {
    if (values[v].role != ProgramValue::Role::kLocal) continue;
    const bool held = plan != nullptr && v < plan->constants.size() && plan->constants[v].kind() != ONNX_TYPE_UNKNOWN;
    if (held) {
      PointAt(static_cast<int>(v), const_cast<Value*>(&plan->constants[v]));  // NOLINT: its producer does not run
    } else if (constant_slot_[v] != 0) {
      PointAt(static_cast<int>(v), &locals_[v]);
    }
    constant_slot_[v] = held ? 1 : 0;
    bound_[v] = 0;
    if (plan != nullptr && plan->values[v].planned) {
      const PlannedValue& planned = plan->values[v];
      char* base = static_cast<char*>(blocks_[planned.memory].first.get());
      locals_[v].PlaceTensor(planned.type, planned.dims.data(), planned.dims.rank(),
                             base == nullptr ? nullptr : base + planned.offset, session_.memories[planned.memory].info);
      bound_[v] = 1;
    } else {
      locals_[v].ReleaseStorage();
    }
  }
}

void Frame::BindInputs() {
  const auto& inputs = program_.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Value* given = call_->inputs[i];
    const auto v = static_cast<size_t>(inputs[i]);
    if (given == nullptr) {  // an optional that is left out; what an earlier caller gave may be gone
      locals_[v].Reset();
      PointAt(inputs[i], &locals_[v]);
      continue;
    }
    // Values of outer graphs are where all bodies expect them, the caller's may be anywhere.
    const MemoryDevice& expected = session_.memories[program_.values()[v].memory].info.device;
    if (given->IsTensor() && !given->memory().device.HostAccessible() && given->memory().device != expected) {
      // Nodes that want it on the host need a copy; copies to the device that it is on take the value as it is.
      const bool host_use = std::any_of(sites_[v].begin(), sites_[v].end(), [&](const UseSite& site) {
        const Step& step = *site.context->step;
        return !site.output && !step.kernel.IsCopy() && !ReadsShapeOnly(*step.node) &&
               session_.InputMemory(*step.node, site.index) == 0;
      });
      if (host_use) {
        locals_[v].AllocateTensor(given->type(), given->tensor().shape, given->tensor().rank,
                                  session_.memories[0].allocator);
        Copy(*given, locals_[v], nullptr);
        PointAt(inputs[i], &locals_[v]);
        continue;
      }
    }
    PointAt(inputs[i], const_cast<Value*>(given));  // NOLINT: kernels only read their inputs
  }
}

void Frame::BindResults() {
  const auto& outputs = program_.outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto v = static_cast<size_t>(outputs[i]);
    const ProgramValue& value = program_.values()[v];
    if (value.role != ProgramValue::Role::kLocal || constant_slot_[v] != 0) continue;
    Value& result = call_->results[i];
    const bool in_place = result.IsTensor() && result.memory().device == session_.memories[value.memory].info.device;
    Value* place = in_place ? &result : &locals_[v];
    if (slots_[v] != place) PointAt(outputs[i], place);
    // What a copy would bring to the CPU is made in the caller's buffer where that is on the device.
    if (value.producer < 0) continue;
    const Step& producer = program_.steps()[static_cast<size_t>(value.producer)];
    if (!producer.kernel.IsCopy()) continue;
    const auto s = static_cast<size_t>(producer.inputs[0]);
    const ProgramValue& source = program_.values()[s];
    if (source.role != ProgramValue::Role::kLocal || constant_slot_[s] != 0) continue;
    const bool made_there = result.IsTensor() && result.memory().device == session_.memories[source.memory].info.device;
    Value* made = made_there && !in_place ? &result : &locals_[s];
    if (slots_[s] != made) PointAt(producer.inputs[0], made);
  }
}

ObservedRun Frame::Observe() {
  ObservedRun run;
  const auto& values = program_.values();
  run.values.resize(values.size());
  run.shape_only.resize(values.size());
  for (size_t v = 0; v < values.size(); ++v) {
    if (values[v].role != ProgramValue::Role::kLocal) continue;
    Value& local = locals_[v];
    if (values[v].shape_only) {
      if (local.kind() != ONNX_TYPE_UNKNOWN) run.shape_only[v] = std::move(local);
      continue;
    }
    if (made_[v] == 0 || values[v].is_output || !local.IsTensor()) continue;
    run.values[v].tensor = true;
    run.values[v].type = local.type();
    run.values[v].dims.Assign(local.tensor().shape, local.tensor().rank);
  }
  run.scratch_bytes = scratch_.peak();
  return run;
}

}  // namespace ortrun
