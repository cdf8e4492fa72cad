// SPDX-License-Identifier: Apache-2.0
#include "core/execution/frame.h"

#include <algorithm>
#include <cstring>

#include "core/providers/device_copies.h"
#include "ortrun/error.h"

namespace ortrun {

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
