// SPDX-License-Identifier: Apache-2.0
#include "core/graph/model_converter.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/base/nearest.h"
#include "core/graph/early_operators.h"
#include "core/graph/pinned_domain.h"
#include "core/graph/type_merge.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

[[noreturn]] void Invalid(const std::string& what) {
  throw Error(ORT_FAIL, "This is an invalid model. Error: " + what);
}

/// The domain that a name stands for: one that is pinned to an opset is that domain.
std::string Domain(const std::string& domain) {
  if (const auto pinned = PinnedDomain::Parse(domain)) return pinned->domain;
  return domain == "ai.onnx" ? "" : domain;
}

/// An empty Optional's attribute says what it holds, which its output's type says from here on.
void DeclareHeld(const Node& node, const onnx::TypeProto& held) {
  if (!node.Is("Optional") || node.outputs.empty() || node.outputs[0] == nullptr) return;
  TypeInfo type;
  type.kind = ONNX_TYPE_OPTIONAL;
  type.optional = std::make_shared<OrtOptionalTypeInfo>(OrtOptionalTypeInfo{ReadType(held)});
  ValueInfo& output = *node.outputs[0];
  if (!MergeType(type, output.type))
    Invalid(Concat(node.Describe(), " makes ", TypeName(type), " but '", output.name, "' is declared as ",
                   TypeName(output.type)));
}

template <typename T>
Value Vector(ElementType type, const T* data, size_t count, bool scalar) {
  const auto dim = static_cast<int64_t>(count);
  Value value = Value::CpuTensor(type, &dim, scalar ? 0 : 1);
  if (count != 0) std::memcpy(value.tensor().data, data, count * sizeof(T));
  return value;
}

Value Strings(const std::vector<std::string>& texts, bool scalar) {
  const auto dim = static_cast<int64_t>(texts.size());
  Value value = Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &dim, scalar ? 0 : 1);
  std::copy(texts.begin(), texts.end(), value.strings());
  return value;
}

std::string Describe(ElementType type, const int64_t* shape, size_t rank) {
  return Concat(TypeName(TypeInfo::Tensor(type)), " ", ShapeText(shape, rank));
}

std::string Describe(const Value& value) { return Describe(value.type(), value.tensor().shape, value.tensor().rank); }

/// What a caller puts in an initialiser's place must be like it: the graph's types were found with the model's own.
template <typename Dims>
void CheckGiven(const std::string& name, ElementType type, const Dims& own, const Value& given) {
  const std::vector<int64_t> dims(own.begin(), own.end());
  const OrtrunTensor& tensor = given.tensor();
  if (!given.IsTensor() || tensor.type != type ||
      !std::equal(dims.begin(), dims.end(), tensor.shape, tensor.shape + tensor.rank))
    throw Error(ORT_INVALID_ARGUMENT, Concat("the initializer given for '", name, "' is ", Describe(given),
                                             " but the model's is ", Describe(type, dims.data(), dims.size())));
}

/// Two initialisers of one name must be of one type and shape: readers were made for either.
void TakeLater(const std::string& name, const Value& former, const Value& later) {
  const OrtrunTensor& a = former.tensor();
  const OrtrunTensor& b = later.tensor();
  if (a.type != b.type || !std::equal(a.shape, a.shape + a.rank, b.shape, b.shape + b.rank))
    throw Error(ORT_FAIL, Concat("Type Error: Data in initializer '", name, "' is ", Describe(later),
                                 " but another initializer of that name is ", Describe(former)));
}

bool IsConstant(const onnx::NodeProto& node) { return node.op_type() == "Constant" && Domain(node.domain()).empty(); }

/// The attribute that holds a Constant's value, the first one where it has several, or nullptr. Others are notes.
const onnx::AttributeProto* ValueOf(const onnx::NodeProto& constant) {
  using Proto = onnx::AttributeProto;
  static constexpr std::pair<const char*, Proto::AttributeType> kForms[] = {
      {"value", Proto::TENSOR},        {"sparse_value", Proto::SPARSE_TENSOR}, {"value_int", Proto::INT},
      {"value_ints", Proto::INTS},     {"value_float", Proto::FLOAT},          {"value_floats", Proto::FLOATS},
      {"value_string", Proto::STRING}, {"value_strings", Proto::STRINGS}};
  for (const auto& attribute : constant.attribute())
    for (const auto& [name, type] : kForms)
      if (attribute.name() == name && attribute.type() == type) return &attribute;
  return nullptr;
}

std::vector<std::string> Names(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& value : graph.values())
    if (value->is_input || value->initializer != nullptr || value->expected) names.push_back(value->name);
  return names;
}

}  // namespace

