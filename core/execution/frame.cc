// SPDX-License-Identifier: Apache-2.0
#include "core/execution/frame.h"

#include <algorithm>
#include <cstring>

#include "core/providers/device_copies.h"
#include "ortrun/error.h"

namespace ortrun {

void* ScratchMemory::Take(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  Require(rounded >= bytes, "a kernel asked for ", bytes, " bytes of scratch memory");
  wanted_ += rounded;
  if (used_ + rounded <= size_) {
    void* place = static_cast<char*>(block_.get()) + used_;
    used_ += rounded;
    return place;
  }
  overflow_.push_back(AllocateCpu(rounded));
  return overflow_.back().get();
}

void ScratchMemory::Reset() {
  peak_ = std::max(peak_, wanted_);
  wanted_ = 0;
  used_ = 0;
  overflow_.clear();
}

void ScratchMemory::Reserve(size_t bytes) {
  if (bytes <= size_) return;
  block_.reset();
  block_ = AllocateCpu(bytes);
  size_ = bytes;
}

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

void Frame::Run(RunCall& call, const std::shared_ptr<const Plan>& plan) {
  call_ = &call;
  if (plan != plan_) Bind(plan);
  if (plan == nullptr) std::fill(made_.begin(), made_.end(), char{0});
  kept_results_.assign(call.result_memory.size(), Value());
  BindInputs();
  BindResults();
  StartStreams();
  try {
    RunSteps(plan.get());
  } catch (...) {
    // What is queued reads the caller's inputs and this frame's memory, and both go when the error is out.
    for (const auto& stream : streams_)
      if (stream != nullptr) stream->Drain();
    throw;
  }
  FinishStreams();
  CollectResults();
  for (const auto& arena : arenas_)
    if (arena != nullptr) arena->TrimCache();
  call_ = nullptr;
}

void Frame::RunSteps(const Plan* plan) {
  if (plan != nullptr) {
    for (const int s : plan->steps) RunStep(static_cast<size_t>(s));
  } else {
    for (size_t s = 0; s < contexts_.size(); ++s) RunStep(s);
  }
}

void Frame::RunStep(size_t index) {
  const Step& step = program_.steps()[index];
  if (call_->options != nullptr && call_->options->terminate.load(std::memory_order_relaxed)) [[unlikely]]
    throw Error(ORT_FAIL, "Exiting due to terminate flag being set to true.");
  Profiler* profiler = session_.profiler.get();
  const auto start = profiler == nullptr ? Profiler::Clock::time_point() : Profiler::Clock::now();
  if (step.joins_streams) WaitForStreams();
  if (step.kernel.IsCopy()) {
    RunCopy(step);
  } else if (OrtStatus* status = step.kernel.Compute(&contexts_[index])) [[unlikely]] {
    Fail(step, status);
  }
  scratch_.Reset();
  if (profiler != nullptr)
    profiler->Add("Node", (step.node->name.empty() ? step.node->op_type : step.node->name) + "_kernel_time", start,
                  Profiler::Clock::now(),
                  {{"op_name", step.node->op_type},
                   {"provider", step.node->provider},
                   {"node_index", std::to_string(step.node->id)}});
  Release(step);
}

void Frame::Release(const Step& step) {
  for (const int v : step.releases) {
    const auto value = static_cast<size_t>(v);
    if (bound_[value] == 0 && constant_slot_[value] == 0 && !program_.values()[value].shape_only)
      locals_[value].ReleaseStorage();
  }
}

/// The value that a copy reads: where the caller gave it, also when it had to be copied for nodes of the host.
const Value* Frame::SourceOf(const Step& copy) const {
  const int in = copy.inputs[0];
  if (program_.values()[static_cast<size_t>(in)].role == ProgramValue::Role::kInput) {
    const auto& inputs = program_.inputs();
    const auto index = static_cast<size_t>(std::find(inputs.begin(), inputs.end(), in) - inputs.begin());
    if (call_->inputs[index] != nullptr) return call_->inputs[index];
  }
  return slots_[static_cast<size_t>(in)];
}

/// Whether anybody reads what a copy makes: a node, the caller's buffer, or a result that was not kept on the device.
bool Frame::NeedsCopy(int output) const {
  const auto v = static_cast<size_t>(output);
  if (slots_[v] != &locals_[v]) return true;
  if (std::any_of(sites_[v].begin(), sites_[v].end(), [](const UseSite& site) { return !site.output; })) return true;
  for (size_t i = 0; i < program_.outputs().size(); ++i) {
    const bool wanted = call_->wanted.empty() || call_->wanted[i] != 0;
    const bool kept = !kept_results_.empty() && kept_results_[i].HasValue();
    if (program_.outputs()[i] == output && wanted && !kept) return true;
  }
  return false;
}

void Frame::Copy(const Value& from, Value& to, OrtSyncStream* stream) {
  const Value* source = &from;
  Value* target = &to;
  session_.env->CopyTensors(&source, &target, stream, 1);
  if (from.memory().device != to.memory().device) session_.counters.copies.fetch_add(1, std::memory_order_relaxed);
}

void Frame::RunCopy(const Step& step) {
  const auto out = static_cast<size_t>(step.outputs[0]);
  const Value* from = SourceOf(step);
  const MemoryDevice& wanted = session_.memories[program_.values()[out].memory].info.device;
  if (from->memory().device == wanted && slots_[out] == &locals_[out]) {  // the caller's value is there already
    locals_[out] = *from;
    bound_[out] = 0;
    plan_ = nullptr;
    return;
  }
  for (size_t i = 0; i < kept_results_.size(); ++i) {  // the caller wants the result where it was made
    const auto memory = static_cast<size_t>(call_->result_memory[i]);
    if (program_.outputs()[i] == step.outputs[0] && session_.memories[memory].info.device == from->memory().device)
      kept_results_[i] = *from;
  }
  if (!NeedsCopy(step.outputs[0])) return;
  Value* to = MakeOutput(step, 0, from->tensor().shape, from->tensor().rank);
  OrtSyncStream* stream = this->stream(step.stream);
  Copy(*from, *to, stream);
  if (stream != nullptr && to->memory().device.HostAccessible()) stream->WaitOnHost();
}

/// The output of the graph for which the caller gave this place: what is made there may be a value on a device.
const std::string& Frame::ResultName(const Value& place) const {
  const auto index = static_cast<size_t>(&place - call_->results.data());
  return program_.values()[static_cast<size_t>(program_.outputs()[index])].info->name;
}

Value* Frame::MakeOutput(const Step& step, size_t index, const int64_t* dims, size_t rank) {
  if (index >= step.outputs.size() || step.outputs[index] < 0) return nullptr;
  const auto v = static_cast<size_t>(step.outputs[index]);
  const ProgramValue& value = program_.values()[v];
  Value& place = *slots_[v];
  if (&place != &locals_[v]) {  // the caller's buffer
    const OrtrunTensor& given = place.tensor();
    if (given.rank != rank || !std::equal(dims, dims + rank, given.shape))
      throw Error(ORT_INVALID_ARGUMENT, Concat("output '", ResultName(place), "' has shape ", ShapeText(dims, rank),
                                               " but the buffer given for it has ", ShapeText(given.shape, given.rank),
                                               ": bind a buffer of that shape, or let the run make it"));
    return &place;
  }
  if (bound_[v] != 0) {
    if (place.tensor().rank == rank && std::equal(dims, dims + rank, place.tensor().shape)) return &place;
    bound_[v] =
        0;  // the shape depends on values and differs this time: memory of its own, the place is bound anew later
    plan_ = nullptr;
  }
  ElementType type = value.info->type.tensor.type;
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && step.kernel.IsCopy())
    type = slots_[static_cast<size_t>(step.inputs[0])]->type();
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED)
    throw Error(ORT_INVALID_GRAPH, Concat("the element type of '", value.info->name, "', made by ",
                                          step.node->Describe(), ", is not known"));
  made_[v] = 1;
  if (value.alias_of >= 0) {
    const Value& source = *slots_[static_cast<size_t>(value.alias_of)];
    const bool own = program_.values()[static_cast<size_t>(value.alias_of)].role == ProgramValue::Role::kLocal;
    if (own && source.storage() != nullptr && source.type() == type &&
        source.tensor().count == ElementCount(dims, rank)) {
      place.ShareTensor(type, dims, rank, source);
      return &place;
    }
  }
  session_.counters.heap_allocations.fetch_add(value.is_output ? 0 : 1, std::memory_order_relaxed);
  const std::shared_ptr<Arena>& arena = arenas_[value.memory];
  if (arena != nullptr && !value.is_output)
    place.AllocateTensor(type, dims, rank, arena);
  else
    place.AllocateTensor(type, dims, rank, session_.memories[value.memory].allocator);
  return &place;
}

