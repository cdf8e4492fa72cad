// SPDX-License-Identifier: Apache-2.0
#include "core/execution/program_builder.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "core/execution/frame.h"
#include "core/graph/mapped_file.h"
#include "core/providers/device_copies.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

const ValueInfo& Holder(const ValueInfo& value) {
  const ValueInfo* holder = &value;
  while (holder->outer != nullptr) holder = holder->outer;
  return *holder;
}

/// Whether some value is of a type that the model does not tell.
bool AnyOpenType(const std::vector<ValueInfo*>& values) {
  return std::any_of(values.begin(), values.end(),
                     [](const ValueInfo* value) { return value != nullptr && !value->type.IsKnown(); });
}

}  // namespace

int ProgramBuilder::AddValue(const ValueInfo& value, ProgramValue::Role role) {
  ProgramValue added;
  added.info = &value;
  added.role = role;
  program_.values_.push_back(std::move(added));
  return static_cast<int>(program_.values_.size()) - 1;
}

int ProgramBuilder::IndexOf(const ValueInfo& value, size_t memory) {
  const ValueInfo& holder = Holder(value);
  if (holder.IsConstant()) {
    const auto [place, added] = constants_.try_emplace({&holder, memory}, 0);
    if (!added) return place->second;
    place->second = AddValue(value, ProgramValue::Role::kConstant);
    ProgramValue& constant = program_.values_.back();
    constant.memory = memory;
    constant.constant = *holder.initializer;
    if (memory != 0 && constant.constant.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      const Value* from = holder.initializer.get();
      Value& moved = session_.device_constants[{from->tensor().data, memory}];
      if (!moved.HasValue() || moved.type() != from->type() || moved.tensor().count != from->tensor().count) {
        moved =
            Value::Tensor(from->type(), from->tensor().shape, from->tensor().rank, session_.memories[memory].allocator);
        Value* to = &moved;
        session_.env->CopyTensors(&from, &to, nullptr, 1);
      }
      constant.constant = Value();
      constant.constant.ShareTensor(from->type(), from->tensor().shape, from->tensor().rank, moved);
    }
    return place->second;
  }
  const auto [place, added] = locals_.try_emplace(&value, 0);
  if (!added) return place->second;
  place->second = AddValue(value, value.outer != nullptr ? ProgramValue::Role::kInput : ProgramValue::Role::kLocal);
  if (value.outer != nullptr) {
    program_.values_.back().memory = MadeIn(value, session_);
    program_.inputs_.push_back(place->second);
    program_.outer_inputs_.push_back(&value);
  }
  return place->second;
}

void ProgramBuilder::FromGraph(const Graph& graph) {
  for (const ValueInfo* input : graph.inputs()) {
    const int index = AddValue(*input, ProgramValue::Role::kInput);
    locals_.emplace(input, index);
    program_.inputs_.push_back(index);
  }
  // Outer values follow the formal inputs, so they are all listed before any step.
  for (const auto& value : graph.values())
    if (value->outer != nullptr && !Holder(*value).IsConstant()) IndexOf(*value, 0);
  for (const auto& node : graph.nodes()) AddStep(*node);
  for (const ValueInfo* output : graph.outputs()) {
    const int index = IndexOf(*output, 0);
    program_.values_[static_cast<size_t>(index)].is_output = true;
    program_.outputs_.push_back(index);
  }
  program_.reuses_memory_ = session_.options.config.Get("ortrun.enable_mem_reuse", "1") != "0";
  FindShapeOnly();
  FindLifetimes();
  if (program_.reuses_memory_) FindSharing();
  DescribeOutputs();
}

void ProgramBuilder::FromNode(const Node& node, std::unique_ptr<KernelInfo> info, StepKernel kernel) {
  Step step;
  step.node = &node;
  step.provider = info == nullptr ? nullptr : info->provider;
  step.open_types = AnyOpenType(node.inputs) || AnyOpenType(node.outputs);
  program_.infos_.push_back(std::move(info));
  for (const ValueInfo* input : node.inputs) {
    if (input != nullptr && !Holder(*input).IsConstant() && locals_.count(input) == 0) {
      const int index = AddValue(*input, ProgramValue::Role::kInput);
      locals_.emplace(input, index);
      program_.inputs_.push_back(index);
    }
    step.inputs.push_back(input == nullptr ? -1 : IndexOf(*input, 0));
  }
  step.explicit_inputs = step.inputs.size();
  for (const ValueInfo* output : node.outputs) {
    step.outputs.push_back(output == nullptr ? -1 : IndexOf(*output, 0));
    if (output == nullptr) continue;
    program_.values_.back().is_output = true;
    program_.values_.back().producer = 0;
    program_.outputs_.push_back(step.outputs.back());
  }
  step.kernel = std::move(kernel);
  program_.steps_.push_back(std::move(step));
  program_.plannable_ = false;
  FindLifetimes();
  DescribeOutputs();
}

