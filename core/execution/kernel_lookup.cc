// SPDX-License-Identifier: Apache-2.0
#include "core/execution/kernel_lookup.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include "core/execution/program.h"
#include "core/optimizer/match.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

/// A status that only means "no" here.
bool Dropped(OrtStatus* status) {
  if (status == nullptr) return false;
  Api().ReleaseStatus(status);
  return true;
}

/// Whether ONNX Runtime's cpu provider runs a node in a model of `model`'s opset. Of the operators that passes make and
/// that are not the standard's at that opset, it has these, in float32.
bool OnnxRuntimeHas(const Model& model, const Node& node) {
  static constexpr std::pair<std::string_view, std::string_view> kOwn[] = {
      {"", "LayerNormalization"},
      {"", "SimplifiedLayerNormalization"},
      {"com.microsoft", "FastGelu"},
      {"com.microsoft", "FusedConv"},
      {"com.microsoft", "Gelu"},
      {"com.microsoft", "QuickGelu"},
      {"com.microsoft", "SkipLayerNormalization"},
      {"com.microsoft", "SkipSimplifiedLayerNormalization"},
  };
  static constexpr std::string_view kActivations[] = {"",     "Clip",    "HardSigmoid", "LeakyRelu",
                                                      "Relu", "Sigmoid", "Tanh"};
  if (node.domain.empty()) {
    const OperatorSchema* schema = FindSchema(node.domain, node.op_type, model.Opset(node.domain));
    if (schema != nullptr && schema->standard != nullptr && schema->since_version == node.since_version) return true;
  }
  const std::pair<std::string_view, std::string_view> name(node.domain, node.op_type);
  if (std::find(std::begin(kOwn), std::end(kOwn), name) == std::end(kOwn)) return false;
  if (node.inputs.empty() || node.inputs[0] == nullptr || !node.inputs[0]->type.IsTensor() ||
      node.inputs[0]->type.tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
    return false;
  const std::string activation = node.String("activation", "");
  return std::find(std::begin(kActivations), std::end(kActivations), activation) != std::end(kActivations);
}

/// A result that always is its input's memory (Reshape and its like) is no weight of its own.
void ShareWithInputs(const Node& node, const OrtKernelDef& def, std::vector<Value>& outputs) {
  for (const auto& [in, out] : def.aliases) {
    if (in < 0 || out < 0 || static_cast<size_t>(in) >= node.inputs.size() ||
        static_cast<size_t>(out) >= outputs.size())
      continue;
    const Value* source = ConstantOf(node.inputs[static_cast<size_t>(in)]);
    Value& result = outputs[static_cast<size_t>(out)];
    if (source == nullptr || !source->IsTensor() || !result.IsTensor() || result.IsString() ||
        result.type() != source->type() || result.tensor().count != source->tensor().count)
      continue;
    const Value made = std::move(result);  // has the shape
    result = Value();
    result.ShareTensor(made.type(), made.tensor().shape, made.tensor().rank, *source);
  }
}

}  // namespace

const Provider* SessionKernels::Find(const std::string& name) const {
  for (const auto& provider : session_.providers)
    if (provider->name == name) return provider.get();
  return nullptr;
}

SessionKernels::SessionKernels(SessionState& session, const Model& model)
    : session_(session),
      model_(model),
      onnxruntime_only_(session.options.config.Get(kOnnxRuntimeOperatorsOnly, "0") == "1") {
  for (const auto& provider : session.providers)
    if (provider->registry != nullptr) providers_.push_back(provider->name);
}

bool SessionKernels::Serves(const std::string& provider, const Node& node) const {
  if (onnxruntime_only_ && !OnnxRuntimeHas(model_, node)) return false;
  const Provider* found = Find(provider);
  if (found == nullptr || found->registry == nullptr) return false;
  std::string reason;
  const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
  return found->registry->Find(node, schema, &reason) != nullptr;
}

ElementType SessionKernels::ComputeType(const std::string& provider, const Node& node, ElementType stored) const {
  const Provider* found = Find(provider);
  if (found == nullptr || found->registry == nullptr) return stored;
  return found->registry->ComputeType(node.domain, node.op_type, stored);
}

bool SessionKernels::WantsChannelsLast(const std::string& provider, const Node& node) const {
  if (onnxruntime_only_) return false;
  const Provider* found = Find(provider);
  if (found == nullptr || found->ep->GetPreferredDataLayout == nullptr) return false;
  OrtEpDataLayout layout = OrtEpDataLayout_NCHW;
  if (Dropped(found->ep->GetPreferredDataLayout(found->ep, &layout)) || layout != OrtEpDataLayout_NHWC) return false;
  if (found->ep->ort_version_supported < 23 || found->ep->ShouldConvertDataLayoutForOp == nullptr) return true;
  int convert = -1;  // negative: the provider leaves it to the host, which converts
  if (Dropped(found->ep->ShouldConvertDataLayoutForOp(found->ep, node.domain.c_str(), node.op_type.c_str(), layout,
                                                      &convert)))
    return false;
  return convert != 0;
}

std::optional<std::vector<Value>> SessionKernels::Evaluate(const Node& node) const {
  const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
  if (schema == nullptr || !node.subgraphs.empty()) return std::nullopt;
  for (const auto& provider : session_.providers) {
    if (provider->registry == nullptr || !provider->memory.device.HostAccessible()) continue;
    std::string reason;
    const OrtKernelRegistry::Entry* entry = provider->registry->Find(node, schema, &reason);
    if (entry == nullptr) continue;
    try {
      auto info = std::make_unique<KernelInfo>();
      info->node = &node;
      info->session = &session_;
      info->provider = provider.get();
      info->logger = session_.logger.get();
      info->config = &session_.options.config;
      info->allocator = provider->allocator;
      OrtKernelImpl* kernel = nullptr;
      if (Dropped(entry->create(entry->state, info.get(), &kernel)) || kernel == nullptr) continue;
      Program program(session_, node, std::move(info), StepKernel(kernel));
      std::vector<Value> results(program.outputs().size());
      RunCall call;
      call.results = results;
      program.Run(call);
      // Results are given in the order of the node's outputs, omitted ones left empty.
      std::vector<Value> outputs;
      size_t next = 0;
      for (const ValueInfo* output : node.outputs)
        outputs.push_back(output == nullptr ? Value() : std::move(results[next++]));
      ShareWithInputs(node, entry->def, outputs);
      return outputs;
    } catch (const Error& error) {
      session_.logger->Log(ORT_LOGGING_LEVEL_VERBOSE, "folding ", node.Describe(), " failed: ", error.what());
    }
  }
  return std::nullopt;
}

}  // namespace ortrun