Value* Frame::OutputSlot(const Step& step, size_t index) {
  if (index >= step.outputs.size() || step.outputs[index] < 0) return nullptr;
  const auto v = static_cast<size_t>(step.outputs[index]);
  if (bound_[v] != 0) {
    bound_[v] = 0;
    plan_ = nullptr;
  }
  return &locals_[v];
}

Value* Frame::PreallocatedOutput(const Step& step, size_t index) {
  if (index >= step.outputs.size() || step.outputs[index] < 0) return nullptr;
  const auto v = static_cast<size_t>(step.outputs[index]);
  return slots_[v] != &locals_[v] ? slots_[v] : nullptr;
}

void Frame::CollectResults() {
  const auto& outputs = program_.outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!call_->wanted.empty() && call_->wanted[i] == 0) continue;
    const auto v = static_cast<size_t>(outputs[i]);
    Value& result = call_->results[i];
    Value* made = slots_[v];
    if (made == &result) continue;
    if (!kept_results_.empty() && kept_results_[i].HasValue()) {
      Value& kept = kept_results_[i];
      if (!result.IsTensor())
        result = std::move(kept);
      else if (result.tensor().data != kept.tensor().data)
        Copy(kept, result, nullptr);
      continue;
    }
    const size_t memory = call_->result_memory.empty() ? 0 : static_cast<size_t>(call_->result_memory[i]);
    const MemoryDevice& wanted = session_.memories[memory].info.device;
    // A kernel that makes its outputs itself (control flow) leaves them in the local place.
    if (made == &locals_[v] || locals_[v].storage() != nullptr) made = &locals_[v];
    const bool own = made == &locals_[v] && program_.values()[v].role == ProgramValue::Role::kLocal;
    if (result.IsTensor()) {
      if (result.type() != made->type() || result.tensor().rank != made->tensor().rank ||
          !std::equal(result.tensor().shape, result.tensor().shape + result.tensor().rank, made->tensor().shape))
        throw Error(ORT_INVALID_ARGUMENT,
                    Concat("output '", program_.values()[v].info->name, "' is ", TypeName(made->TypeOf()), " ",
                           ShapeText(made->tensor().shape, made->tensor().rank), " but the buffer given for it is ",
                           TypeName(result.TypeOf()), " ", ShapeText(result.tensor().shape, result.tensor().rank)));
      Copy(*made, result, nullptr);
    } else if (own && std::count(outputs.begin(), outputs.end(), outputs[i]) == 1 &&
               (!made->IsTensor() || made->IsString() || made->memory().device == wanted)) {
      result = std::move(*made);
    } else if (made->IsTensor()) {
      // An input, a constant, a value named twice, or one wanted in other memory: the caller gets a tensor of its own.
      result =
          Value::Tensor(made->type(), made->tensor().shape, made->tensor().rank, session_.memories[memory].allocator);
      Copy(*made, result, nullptr);
    } else {
      result = *made;
    }
    result.OwnElements();
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