int ProgramBuilder::StreamOf(Provider* provider) {
  if (provider == nullptr || !provider->stream_aware) return -1;
  auto& streams = program_.stream_providers_;
  const auto found = std::find(streams.begin(), streams.end(), provider);
  if (found != streams.end()) return static_cast<int>(found - streams.begin());
  streams.push_back(provider);
  return static_cast<int>(streams.size()) - 1;
}

void ProgramBuilder::AddStep(const Node& node) {
  Step step;
  step.node = &node;
  const auto owner = session_.partition.owners.find(&node);
  step.provider = owner == session_.partition.owners.end() ? nullptr : owner->second;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    step.inputs.push_back(node.inputs[i] == nullptr ? -1 : IndexOf(*node.inputs[i], session_.InputMemory(node, i)));
  step.explicit_inputs = step.inputs.size();
  for (const ValueInfo* input : node.implicit_inputs) {
    step.inputs.push_back(IndexOf(*input, 0));
    step.joins_streams |= program_.values_[static_cast<size_t>(step.inputs.back())].memory != 0;
  }
  const int number = static_cast<int>(program_.steps_.size());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    step.outputs.push_back(node.outputs[i] == nullptr ? -1 : IndexOf(*node.outputs[i], 0));
    if (step.outputs.back() < 0) continue;
    ProgramValue& value = program_.values_[static_cast<size_t>(step.outputs.back())];
    value.memory = session_.OutputMemory(node, i);
    value.producer = number;
  }
  step.open_types = node.subgraphs.empty() && (AnyOpenType(node.inputs) || AnyOpenType(node.outputs));
  if (IsDeviceCopy(node)) {
    // The stream of whichever side has one.
    const size_t to = session_.OutputMemory(node, 0);
    const size_t from = program_.values_[static_cast<size_t>(step.inputs[0])].memory;
    step.stream = StreamOf(session_.memories[to == 0 ? from : to].provider);
  } else {
    step.stream = StreamOf(step.provider);
    for (const auto& body : node.subgraphs) {
      auto& program = session_.bodies[body.second.get()];
      if (program == nullptr) program = std::make_unique<Program>(session_, *body.second);
    }
    step.kernel = MakeKernel(node, step.provider);
    PackWeights(step);
  }
  program_.steps_.push_back(std::move(step));
}

StepKernel ProgramBuilder::MakeKernel(const Node& node, Provider* provider) {
  auto info = std::make_unique<KernelInfo>();
  info->node = &node;
  info->session = &session_;
  info->provider = provider;
  info->logger = session_.logger.get();
  info->config = &session_.options.config;
  info->allocator = provider == nullptr ? session_.memories[0].allocator : provider->allocator;
  program_.infos_.push_back(std::move(info));
  const KernelInfo& kept = *program_.infos_.back();
  for (FusedGroup& group : session_.partition.fused) {
    if (group.node != &node) continue;
    OrtNodeComputeContext context{node.name, kept.allocator.get()};
    void* state = nullptr;
    if (group.compute->CreateState != nullptr)
      ThrowOnError(Api(), group.compute->CreateState(group.compute, &context, &state));
    return StepKernel(group.compute, state);
  }
  if (const auto custom = session_.partition.custom_ops.find(&node); custom != session_.partition.custom_ops.end())
    return StepKernel(CreateCustomOpKernel(*custom->second, kept));
  const auto entry = session_.partition.kernels.find(&node);
  if (entry == session_.partition.kernels.end())
    throw Error(ORT_NOT_IMPLEMENTED, Concat("no provider has a kernel for ", node.Describe()));
  OrtKernelImpl* kernel = nullptr;
  OrtStatus* status = entry->second->create(entry->second->state, &kept, &kernel);
  if (status != nullptr) {
    const std::string text = Api().GetErrorMessage(status);
    const OrtErrorCode code = Api().GetErrorCode(status);
    Api().ReleaseStatus(status);
    throw Error(code,
                Concat("provider '", node.provider, "' could not make a kernel for ", node.Describe(), ": ", text));
  }
  Require(kernel != nullptr, "provider '", node.provider, "' made no kernel for ", node.Describe());
  return StepKernel(kernel);
}

