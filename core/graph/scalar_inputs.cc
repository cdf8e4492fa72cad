// SPDX-License-Identifier: Apache-2.0
#include "core/graph/scalar_inputs.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "core/graph/tensor_reader.h"

namespace ortrun {
namespace {

/// The names of all values that may have another shape than declared, in all graphs: bodies that use a name again for
/// something else only lose a shape that inference finds once more.
class OpenShapes {
 public:
  explicit OpenShapes(std::set<std::string> names) : names_(std::move(names)) {}

  void Spread(const onnx::GraphProto& graph) {
    size_t before = 0;
    do {
      before = names_.size();
      Visit(graph);
    } while (names_.size() != before);
  }

  bool Has(const std::string& name) const { return names_.count(name) != 0; }

  void Strip(onnx::GraphProto& graph, bool main) const {
    if (!main)
      for (auto& input : *graph.mutable_input()) Strip(input);
    for (auto& value : *graph.mutable_value_info()) Strip(value);
    for (auto& output : *graph.mutable_output()) Strip(output);
    for (auto& node : *graph.mutable_node())
      for (auto& attribute : *node.mutable_attribute())
        if (attribute.has_g()) Strip(*attribute.mutable_g(), false);
  }

  void Strip(onnx::ValueInfoProto& value) const {
    if (Has(value.name()) && value.type().has_tensor_type()) value.mutable_type()->mutable_tensor_type()->clear_shape();
  }

 private:
  void Add(const std::string& name) {
    if (!name.empty()) names_.insert(name);
  }

  void Visit(const onnx::GraphProto& graph) {
    for (const onnx::NodeProto& node : graph.node()) {
      bool open = std::any_of(node.input().begin(), node.input().end(), [this](const auto& name) { return Has(name); });
      for (const auto& attribute : node.attribute())
        if (attribute.has_g()) open = VisitBody(node, attribute.g(), open) || open;
      if (!open) continue;
      for (const std::string& output : node.output()) Add(output);
    }
  }

  /// Answers whether something that the body gives is open.
  bool VisitBody(const onnx::NodeProto& node, const onnx::GraphProto& body, bool open) {
    // Loop and Scan hand their inputs on one by one, and state from one pass to the next.
    const bool loop = node.op_type() == "Loop";
    if (loop || node.op_type() == "Scan") {
      const int first_input = loop ? 2 : 0;
      const int first_output = loop ? 1 : 0;
      for (int i = first_input; i < std::min(node.input_size(), body.input_size()); ++i)
        if (Has(node.input(i))) Add(body.input(i).name());
      for (int i = first_output; i < body.output_size(); ++i)
        if (const int state = i - first_output + first_input; Has(body.output(i).name()) && state < body.input_size())
          Add(body.input(state).name());
    } else if (open) {
      for (const auto& input : body.input()) Add(input.name());
    }
    Visit(body);
    return std::any_of(body.output().begin(), body.output().end(),
                       [this](const auto& output) { return Has(output.name()); });
  }

  std::set<std::string> names_;
};

}  // namespace

DeclaredTypes DropScalarShapes(onnx::ModelProto& proto,
                               const std::function<DeclaredTypes(const onnx::ModelProto&)>& infer) {
  onnx::GraphProto& graph = *proto.mutable_graph();
  std::set<std::string> constants;  // old models list every initializer as an input; none can be given there
  if (proto.ir_version() < 4)
    for (const auto& tensor : graph.initializer()) constants.insert(tensor.name());
  std::set<std::string> scalars;
  for (const auto& input : graph.input())
    if (input.type().has_tensor_type() && input.type().tensor_type().has_shape() &&
        input.type().tensor_type().shape().dim_size() == 0 && constants.count(input.name()) == 0)
      scalars.insert(input.name());
  DeclaredTypes declared;
  if (scalars.empty()) return declared;
  OpenShapes open(scalars);
  open.Spread(graph);
  std::set<std::string> without_shape;
  for (const auto& output : graph.output()) {
    if (!open.Has(output.name()) || (output.has_type() && !output.type().has_tensor_type())) continue;
    if (output.type().tensor_type().has_shape())
      declared.emplace(output.name(), ReadType(output.type()));
    else
      without_shape.insert(output.name());
  }
  if (!without_shape.empty())
    for (auto& [name, type] : infer(proto))
      if (without_shape.count(name) != 0 && type.tensor.has_shape) declared.emplace(name, std::move(type));
  for (auto& input : *graph.mutable_input()) {
    if (scalars.count(input.name()) == 0) continue;
    declared.insert_or_assign(input.name(), ReadType(input.type()));
    open.Strip(input);
  }
  open.Strip(graph, true);
  return declared;
}

void KeepDeclared(Graph& graph, const DeclaredTypes& declared) {
  for (const auto& [name, type] : declared)
    if (ValueInfo* value = graph.Find(name)) value->declared = std::make_shared<const TypeInfo>(type);
}

}  // namespace ortrun