void Frame::StartStreams() {
  if (streams_.size() == program_.stream_count()) return;
  for (size_t i = 0; i < program_.stream_count(); ++i) {
    Provider& provider = *program_.stream_provider(i);
    OrtSyncStreamImpl* impl = nullptr;
    const OrtMemoryDevice device = provider.memory.device;
    if (provider.ep->CreateSyncStreamForDevice != nullptr)
      ThrowOnError(*OrtGetApiBase()->GetApi(ORT_API_VERSION),
                   provider.ep->CreateSyncStreamForDevice(provider.ep, &device, &impl));
    if (impl == nullptr && provider.factory->CreateSyncStreamForDevice != nullptr)
      ThrowOnError(*OrtGetApiBase()->GetApi(ORT_API_VERSION),
                   provider.factory->CreateSyncStreamForDevice(provider.factory, &device, nullptr, &impl));
    streams_.push_back(impl == nullptr ? nullptr : std::make_unique<OrtSyncStream>(impl, device));
  }
}

void Frame::WaitForStreams() {
  for (const auto& stream : streams_)
    if (stream != nullptr) stream->WaitOnHost();
}

void Frame::FinishStreams() {
  for (const auto& stream : streams_) {
    if (stream == nullptr) continue;
    stream->WaitOnHost();
    if (stream->impl()->OnSessionRunEnd != nullptr)
      ThrowOnError(*OrtGetApiBase()->GetApi(ORT_API_VERSION), stream->impl()->OnSessionRunEnd(stream->impl()));
  }
}

void Frame::Fail(const Step& step, OrtStatus* status) {
  const OrtApi& api = *OrtGetApiBase()->GetApi(ORT_API_VERSION);
  const OrtErrorCode code = api.GetErrorCode(status);
  const std::string text = api.GetErrorMessage(status);
  api.ReleaseStatus(status);
  throw Error(code, Concat("Non-zero status code returned while running ", step.node->op_type, " node. Name:'",
                           step.node->name, "' Status Message: ", text,
                           step.node->provider.empty() ? "" : " (provider '" + step.node->provider + "')"));
}

}  // namespace ortrun

OrtValue* OrtKernelContext::Output(size_t index, const int64_t* dims, size_t rank) {
  return frame->MakeOutput(*step, index, dims, rank);
}

OrtValue* OrtKernelContext::OutputSlot(size_t index) { return frame->OutputSlot(*step, index); }

OrtValue* OrtKernelContext::PreallocatedOutput(size_t index) { return frame->PreallocatedOutput(*step, index); }

void* OrtKernelContext::Scratch(size_t bytes) { return frame->scratch().Take(bytes); }

size_t OrtKernelContext::Concurrency() const { return frame->session().pool->size(); }

void OrtKernelContext::ParallelFor(size_t blocks, void (*fn)(void*, size_t), void* arg) const {
  frame->session().pool->ParallelFor(blocks, fn, arg);
}

const OrtLogger& OrtKernelContext::logger() const { return *frame->session().logger; }

std::shared_ptr<OrtAllocator> OrtKernelContext::AllocatorFor(const OrtMemoryInfo& memory) const {
  const ortrun::SessionState& session = frame->session();
  const int index = session.FindMemory(memory.device);
  if (index < 0)
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("no provider of this session allocates in memory '", memory.name, "'"));
  return session.memories[static_cast<size_t>(index)].allocator;
}

OrtSyncStream* OrtKernelContext::stream() const { return frame->stream(step->stream); }
