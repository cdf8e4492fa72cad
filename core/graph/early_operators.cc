// SPDX-License-Identifier: Apache-2.0
#include "core/graph/early_operators.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <utility>

#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

template <typename T>
Value Constant(ElementType type, const std::vector<T>& elements, const std::vector<int64_t>& dims) {
  Value value = Value::CpuTensor(type, dims.data(), dims.size());
  if (!elements.empty()) std::memcpy(value.tensor().data, elements.data(), elements.size() * sizeof(T));
  return value;
}

OrtOpAttr Attribute(const std::string& name, std::vector<int64_t> numbers) {
  OrtOpAttr attribute;
  attribute.name = name;
  attribute.type = ORT_OP_ATTR_INTS;
  attribute.ints = std::move(numbers);
  return attribute;
}

/// Builds what stands for one node. Versions of the operators made are those that broadcast and take inputs.
class Replacement {
 public:
  explicit Replacement(Node& node) : node_(node), graph_(*node.graph), output_(node.outputs[0]) {}

  ValueInfo* Input(size_t index) const { return index < node_.inputs.size() ? node_.inputs[index] : nullptr; }
  const Node& node() const { return node_; }

  float Required(const std::string& name) const {
    const OrtOpAttr* found = node_.Attribute(name);
    if (found == nullptr || found->type != ORT_OP_ATTR_FLOAT) Lacks(name);
    return found->f;
  }

  [[noreturn]] void Lacks(const std::string& what) const {
    throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. In ", node_.Describe(),
                                          ": Error it needs the attribute '", what, "'"));
  }

  /// Numbers of the input's element type.
  ValueInfo* Numbers(const std::vector<float>& numbers, const std::vector<int64_t>& dims) {
    ValueInfo* constant = graph_.AddConstant(node_.name, Constant(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, numbers, dims));
    const ElementType wanted = Input(0)->type.tensor.type;
    if (wanted == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) return constant;
    OrtOpAttr to;
    to.name = "to";
    to.type = ORT_OP_ATTR_INT;
    to.i = ToOnnxType(wanted);
    return Make("Cast", 6, {constant}, {to}, TypeInfo::Tensor(wanted, dims));
  }
  ValueInfo* Number(float number) { return Numbers({number}, {}); }

  /// A value of the input's type and shape.
  ValueInfo* Like(const char* op, int version, const std::vector<ValueInfo*>& inputs) {
    return Make(op, version, inputs, {}, Input(0)->type);
  }

  ValueInfo* Make(const char* op, int version, const std::vector<ValueInfo*>& inputs,
                  const std::vector<OrtOpAttr>& attributes, TypeInfo type) {
    const OperatorSchema* schema = FindSchema("", op, std::max(version, graph_.model()->Opset("")));
    Node* made = graph_.AddNode(node_.name, op, "", schema == nullptr ? version : schema->since_version);
    made->attributes = attributes;
    made->origins = node_.origins.empty() ? std::vector<std::string>{node_.name} : node_.origins;
    for (size_t i = 0; i < inputs.size(); ++i) graph_.SetInput(made, i, inputs[i]);
    ValueInfo* value = graph_.AddValue(node_.name.empty() ? op : node_.name, std::move(type));
    graph_.SetOutput(made, 0, value);
    return value;
  }

  /// `result` takes the place of what the node made.
  void Finish(ValueInfo* result) {
    Node* last = result->producer;
    graph_.RemoveNode(&node_);
    graph_.SetOutput(last, 0, output_);
  }

 private:
  Node& node_;
  Graph& graph_;
  ValueInfo* output_;
};

ValueInfo* Affine(Replacement& made) {
  const Node& node = made.node();
  ValueInfo* product = made.Like("Mul", 7, {made.Input(0), made.Number(node.Float("alpha", 1))});
  return made.Like("Add", 7, {product, made.Number(node.Float("beta", 0))});
}

ValueInfo* Scale(Replacement& made) {
  return made.Like("Mul", 7, {made.Input(0), made.Number(made.node().Float("scale", 1))});
}

/// alpha * op(beta * x).
ValueInfo* Scaled(Replacement& made, const char* op) {
  ValueInfo* inside = made.Like("Mul", 7, {made.Input(0), made.Number(made.Required("beta"))});
  return made.Like("Mul", 7, {made.Like(op, 1, {inside}), made.Number(made.Required("alpha"))});
}
ValueInfo* ScaledTanh(Replacement& made) { return Scaled(made, "Tanh"); }
ValueInfo* ParametricSoftplus(Replacement& made) { return Scaled(made, "Softplus"); }

/// scale * x + bias, a bias a channel.
ValueInfo* ImageScaler(Replacement& made) {
  const OrtOpAttr* bias = made.node().Attribute("bias");
  if (bias == nullptr || bias->type != ORT_OP_ATTR_FLOATS) made.Lacks("bias");
  ValueInfo* product = Scale(made);
  return made.Like("Add", 7, {product, made.Numbers(bias->floats, {static_cast<int64_t>(bias->floats.size()), 1, 1})});
}