void ModelConverter::Convert(const onnx::ModelProto& proto) {
  model_.ir_version = proto.ir_version();
  for (const auto& opset : proto.opset_import())
    if (!PinnedDomain::Parse(opset.domain())) model_.opsets[Domain(opset.domain())] = static_cast<int>(opset.version());
  model_.producer = proto.producer_name();
  model_.producer_version = proto.producer_version();
  model_.domain = proto.domain();
  model_.version = proto.model_version();
  model_.description = proto.doc_string();
  for (const auto& entry : proto.metadata_props()) model_.metadata[entry.key()] = entry.value();
  model_.graph = std::make_unique<Graph>(&model_, nullptr);
  ConvertGraph(proto.graph(), *model_.graph, 0);
  CheckAllUsed();
}

void ModelConverter::ConvertGraph(const onnx::GraphProto& proto, Graph& graph, int depth) {
  const int outer_depth = std::exchange(depth_, depth);
  graph.name = proto.name();
  graph.description = proto.doc_string();
  for (const auto& value : proto.value_info()) graph.FindOrAdd(value.name())->type = ReadType(value.type());
  for (const auto& input : proto.input()) {
    ValueInfo* value = graph.FindOrAdd(input.name());
    if (value->is_input) Invalid(Concat("two inputs of graph '", graph.name, "' are named '", input.name(), "'"));
    value->type = ReadType(input.type());
    graph.AddInput(value);
  }
  // Where the caller gives the value, the model's own is not looked at: its file need not exist.
  for (const auto& tensor : proto.initializer()) {
    const auto given = Given(tensor.name(), graph);
    if (given != nullptr) CheckGiven(tensor.name(), FromOnnxType(tensor.data_type()), tensor.dims(), *given);
    AddInitializer(tensor.name(), given ? TensorReader::Result{given, nullptr} : tensors_.Read(tensor, tensor.name()),
                   graph);
  }
  for (const auto& tensor : proto.sparse_initializer()) {
    const std::string& name = tensor.values().name();
    const auto given = Given(name, graph);
    if (given != nullptr) CheckGiven(name, FromOnnxType(tensor.values().data_type()), tensor.dims(), *given);
    AddInitializer(name, {given ? given : tensors_.ReadSparse(tensor, name), nullptr}, graph);
  }
  // Old models list every initialiser as an input; none of them can be overridden there.
  if (model_.ir_version < 4) {
    std::vector<ValueInfo*> real;
    for (ValueInfo* input : graph.inputs())
      if (input->initializer == nullptr) real.push_back(input);
    graph.SetInputs(real);
  }
  ExpectOutputs(proto, graph);
  for (const auto& node : proto.node()) AddNode(node, graph);
  for (const auto& output : proto.output()) AddOutput(output, graph);
  graph.Sort();
  depth_ = outer_depth;
}

void ModelConverter::AddInitializer(const std::string& name, TensorReader::Result tensor, Graph& graph) {
  ValueInfo* value = graph.FindOrAdd(name);
  if (value->initializer != nullptr) {
    TakeLater(name, *value->initializer, *tensor.value);
    if (value->initializer != tensor.value)
      WarnOnce("the model names initializers twice, the later one is taken", "'", name, "' of graph '", graph.name,
               "'");
  }
  if (!value->is_input || value->type.kind == ONNX_TYPE_UNKNOWN) value->type = tensor.value->TypeOf();
  value->initializer = std::move(tensor.value);
  value->external = std::move(tensor.external);
}

/// Outputs of all nodes are known before any node is linked: order is checked by sorting, not by position. Only a
/// Constant may make what a Constant or an initialiser is named already.
void ModelConverter::ExpectOutputs(const onnx::GraphProto& proto, Graph& graph) {
  std::unordered_map<std::string, bool> made;  // by a Constant?
  for (const auto& node : proto.node()) {
    const bool constant = IsConstant(node);
    for (const auto& output : node.output()) {
      if (output.empty()) continue;
      ValueInfo* value = graph.FindOrAdd(output);
      const auto [former, added] = made.try_emplace(output, constant);
      const bool again = !added || value->is_input || value->initializer != nullptr;
      if (again && !(constant && former->second))
        Invalid(Concat("the value '", output, "' is made more than once; node '", node.name(), "' (", node.op_type(),
                       ") makes it again"));
      if (again)
        WarnOnce("the model names constants twice, the later one is taken", "'", output, "' of graph '", graph.name,
                 "'");
      value->expected = true;
    }
  }
}