void ProgramBuilder::PackWeights(Step& step) {
  OrtKernelImpl* kernel = step.kernel.kernel();
  if (kernel == nullptr) return;
  for (size_t i = 0; i < step.explicit_inputs; ++i) {
    if (step.inputs[i] < 0) continue;
    ProgramValue& value = program_.values_[static_cast<size_t>(step.inputs[i])];
    if (value.role != ProgramValue::Role::kConstant) continue;
    if (!session_.packed_weights.Pack(*kernel, step.provider, value.constant, i, session_.memories[value.memory]))
      continue;
    const Value& original = *Holder(*value.info).initializer;
    session_.weight_uses.Drop(original);
    // Nobody reads it again: kernels have their own form, and the program drops its data.
    if (const auto range = session_.weight_uses.Disposable(original))
      ForgetPages(reinterpret_cast<const void*>(range->begin), range->end - range->begin);  // NOLINT: an address
  }
}

ShapeKnowledge ProgramBuilder::KnowledgeOf(const ValueInfo& value) const {
  if (Holder(value).IsConstant()) return {true, true};
  const auto known = knowledge_.find(&value);
  if (known != knowledge_.end()) return known->second;
  return {value.type.kind == ONNX_TYPE_TENSOR, false};  // inputs and outer values: their shapes are the plan's key
}

void ProgramBuilder::FindShapeOnly() {
  for (Step& step : program_.steps_) {
    ShapeKnowledge known;
    if (IsDeviceCopy(*step.node))
      known = {KnowledgeOf(*step.node->inputs[0]).shape, false};
    else
      known = KnowledgeOfOutputs(*step.node, [this](const ValueInfo& value) { return KnowledgeOf(value); });
    bool on_host = true;
    for (const int v : step.outputs)
      on_host = on_host && (v < 0 || program_.values_[static_cast<size_t>(v)].memory == 0);
    for (size_t i = 0; i < step.explicit_inputs; ++i)
      on_host = on_host && (step.inputs[i] < 0 || program_.values_[static_cast<size_t>(step.inputs[i])].memory == 0 ||
                            step.node->Is("Shape") || step.node->Is("Size"));
    known.value = known.value && on_host;
    step.shape_only = known.value;
    for (const ValueInfo* output : step.node->outputs)
      if (output != nullptr) knowledge_[output] = known;
    for (const int v : step.outputs)
      if (v >= 0) program_.values_[static_cast<size_t>(v)].shape_only = known.value;
  }
}

void ProgramBuilder::DescribeOutputs() {
  // A named dimension of an output is expected to be that of the first input that names one so.
  std::map<std::string, std::pair<int, size_t>> named;
  for (size_t i = 0; i < program_.inputs_.size(); ++i) {
    const TensorType& tensor = program_.values_[static_cast<size_t>(program_.inputs_[i])].info->type.tensor;
    for (size_t axis = 0; axis < tensor.symbols.size(); ++axis)
      if (!tensor.symbols[axis].empty()) named.try_emplace(tensor.symbols[axis], static_cast<int>(i), axis);
  }
  const auto& outputs = program_.outputs_;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ValueInfo& info = *program_.values_[static_cast<size_t>(outputs[i])].info;
    ProgramOutput output;
    output.info = &info;
    output.has_shape = info.type.IsTensor() && info.type.tensor.has_shape;
    for (size_t axis = 0; axis < info.type.tensor.dims.size(); ++axis) {
      ProgramOutput::Extent extent{info.type.tensor.dims[axis]};
      const auto& symbols = info.type.tensor.symbols;
      const auto input = axis < symbols.size() ? named.find(symbols[axis]) : named.end();
      if (extent.number < 0 && input != named.end()) std::tie(extent.input, extent.axis) = input->second;
      output.dims.push_back(extent);
    }
    const auto known = knowledge_.find(&info);
    output.shape_follows = known != knowledge_.end() && known->second.shape;
    output.repeats = std::find(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(i), outputs[i]) !=
                     outputs.begin() + static_cast<std::ptrdiff_t>(i);
    output.repeated = std::count(outputs.begin(), outputs.end(), outputs[i]) > 1;
    program_.output_facts_.push_back(std::move(output));
  }
}