/// Cuts (left, top, right, bottom) off the last two of four dimensions; with `scale`, takes that height and width.
ValueInfo* Crop(Replacement& made) {
  const std::vector<int64_t>& border = made.node().Ints("border");
  const std::vector<int64_t>& scale = made.node().Ints("scale");
  if (border.size() != 4) made.Lacks("border' of four numbers, 'left, top, right, bottom");
  if (!scale.empty() && scale.size() != 2) made.Lacks("scale' of two numbers, 'height, width");
  const auto end = [&](size_t axis) {
    int64_t last = 0;
    if (!scale.empty()) {
      if (__builtin_add_overflow(border[1 - axis], scale[axis], &last)) return std::numeric_limits<int64_t>::max();
      return last;
    }
    const int64_t cut = border[3 - axis];
    return cut > 0 ? -cut : std::numeric_limits<int64_t>::max();
  };
  const auto numbers = [&](std::vector<int64_t> list) {
    return made.node().graph->AddConstant(
        made.node().name, Constant(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, list, {static_cast<int64_t>(list.size())}));
  };
  TypeInfo type = made.Input(0)->type;
  type.tensor = TypeInfo::Tensor(type.tensor.type).tensor;
  return made.Make("Slice", 10,
                   {made.Input(0), numbers({border[1], border[0]}), numbers({end(0), end(1)}), numbers({2, 3})}, {},
                   std::move(type));
}

ValueInfo* DynamicSlice(Replacement& made) {
  return made.Make("Slice", 10, made.node().inputs, {}, made.node().outputs[0]->type);
}

/// Over all dimensions but the channels', or over those too; the variance stays where the node says so.
ValueInfo* MeanVarianceNormalization(Replacement& made) {
  const Node& node = made.node();
  const TensorType& input = made.Input(0)->type.tensor;
  const auto rank = static_cast<int64_t>(input.has_shape ? input.dims.size() : 4);
  std::vector<int64_t> axes = node.Ints("axes");  // as the standard's form has them
  for (int64_t axis = 0; axis < rank && node.Attribute("axes") == nullptr; ++axis)
    if (axis != 1 || node.Int("across_channels", 0) != 0) axes.push_back(axis);
  if (node.Int("normalize_variance", 1) != 0)
    return made.Make("MeanVarianceNormalization", 9, {made.Input(0)}, {Attribute("axes", axes)}, made.Input(0)->type);
  // The axes are an attribute up to opset 17, and these nodes are of opset 8 at the most.
  ValueInfo* mean =
      made.Make("ReduceMean", 1, {made.Input(0)}, {Attribute("axes", axes)}, TypeInfo::Tensor(input.type));
  return made.Like("Sub", 7, {made.Input(0), mean});
}

const std::unordered_map<std::string, ValueInfo* (*)(Replacement&)>& Replacements() {
  static const auto& table = *new std::unordered_map<std::string, ValueInfo* (*)(Replacement&)>{
      {"Affine", Affine},
      {"Crop", Crop},
      {"DynamicSlice", DynamicSlice},
      {"ImageScaler", ImageScaler},
      {"MeanVarianceNormalization", MeanVarianceNormalization},
      {"ParametricSoftplus", ParametricSoftplus},
      {"Scale", Scale},
      {"ScaledTanh", ScaledTanh},
  };
  return table;
}

}  // namespace

const OperatorSchema* FindModelSchema(const std::string& domain, const std::string& op, int opset) {
  if (const OperatorSchema* schema = FindSchema(domain, op, opset)) return schema;
  // The opset that brought the operator, whose earlier form was the same.
  static constexpr std::pair<const char*, int> kEarly[] = {{"LayerNormalization", 17}, {"ThresholdedRelu", 10}};
  for (const auto& [name, first] : kEarly)
    if (domain.empty() && op == name && opset < first) return FindSchema(domain, op, first);
  return nullptr;
}

void ReplaceEarlyOperators(Graph& graph) {
  std::vector<std::pair<Node*, ValueInfo* (*)(Replacement&)>> found;
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->subgraphs) ReplaceEarlyOperators(*body.second);
    // The experimental form is of version 1 and known to nobody else.
    const auto replacement =
        node->domain.empty() && node->since_version == 1 ? Replacements().find(node->op_type) : Replacements().end();
    if (replacement != Replacements().end() && node->outputs[0] != nullptr && node->inputs[0]->type.IsKnown())
      found.emplace_back(node.get(), replacement->second);
  }
  for (const auto& [node, make] : found) {
    Replacement made(*node);
    made.Finish(make(made));
  }
  if (!found.empty()) graph.Sort();
}

}  // namespace ortrun
