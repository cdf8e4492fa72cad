// SPDX-License-Identifier: Apache-2.0
// SequenceMap by its definition in the standard: a Loop over the first sequence whose body takes the tensors of one
// position out of the sequences, does what the map's body does, and appends what that gives to the results.
#include <algorithm>
#include <memory>
#include <utility>

#include "core/graph/schema.h"
#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

TypeInfo SequenceOf(ElementType element) {
  auto sequence = std::make_shared<OrtSequenceTypeInfo>();
  sequence->element = TypeInfo::Tensor(element);
  sequence->element.tensor.has_shape = false;
  TypeInfo type;
  type.kind = ONNX_TYPE_SEQUENCE;
  type.sequence = std::move(sequence);
  return type;
}

class SequenceMapToLoop {
 public:
  explicit SequenceMapToLoop(Node& node)
      : node_(node),
        graph_(*node.graph),
        body_(*node.subgraphs.front().second),
        origins_(node.origins.empty() ? std::vector<std::string>{node.name} : node.origins) {}

  bool Run() {
    for (const ValueInfo* output : body_.outputs())
      if (!output->type.IsTensor() || !output->type.IsKnown()) return false;
    const std::vector<ValueInfo*> mapped = node_.inputs;
    const std::vector<ValueInfo*> elements = body_.inputs();
    const std::vector<ValueInfo*> results = body_.outputs();
    if (mapped.empty() || mapped[0] == nullptr || mapped[0]->type.kind != ONNX_TYPE_SEQUENCE ||
        mapped.size() != elements.size() || node_.outputs.size() > results.size())
      throw Error(ORT_INVALID_GRAPH,
                  Concat(node_.Describe(), " maps ", mapped.size(),
                         " inputs, the first of which must be a sequence, to ", node_.outputs.size(),
                         " outputs; its body has ", elements.size(), " inputs and ", results.size(), " outputs"));
    for (size_t i = 0; i < mapped.size(); ++i) graph_.SetInput(&node_, i, nullptr);
    node_.inputs.clear();
    ValueInfo* length = graph_.AddValue("length", TypeInfo::Tensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {}));
    Connect(graph_, "SequenceLength", {mapped[0]}, length);
    graph_.SetInput(&node_, 0, length);
    graph_.SetInput(&node_, 1, nullptr);

    ValueInfo* position = body_.AddValue("position", TypeInfo::Tensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {}));
    ValueInfo* going = body_.AddValue("going", TypeInfo::Tensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, {}));
    ValueInfo* goes_on = body_.AddValue("goes_on", going->type);
    std::vector<ValueInfo*> inputs{position, going};
    std::vector<ValueInfo*> outputs{goes_on};
    body_.SetInputs({});
    for (size_t i = 0; i < mapped.size(); ++i) TakeElement(*mapped[i], *elements[i], *position);
    Connect(body_, "Identity", {going}, goes_on);
    for (size_t i = 0; i < results.size(); ++i) Append(i, *results[i], inputs, outputs);
    body_.SetInputs(inputs);
    body_.SetOutputs(outputs);
    body_.Sort();

    node_.op_type = "Loop";
    node_.since_version = SinceVersion("Loop");
    node_.origins = origins_;
    return true;
  }

 private:
  int SinceVersion(const char* op) const {
    const OperatorSchema* schema = FindSchema("", op, graph_.model()->Opset(""));
    Require(schema != nullptr, node_.Describe(), " needs ", op, ", which the model's opset lacks");
    return schema->since_version;
  }

  Node* Connect(Graph& graph, const char* op, const std::vector<ValueInfo*>& inputs, ValueInfo* output) {
    Node* made = graph.AddNode(node_.name + "/" + op, op, "", SinceVersion(op));
    made->origins = origins_;
    for (size_t i = 0; i < inputs.size(); ++i) graph.SetInput(made, i, inputs[i]);
    graph.SetOutput(made, 0, output);
    return made;
  }

  /// A value of the graph around, as the body sees it.
  ValueInfo* Captured(ValueInfo& outer) {
    for (const auto& value : body_.values())
      if (value->outer == &outer) return value.get();
    ValueInfo* source = &outer;
    if (body_.Find(outer.name) != nullptr) {  // the body has a value of its own of that name
      source = graph_.AddValue(outer.name, outer.type);
      Connect(graph_, "Identity", {&outer}, source);
    }
    ValueInfo* captured = body_.FindOrAdd(source->name);
    captured->outer = source;
    captured->type = source->type;
    graph_.AddImplicitInput(&node_, source);
    return captured;
  }

  /// What the body took for an input: an element of a sequence, or the same tensor each time.
  void TakeElement(ValueInfo& mapped, ValueInfo& element, ValueInfo& position) {
    ValueInfo* captured = Captured(mapped);
    if (mapped.type.kind == ONNX_TYPE_SEQUENCE) {
      if (!element.type.IsKnown()) element.type = mapped.type.sequence->element;
      Connect(body_, "SequenceAt", {captured, &position}, &element);
      return;
    }
    if (!element.type.IsKnown()) element.type = mapped.type;
    Connect(body_, "Identity", {captured}, &element);
  }

  /// Carries result `index` of the map through the loop, with what the body gives appended in each pass.
  void Append(size_t index, ValueInfo& result, std::vector<ValueInfo*>& inputs, std::vector<ValueInfo*>& outputs) {
    const TypeInfo type = SequenceOf(result.type.tensor.type);
    ValueInfo* empty = graph_.AddValue("empty", type);
    Node* make = Connect(graph_, "SequenceEmpty", {}, empty);
    Attribute dtype;
    dtype.name = "dtype";
    dtype.type = ORT_OP_ATTR_INT;
    dtype.i = ToOnnxType(result.type.tensor.type);
    make->attributes.push_back(std::move(dtype));
    graph_.SetInput(&node_, 2 + index, empty);
    inputs.push_back(body_.AddValue("before", type));
    outputs.push_back(body_.AddValue("after", type));
    Connect(body_, "SequenceInsert", {inputs.back(), &result}, outputs.back());
    if (index < node_.outputs.size() && node_.outputs[index] != nullptr && !node_.outputs[index]->type.IsKnown())
      node_.outputs[index]->type = type;
  }

  Node& node_;
  Graph& graph_;
  Graph& body_;
  const std::vector<std::string> origins_;
};

}  // namespace

bool ExpandSequenceMap(Node& node) { return node.subgraphs.size() == 1 && SequenceMapToLoop(node).Run(); }

}  // namespace ortrun
