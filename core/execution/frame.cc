// SPDX-License-Identifier: Apache-2.0
#include "core/execution/frame.h"

#include <algorithm>
#include <utility>

#include "core/execution/type_check.h"
#include "core/graph/run_types.h"
#include "core/providers/custom_ops.h"
#include "ortrun/error.h"

namespace ortrun {

void Frame::Run(RunCall& call, const std::shared_ptr<const Plan>& plan) {
  call_ = &call;
  ++run_;
  if (plan != plan_)
    Bind(plan);
  else
    for (const int v : displaced_) PutBack(v);
  displaced_.clear();
  kept_results_.assign(call.result_memory.size(), Value());
  BindInputs();
  BindResults();
  StartStreams();
  try {
    RunSteps();
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

void Frame::RunSteps() {
  if (plan_ != nullptr) {
    for (const int s : plan_->steps) RunStep(static_cast<size_t>(s));
    return;
  }
  const Selection* selection = call_->selection.get();
  for (size_t s = 0; s < contexts_.size(); ++s)
    if (selection == nullptr || selection->steps[s] != 0) RunStep(s);
}

void Frame::RunStep(size_t index) {
  const Step& step = program_.steps()[index];
  if (call_->options != nullptr && call_->options->terminate.load(std::memory_order_relaxed)) [[unlikely]]
    throw Error(ORT_FAIL, "Exiting due to terminate flag being set to true.");
  Profiler* profiler = session_.profiler.get();
  const auto start = profiler == nullptr ? Profiler::Clock::time_point() : Profiler::Clock::now();
  if (step.joins_streams) WaitForStreams();
  if (step.open_types) [[unlikely]]
    FindTypes(step);
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
    Slot& slot = SlotOf(v);
    // What a plan is to hold stays for Observe.
    if (slot.place == Place::kOwn && !program_.values()[static_cast<size_t>(v)].shape_only) slot.own.ReleaseStorage();
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
  return slots_[static_cast<size_t>(in)].at;
}

/// Whether anybody reads what a copy makes: a node, the caller's buffer, or a result that was not kept on the device.
bool Frame::NeedsCopy(int output) const {
  const Slot& slot = slots_[static_cast<size_t>(output)];
  if (slot.place == Place::kGiven) return true;
  if (std::any_of(slot.sites.begin(), slot.sites.end(), [](const Slot::UseSite& site) { return !site.output; }))
    return true;
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
  const int out = step.outputs[0];
  const Slot& slot = SlotOf(out);
  const Value* from = SourceOf(step);
  const MemoryDevice& wanted = session_.memories[program_.values()[static_cast<size_t>(out)].memory].info.device;
  if (from->memory().device == wanted && slot.place != Place::kGiven) {  // the caller's value is there already
    Displace(out);
    PutAt(out, const_cast<Value*>(from), Place::kInput);  // NOLINT: only read
    return;
  }
  for (size_t i = 0; i < kept_results_.size(); ++i) {  // the caller wants the result where it was made
    const auto memory = static_cast<size_t>(call_->result_memory[i]);
    if (program_.outputs()[i] == out && session_.memories[memory].info.device == from->memory().device)
      kept_results_[i] = *from;
  }
  if (!NeedsCopy(out)) return;
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

/// Where the model does not tell the types of a step's values, they may differ from run to run: the operator must take
/// those of this one, and what it makes of them is asked of its schema. Memory is never taken in a type that is only
/// declared, and kernels see together what their operator allows together.
void Frame::FindTypes(const Step& step) {
  std::vector<const Value*> inputs(step.explicit_inputs);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (step.inputs[i] >= 0) inputs[i] = SlotOf(step.inputs[i]).at;
  if (step.kernel.IsCopy()) {
    made_types_.assign(1, inputs[0]->TypeOf());
    return;
  }
  NodeOfRun run(*step.node, inputs);
  const auto custom = session_.partition.custom_ops.find(step.node);
  if (custom != session_.partition.custom_ops.end()) {
    Node& node = run.node();
    if (const std::string why = CustomOpMismatch(node, *custom->second); !why.empty())
      throw Error(ORT_INVALID_ARGUMENT, Concat(step.node->Describe(), " cannot run: ", why));
    for (ValueInfo* output : node.outputs)
      if (output != nullptr) output->type = {};
    CustomOpSchemas::InferOutputs(node, *custom->second);
    made_types_.clear();
    for (const ValueInfo* output : node.outputs) made_types_.push_back(output == nullptr ? TypeInfo() : output->type);
    return;
  }
  made_types_ = run.TypesMade();
}

ElementType Frame::ElementMade(const Step& step, size_t index) const {
  const ValueInfo& info = *program_.values()[static_cast<size_t>(step.outputs[index])].info;
  const TypeInfo& made = made_types_[index];
  const ElementType declared = info.type.tensor.type;
  const ElementType type = made.IsTensor() ? made.tensor.type : declared;
  if (declared != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED &&
      declared != type)
    throw Error(ORT_INVALID_ARGUMENT, Concat("output '", info.name, "' of ", step.node->Describe(), " is declared as ",
                                             TypeName(info.type), " but is ", TypeName(made)));
  return type;
}

Value* Frame::MakeOutput(const Step& step, size_t index, const int64_t* dims, size_t rank) {
  if (index >= step.outputs.size() || step.outputs[index] < 0) return nullptr;
  const int v = step.outputs[index];
  const ProgramValue& value = program_.values()[static_cast<size_t>(v)];
  Slot& slot = SlotOf(v);
  const ElementType type = step.open_types ? ElementMade(step, index) : value.info->type.tensor.type;
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) [[unlikely]]
    throw Error(ORT_INVALID_GRAPH, Concat("the element type of '", value.info->name, "', made by ",
                                          step.node->Describe(), ", is not known"));
  const auto fits = [&](const Value& at) {
    return at.IsTensor() && at.tensor().rank == rank && std::equal(dims, dims + rank, at.tensor().shape) &&
           at.type() == type;
  };
  if (slot.place == Place::kGiven) {
    if (slot.at->type() != type)
      throw Error(ORT_INVALID_ARGUMENT,
                  Concat("output '", ResultName(*slot.at), "' is ", TypeName(TypeInfo::Tensor(type)),
                         " but the buffer given for it is ", TypeName(slot.at->TypeOf()),
                         ": bind a buffer of that type, or let the run make it"));
    if (!fits(*slot.at))
      throw Error(ORT_INVALID_ARGUMENT, Concat("output '", ResultName(*slot.at), "' has shape ", ShapeText(dims, rank),
                                               " but the buffer given for it has ",
                                               ShapeText(slot.at->tensor().shape, slot.at->tensor().rank),
                                               ": bind a buffer of that shape, or let the run make it"));
    return slot.at;
  }
  if (slot.place == Place::kPlanned && fits(slot.own)) return &slot.own;
  if (slot.place == Place::kOwn && slot.made_in == run_ && fits(slot.own)) return &slot.own;
  // A shape that depends on values and differs this time: memory of its own, the place is bound anew before the next.
  if (slot.place != Place::kOwn) Displace(v);
  slot.made_in = run_;
  if (value.alias_of >= 0) {
    const Slot& source = SlotOf(value.alias_of);
    if (source.place == Place::kOwn && source.own.storage() != nullptr && source.own.type() == type &&
        source.own.tensor().count == ElementCount(dims, rank)) {
      slot.own.ShareTensor(type, dims, rank, source.own);
      return &slot.own;
    }
  }
  session_.counters.heap_allocations.fetch_add(value.is_output ? 0 : 1, std::memory_order_relaxed);
  const std::shared_ptr<Arena>& arena = arenas_[value.memory];
  if (arena != nullptr && !value.is_output)
    slot.own.AllocateTensor(type, dims, rank, arena);
  else
    slot.own.AllocateTensor(type, dims, rank, session_.memories[value.memory].allocator);
  return &slot.own;
}

void Frame::SetOutput(const Step& step, size_t index, Value value) {
  if (index >= step.outputs.size() || step.outputs[index] < 0) return;
  const int v = step.outputs[index];
  const ValueInfo& info = *program_.values()[static_cast<size_t>(v)].info;
  if (!FitsType(info.type, value))
    throw Error(ORT_INVALID_ARGUMENT, Concat("output '", info.name, "' of ", step.node->Describe(), " is declared as ",
                                             TypeName(info.type), " but is ", TypeFound(info.type, value)));
  Slot& slot = SlotOf(v);
  Displace(v);
  slot.own = std::move(value);
  PutAt(v, &slot.own, Place::kOwn);
}

Value* Frame::PreallocatedOutput(const Step& step, size_t index) {
  if (index >= step.outputs.size() || step.outputs[index] < 0) return nullptr;
  const Slot& slot = SlotOf(step.outputs[index]);
  return slot.place == Place::kGiven ? slot.at : nullptr;
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
