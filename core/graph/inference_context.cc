// SPDX-License-Identifier: Apache-2.0
#include "core/graph/inference_context.h"

#include <algorithm>
#include <utility>

#include "core/graph/onnx_writer.h"
#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// Elements of a constant that inference is shown: targets of Reshape, sizes of Resize and the like are shorter.
constexpr size_t kMostData = 1024;
/// Elements of a tensor that stands for a shape. No declared size leads to more work than this.
constexpr int64_t kMostElements = 64;

[[noreturn]] void NoSuch(const char* what, size_t index) {
  throw onnx::InferenceError(Concat("[ShapeInferenceError] the node has no ", what, " ", index));
}

/// A body's inference as onnx's functions for control flow ask for it.
class BodyInference final : public onnx::GraphInferencer {
 public:
  BodyInference(Graph& body, KnownValues& known, const InferBody& infer) : body_(body), known_(known), infer_(infer) {}

  std::vector<const onnx::TypeProto*> doInferencing(const std::vector<const onnx::TypeProto*>& inputs,
                                                    const std::vector<const onnx::TensorProto*>&) override {
    infer_(body_, inputs);
    results_.clear();
    for (const ValueInfo* output : body_.outputs()) {
      const onnx::TypeProto* type = known_.Type(*output);
      results_.push_back(type == nullptr ? onnx::TypeProto() : *type);
    }
    std::vector<const onnx::TypeProto*> types;
    for (const onnx::TypeProto& result : results_) types.push_back(&result);
    return types;
  }

 private:
  Graph& body_;
  KnownValues& known_;
  const InferBody& infer_;
  std::vector<onnx::TypeProto> results_;
};

/// The numbers of a constant of rank 0 or 1, or nothing.
bool ReadElements(const Value& constant, onnx::TensorShapeProto& elements) {
  const OrtrunTensor& tensor = constant.tensor();
  if (tensor.rank > 1 || tensor.count > static_cast<size_t>(kMostElements)) return false;
  for (size_t i = 0; i < tensor.count; ++i) {
    if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64)
      elements.add_dim()->set_dim_value(static_cast<const int64_t*>(tensor.data)[i]);
    else if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32)
      elements.add_dim()->set_dim_value(static_cast<const int32_t*>(tensor.data)[i]);
    else
      return false;
  }
  return true;
}

bool HoldsData(const Value& value) {
  return value.IsTensor() && (value.tensor().data != nullptr || value.tensor().count == 0);
}

}  // namespace

const ValueInfo& SourceOf(const ValueInfo& value) {
  const ValueInfo* source = &value;
  while (source->outer != nullptr) source = source->outer;
  return *source;
}

const onnx::TypeProto* KnownValues::Type(const ValueInfo& value) {
  const ValueInfo& source = SourceOf(value);
  if (!source.type.IsKnown()) return nullptr;
  const auto [place, added] = types_.try_emplace(&source);
  if (added) FillType(source.type, place->second);
  return &place->second;
}

const onnx::TensorProto* KnownValues::Data(const ValueInfo& value) {
  const ValueInfo& source = SourceOf(value);
  if (!source.IsConstant() || !HoldsData(*source.initializer)) return nullptr;
  const Value& constant = *source.initializer;
  if (constant.IsString() || constant.tensor().count > kMostData) return nullptr;
  const auto [place, added] = data_.try_emplace(&source);
  if (added) FillTensor(constant, source.name, place->second);
  return &place->second;
}

const onnx::TensorShapeProto* KnownValues::Elements(const ValueInfo& value) const {
  const auto found = elements_.find(&SourceOf(value));
  return found == elements_.end() ? nullptr : &found->second;
}

void KnownValues::SetElements(const ValueInfo& value, onnx::TensorShapeProto elements) {
  if (elements.dim_size() <= kMostElements) elements_[&value] = std::move(elements);
}