void ModelConverter::AddOutput(const onnx::ValueInfoProto& proto, Graph& graph) {
  ValueInfo* value = graph.FindOrAdd(proto.name());
  if (value->producer == nullptr && !value->is_input && value->initializer == nullptr) {
    // A body may hand a value of an outer graph through.
    Node* parent = graph.parent();
    if (parent == nullptr || Resolve(proto.name(), graph, *parent) == nullptr)
      Invalid(Concat("the graph's output '", proto.name(), "' is made by no node"));
  }
  // What a node makes is compared with the declaration when types are inferred.
  if (value->producer != nullptr || value->type.kind == ONNX_TYPE_UNKNOWN) {
    const TypeInfo declared = ReadType(proto.type());
    if (!MergeType(declared, value->type))
      Invalid(Concat("the value '", proto.name(), "' is declared as ", TypeName(value->type), " and, as an output, as ",
                     TypeName(declared)));
  }
  graph.AddOutput(value);
}

std::shared_ptr<const Value> ModelConverter::Given(const std::string& name, const Graph& graph) {
  const auto given = options_.initializers.find(name);
  if (graph.parent() != nullptr || given == options_.initializers.end()) return nullptr;
  used_.insert(name);
  return given->second;
}

void ModelConverter::CheckAllUsed() const {
  for (const auto& [name, given] : options_.initializers) {
    if (used_.count(name) != 0) continue;
    const std::string what =
        Concat("Failed to find existing initializer with name ", name,
               ": a value was given for it, but the model has none.", DidYouMean(name, Names(*model_.graph)));
    if (options_.demanded_initializers.count(name) != 0) throw Error(ORT_FAIL, what);
    if (options_.logger != nullptr) options_.logger->Warning(what);
  }
}

ValueInfo* ModelConverter::Resolve(const std::string& name, Graph& graph, const Node& reader) {
  ValueInfo* value = graph.Find(name);
  if (value != nullptr && (value->is_input || value->initializer != nullptr || value->outer != nullptr ||
                           value->producer != nullptr || value->expected))
    return value;
  if (Node* parent = graph.parent()) {
    if (ValueInfo* outer = Resolve(name, *parent->graph, reader)) {
      value = graph.FindOrAdd(name);
      value->outer = outer;
      value->type = outer->type;
      parent->graph->AddImplicitInput(parent, outer);
      return value;
    }
  }
  return nullptr;
}

void ModelConverter::AddNode(const onnx::NodeProto& proto, Graph& graph) {
  const std::optional<PinnedDomain> pinned = PinnedDomain::Parse(proto.domain());
  const std::string domain = Domain(proto.domain());
  if (IsConstant(proto)) {
    AddConstant(proto, graph);
    return;
  }
  Node* node = graph.AddNode(proto.name(), proto.op_type(), domain, 0);
  node->since_version = SinceVersion(*node, pinned ? pinned->opset : model_.Opset(domain));
  for (int i = 0; i < proto.input_size(); ++i) {
    if (proto.input(i).empty()) {
      graph.SetInput(node, static_cast<size_t>(i), nullptr);
      continue;
    }
    ValueInfo* value = Resolve(proto.input(i), graph, *node);
    if (value == nullptr)
      throw Error(ORT_INVALID_ARGUMENT,
                  Concat("Invalid model. Node input '", proto.input(i),
                         "' is not a graph input, initializer, or output "
                         "of a previous node; ",
                         node->Describe(), " reads it.", DidYouMean(proto.input(i), Names(graph))));
    graph.SetInput(node, static_cast<size_t>(i), value);
  }
  for (int i = 0; i < proto.output_size(); ++i)
    graph.SetOutput(node, static_cast<size_t>(i), proto.output(i).empty() ? nullptr : graph.FindOrAdd(proto.output(i)));
  for (const auto& attribute : proto.attribute()) AddAttribute(attribute, *node, depth_);
}