void ProgramBuilder::FindLifetimes() {
  const int end = static_cast<int>(program_.steps_.size());
  auto& values = program_.values_;
  for (int s = 0; s < end; ++s) {
    const Step& step = program_.steps_[static_cast<size_t>(s)];
    // A copy to a device may still read its source while later steps run on the host.
    const bool later = step.kernel.IsCopy() && step.stream >= 0;
    for (const int v : step.inputs)
      if (v >= 0)
        values[static_cast<size_t>(v)].last_use = later ? end : std::max(values[static_cast<size_t>(v)].last_use, s);
  }
  for (const int v : program_.outputs_) values[static_cast<size_t>(v)].last_use = end;
  for (size_t v = 0; v < values.size(); ++v) {
    const ProgramValue& value = values[v];
    if (value.role != ProgramValue::Role::kLocal || value.last_use >= end || !program_.reuses_memory_) continue;
    const int last = std::max(value.last_use, value.producer);
    if (last >= 0) program_.steps_[static_cast<size_t>(last)].releases.push_back(static_cast<int>(v));
  }
}

void ProgramBuilder::FindSharing() {
  auto& values = program_.values_;
  for (size_t s = 0; s < program_.steps_.size(); ++s) {
    const Step& step = program_.steps_[s];
    const auto entry = session_.partition.kernels.find(step.node);
    if (entry == session_.partition.kernels.end()) continue;
    const auto local_pair = [&](const std::pair<int, int>& pair, int& in, int& out) {
      const auto [i, o] = pair;
      if (i < 0 || o < 0 || static_cast<size_t>(i) >= step.inputs.size() ||
          static_cast<size_t>(o) >= step.outputs.size())
        return false;
      in = step.inputs[static_cast<size_t>(i)];
      out = step.outputs[static_cast<size_t>(o)];
      return in >= 0 && out >= 0 && values[static_cast<size_t>(in)].role == ProgramValue::Role::kLocal &&
             !values[static_cast<size_t>(in)].shape_only && !values[static_cast<size_t>(out)].shape_only &&
             values[static_cast<size_t>(in)].memory == values[static_cast<size_t>(out)].memory;
    };
    int in = -1;
    int out = -1;
    for (const auto& [i, o] : entry->second->def.aliases) {
      if (i < 0 || o < 0 || static_cast<size_t>(i) >= step.inputs.size() ||
          static_cast<size_t>(o) >= step.outputs.size())
        continue;
      const int from = step.inputs[static_cast<size_t>(i)];
      const int to = step.outputs[static_cast<size_t>(o)];
      if (from < 0 || to < 0 || !values[static_cast<size_t>(to)].shape_only) continue;
      const ProgramValue& source = values[static_cast<size_t>(from)];
      if ((source.role == ProgramValue::Role::kConstant || source.shape_only) && source.memory == 0)
        values[static_cast<size_t>(to)].held_source = from;
    }
    for (const auto& pair : entry->second->def.aliases)
      if (local_pair(pair, in, out)) values[static_cast<size_t>(out)].alias_of = in;
    for (const auto& pair : entry->second->def.may_inplace)
      if (local_pair(pair, in, out) && values[static_cast<size_t>(out)].inplace_of < 0 &&
          values[static_cast<size_t>(in)].last_use == static_cast<int>(s))
        values[static_cast<size_t>(out)].inplace_of = in;
  }
  // What an output aliases goes to the caller too; two outputs never share memory.
  for (size_t s = program_.steps_.size(); s-- > 0;) {
    for (const int v : program_.steps_[s].outputs) {
      if (v < 0) continue;
      ProgramValue& value = values[static_cast<size_t>(v)];
      if (!value.is_output || value.alias_of < 0) continue;
      ProgramValue& source = values[static_cast<size_t>(value.alias_of)];
      if (source.is_output)
        value.alias_of = -1;
      else
        source.is_output = true;
    }
  }
}

}  // namespace ortrun