const onnx::AttributeProto* NodeAttributes::Find(const std::string& name) const {
  const OrtOpAttr* attribute = node_.Attribute(name);
  if (attribute == nullptr) return nullptr;
  const auto [place, added] = made_.try_emplace(name);
  if (!added) return &place->second;
  onnx::AttributeProto& proto = place->second;
  if (attribute->type == ORT_OP_ATTR_GRAPH) {
    proto.set_name(name);
    proto.set_type(onnx::AttributeProto::GRAPH);
  } else if (attribute->type == ORT_OP_ATTR_TENSOR && attribute->tensor != nullptr &&
             (attribute->tensor->tensor().count > kMostData || !HoldsData(*attribute->tensor))) {
    // Its type and shape are all that inference needs of a large one.
    proto.set_name(name);
    proto.set_type(onnx::AttributeProto::TENSOR);
    const OrtrunTensor& tensor = attribute->tensor->tensor();
    proto.mutable_t()->set_data_type(ToOnnxType(tensor.type));
    for (size_t i = 0; i < tensor.rank; ++i) proto.mutable_t()->add_dims(tensor.shape[i]);
  } else {
    FillAttribute(*attribute, proto);
  }
  return &proto;
}

NodeInference::NodeInference(const Node& node, KnownValues& known, InferBody infer_body)
    : node_(node),
      known_(known),
      infer_body_(std::move(infer_body)),
      attributes_(node),
      outputs_(node.outputs.size()) {}

const onnx::TypeProto* NodeInference::getInputType(size_t index) const {
  if (index >= node_.inputs.size()) NoSuch("input", index);
  const ValueInfo* input = InputAt(index);
  return input == nullptr ? nullptr : known_.Type(*input);
}

const onnx::TensorProto* NodeInference::getInputData(size_t index) const {
  const ValueInfo* input = InputAt(index);
  return input == nullptr ? nullptr : known_.Data(*input);
}

const onnx::TensorShapeProto* NodeInference::getSymbolicInput(size_t index) const {
  const ValueInfo* input = InputAt(index);
  return input == nullptr ? nullptr : known_.Elements(*input);
}

onnx::TypeProto* NodeInference::getOutputType(size_t index) {
  if (index >= outputs_.size()) NoSuch("output", index);
  return &outputs_[index];
}

onnx::GraphInferencer* NodeInference::getGraphAttributeInferencer(const std::string& name) {
  const auto body = std::find_if(node_.subgraphs.begin(), node_.subgraphs.end(),
                                 [&](const auto& held) { return held.first == name; });
  if (body == node_.subgraphs.end())
    throw onnx::InferenceError(Concat("[TypeInferenceError] attribute '", name, "' is no graph"));
  auto& inference = bodies_[name];
  if (inference == nullptr) inference = std::make_unique<BodyInference>(*body->second, known_, infer_body_);
  return inference.get();
}

const onnx::TypeProto* NodePropagation::getInputType(size_t index) const {
  if (index >= node_.inputs.size()) NoSuch("input", index);
  return node_.inputs[index] == nullptr ? nullptr : known_.Type(*node_.inputs[index]);
}

const onnx::TypeProto* NodePropagation::getOutputType(size_t index) const {
  if (index >= node_.outputs.size()) NoSuch("output", index);
  return node_.outputs[index] == nullptr ? nullptr : known_.Type(*node_.outputs[index]);
}

const onnx::TensorShapeProto* NodePropagation::getInputData(size_t index) {
  if (index >= node_.inputs.size()) NoSuch("input", index);
  if (node_.inputs[index] == nullptr) return nullptr;
  const ValueInfo& input = SourceOf(*node_.inputs[index]);
  if (const onnx::TensorShapeProto* elements = known_.Elements(input)) return elements;
  if (const auto known = made_.find(index); known != made_.end()) return &known->second;
  onnx::TensorShapeProto elements;
  if (input.IsConstant()) {
    if (!HoldsData(*input.initializer) || !ReadElements(*input.initializer, elements)) return nullptr;
  } else {
    // A vector of a known length, of whose elements nothing is known.
    const TensorType& tensor = input.type.tensor;
    if (!input.type.IsTensor() || !tensor.has_shape || tensor.dims.size() != 1) return nullptr;
    if (tensor.dims[0] < 0 || tensor.dims[0] > kMostElements) return nullptr;
    for (int64_t i = 0; i < tensor.dims[0]; ++i) elements.add_dim();
  }
  return &made_.emplace(index, std::move(elements)).first->second;
}

void NodePropagation::addOutputData(size_t index, onnx::TensorShapeProto&& elements) {
  if (index >= node_.outputs.size()) NoSuch("output", index);
  if (node_.outputs[index] != nullptr) known_.SetElements(*node_.outputs[index], std::move(elements));
}

}  // namespace ortrun