void ModelConverter::AddConstant(const onnx::NodeProto& proto, Graph& graph) {
  const onnx::AttributeProto* holder = ValueOf(proto);
  if (proto.output_size() != 1 || holder == nullptr)
    Invalid(Concat("Constant node '", proto.name(), "' must have one output and an attribute with its value, it has ",
                   proto.output_size(), " outputs and ", holder == nullptr ? "no" : "an",
                   " attribute that is a value"));
  const onnx::AttributeProto& attribute = *holder;
  if (proto.attribute_size() > 1)
    WarnOnce("the model has Constant nodes with attributes beside the value, which are passed over", "node '",
             proto.name(), "' that makes '", proto.output(0), "'");
  ValueInfo* value = graph.FindOrAdd(proto.output(0));
  value->external = nullptr;
  std::shared_ptr<const Value> tensor;
  const std::string& kind = attribute.name();
  if (kind == "value") {
    TensorReader::Result read = tensors_.Read(attribute.t(), proto.output(0));
    tensor = std::move(read.value);
    value->external = std::move(read.external);
  } else if (kind == "sparse_value") {
    tensor = tensors_.ReadSparse(attribute.sparse_tensor(), proto.output(0));
  } else if (kind == "value_int") {
    const int64_t number = attribute.i();
    tensor = std::make_shared<Value>(Vector(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &number, 1, true));
  } else if (kind == "value_float") {
    const float number = attribute.f();
    tensor = std::make_shared<Value>(Vector(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &number, 1, true));
  } else if (kind == "value_string") {
    tensor = std::make_shared<Value>(Strings({attribute.s()}, true));
  } else if (kind == "value_ints") {
    const std::vector<int64_t> numbers(attribute.ints().begin(), attribute.ints().end());
    tensor =
        std::make_shared<Value>(Vector(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, numbers.data(), numbers.size(), false));
  } else if (kind == "value_floats") {
    const std::vector<float> numbers(attribute.floats().begin(), attribute.floats().end());
    tensor =
        std::make_shared<Value>(Vector(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, numbers.data(), numbers.size(), false));
  } else {
    tensor = std::make_shared<Value>(Strings({attribute.strings().begin(), attribute.strings().end()}, false));
  }
  if (auto given = Given(proto.output(0), graph)) {
    const OrtrunTensor& own = tensor->tensor();
    CheckGiven(proto.output(0), own.type, std::span(own.shape, own.rank), *given);
    tensor = std::move(given);
    value->external = nullptr;
  }
  value->type = tensor->TypeOf();
  value->initializer = std::move(tensor);
}

void ModelConverter::AddAttribute(const onnx::AttributeProto& proto, Node& node, int depth) {
  if (!proto.ref_attr_name().empty())
    Invalid(Concat(node.Describe(), ": attribute '", proto.name(), "' refers to the attribute '", proto.ref_attr_name(),
                   "' of a function, but the node stands in none"));
  if (node.Attribute(proto.name()) != nullptr)
    Invalid(Concat(node.Describe(), " has two attributes '", proto.name(), "'"));
  OrtOpAttr attribute;
  attribute.name = proto.name();
  switch (proto.type()) {
    case onnx::AttributeProto::INT:
      attribute.type = ORT_OP_ATTR_INT;
      attribute.i = proto.i();
      break;
    case onnx::AttributeProto::FLOAT:
      attribute.type = ORT_OP_ATTR_FLOAT;
      attribute.f = proto.f();
      break;
    case onnx::AttributeProto::STRING:
      attribute.type = ORT_OP_ATTR_STRING;
      attribute.s = proto.s();
      break;
    case onnx::AttributeProto::INTS:
      attribute.type = ORT_OP_ATTR_INTS;
      attribute.ints.assign(proto.ints().begin(), proto.ints().end());
      break;
    case onnx::AttributeProto::FLOATS:
      attribute.type = ORT_OP_ATTR_FLOATS;
      attribute.floats.assign(proto.floats().begin(), proto.floats().end());
      break;
    case onnx::AttributeProto::STRINGS:
      attribute.type = ORT_OP_ATTR_STRINGS;
      attribute.strings.assign(proto.strings().begin(), proto.strings().end());
      break;
    case onnx::AttributeProto::TENSOR:
      attribute.type = ORT_OP_ATTR_TENSOR;
      attribute.tensor = tensors_.Read(proto.t(), node.name + "." + proto.name()).value;
      break;
    case onnx::AttributeProto::SPARSE_TENSOR:
      attribute.type = ORT_OP_ATTR_TENSOR;
      attribute.tensor = tensors_.ReadSparse(proto.sparse_tensor(), node.name + "." + proto.name());
      break;
    case onnx::AttributeProto::GRAPH: {
      attribute.type = ORT_OP_ATTR_GRAPH;
      node.subgraphs.emplace_back(proto.name(), std::make_unique<Graph>(&model_, &node));
      ConvertGraph(proto.g(), *node.subgraphs.back().second, depth + 1);
      break;
    }
    case onnx::AttributeProto::TYPE_PROTO:
      DeclareHeld(node, proto.tp());
      return;
    default:
      Invalid(Concat(node.Describe(), ": attribute '", proto.name(), "' is of a kind (", static_cast<int>(proto.type()),
                     ") that no operator takes"));
  }
  node.attributes.push_back(std::move(attribute));
}

int ModelConverter::SinceVersion(const Node& node, int opset) const {
  const auto custom = options_.custom_schema ? options_.custom_schema(node.domain, node.op_type, opset) : nullptr;
  if (custom != nullptr) return custom->since_version;
  // A domain that is not imported is taken at its first version, as exporters of contrib operators expect.
  if (const OperatorSchema* schema = FindModelSchema(node.domain, node.op_type, opset == 0 ? 1 : opset))
    return schema->since_version;
  return opset == 0 ? 1 : opset;
}

}  // namespace ortrun
