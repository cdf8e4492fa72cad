// SPDX-License-Identifier: Apache-2.0
#include "core/graph/type_inference.h"

#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/graph/body_check.h"
#include "core/graph/einsum_inference.h"
#include "core/graph/element_inference.h"
#include "core/graph/inference_context.h"
#include "core/graph/node_check.h"
#include "core/graph/standard_schemas.h"
#include "core/graph/tensor_reader.h"
#include "core/graph/type_merge.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// Einsum's result has the operands' element type; their shapes give its own where the equation suits them.
TypeInfo EinsumType(const Node& node) {
  std::vector<const TensorType*> operands;
  for (const ValueInfo* input : node.inputs) operands.push_back(&SourceOf(*input).type.tensor);
  TypeInfo type = TypeInfo::Tensor(operands.front()->type);
  if (std::optional<TensorType> shape = InferEinsum(node.String("equation", ""), operands)) {
    shape->type = type.tensor.type;
    type.tensor = std::move(*shape);
  }
  return type;
}

/// Whether Expand is given a shape that is longer than any rank, whose declared length its first version counts up to.
bool TakesLongShape(const Node& node) {
  constexpr int64_t kMost = 64;
  if (!node.Is("Expand") || node.inputs.size() < 2 || node.inputs[1] == nullptr) return false;
  const TensorType& shape = SourceOf(*node.inputs[1]).type.tensor;
  return shape.has_shape && shape.dims.size() == 1 && shape.dims[0] > kMost;
}

/// The schema that says which types an operator makes: a version that only deprecates it leaves that to the one before.
const onnx::OpSchema& SchemaOfTypes(const OperatorSchema& schema) {
  if (!schema.standard->deprecated() || schema.standard->has_type_and_shape_inference_function())
    return *schema.standard;
  const OperatorSchema* before = FindSchema(schema.domain, schema.name, schema.since_version - 1);
  return before != nullptr && before->standard != nullptr ? *before->standard : *schema.standard;
}

class TypeInference {
 public:
  explicit TypeInference(const ReadOptions& options) : options_(options) {}

  void Infer(Graph& graph) {
    inferred_.insert(&graph);
    for (const auto& value : graph.values())
      if (value->outer != nullptr) value->type = SourceOf(*value).type;
    for (const auto& node : graph.nodes()) Infer(*node);
  }

 private:
  void Infer(Node& node) {
    const OperatorSchema* custom =
        options_.custom_schema ? options_.custom_schema(node.domain, node.op_type, node.since_version) : nullptr;
    if (custom != nullptr) {
      InferCustom(node, *custom);
      return;
    }
    const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
    if (schema != nullptr) CheckNode(node, *schema);
    CheckBodies(node);
    std::vector<TypeInfo> made(node.outputs.size());
    if (schema != nullptr && schema->standard != nullptr && schema->domain == node.domain)
      AskStandard(node, SchemaOfTypes(*schema), made);
    for (const auto& [attribute, body] : node.subgraphs)
      if (inferred_.count(body.get()) == 0) Infer(*body);  // nothing is known of its inputs but what it declares
    for (size_t i = 0; i < made.size(); ++i) {
      if (node.outputs[i] == nullptr) continue;
      if (!made[i].IsKnown()) made[i] = TypeBySchema(node, schema, i);
      Give(node, *node.outputs[i], made[i]);
      RequireType(node, schema, *node.outputs[i]);
    }
    if (schema == nullptr) return;
    CheckNode(node, *schema);
    CheckBodies(node);
    if (schema->standard != nullptr) Propagate(node, *schema->standard);
  }

  /// A custom operator's own callbacks set types; what the model declares is compared with them.
  void InferCustom(Node& node, const OperatorSchema& schema) {
    for (const auto& [attribute, body] : node.subgraphs) Infer(*body);
    std::vector<TypeInfo> declared(node.outputs.size());
    for (size_t i = 0; i < declared.size(); ++i)
      if (node.outputs[i] != nullptr) declared[i] = std::exchange(node.outputs[i]->type, {});
    if (options_.infer_custom) options_.infer_custom(node);
    for (size_t i = 0; i < declared.size(); ++i) {
      if (node.outputs[i] == nullptr) continue;
      TypeInfo made = std::exchange(node.outputs[i]->type, std::move(declared[i]));
      if (!made.IsKnown()) made = TypeBySchema(node, &schema, i);
      Give(node, *node.outputs[i], made);
    }
  }

  void AskStandard(const Node& node, const onnx::OpSchema& schema, std::vector<TypeInfo>& made) {
    if (node.inputs.empty() && node.Is("Optional")) return;  // what it holds was declared by its attribute
    if (!InputsKnown(node) || TakesLongShape(node)) return;
    try {
      if (node.Is("Einsum") && !node.inputs.empty()) {
        made[0] = EinsumType(node);
        return;
      }
      NodeInference inference(node, known_, [this](Graph& body, const auto& inputs) { InferBodyOf(body, inputs); });
      if (schema.has_type_and_shape_inference_function()) {
        schema.GetTypeAndShapeInferenceFunction()(inference);
      } else if (schema.HasFunction()) {
        onnx::shape_inference::InferShapeForFunctionNode(*schema.GetFunction(), &StandardSchemas::Instance(),
                                                         inference);
      }
      for (size_t i = 0; i < made.size(); ++i) made[i] = ReadType(*inference.getOutputType(i));
    } catch (const onnx::InferenceError& error) {
      if (std::string_view(error.what()).starts_with("[TypeInferenceError]"))
        throw Error(ORT_FAIL, Concat("This is an invalid model. Type Error: in ", node.Describe(), ": ", error.what()));
      Warn(node, error.what());
    } catch (const Error&) {
      throw;  // of a body
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      Warn(node, error.what());
    }
  }

  void Warn(const Node& node, const char* what) const {
    if (options_.logger != nullptr)
      options_.logger->Warning("the shapes that ", node.Describe(), " makes could not be inferred: ", what);
  }

  void InferBodyOf(Graph& body, const std::vector<const onnx::TypeProto*>& inputs) {
    if (inputs.size() != body.inputs().size())
      throw onnx::InferenceError(Concat("[TypeInferenceError] its body takes ", body.inputs().size(), " inputs, ",
                                        inputs.size(), " are given"));
    for (size_t i = 0; i < inputs.size(); ++i) {
      ValueInfo& input = *body.inputs()[i];
      if (inputs[i] == nullptr) continue;
      const TypeInfo given = ReadType(*inputs[i]);
      if (!MergeType(given, input.type))
        throw onnx::InferenceError(Concat("[TypeInferenceError] input '", input.name, "' of its body is declared as ",
                                          TypeName(input.type), ", what is given there is ", TypeName(given)));
      known_.Forget(input);
    }
    Infer(body);
  }

  /// Puts what the node makes into the value's type.
  void Give(const Node& node, ValueInfo& value, const TypeInfo& made) {
    if (!MergeType(made, value.type))
      throw Error(ORT_FAIL, Concat("Type Error: Type (", TypeName(value.type), ") of output arg (", value.name,
                                   ") of node (", node.name, ") does not match expected type (", TypeName(made),
                                   "). The model declares '", value.name, "' wrongly: ", node.Describe(), " makes it"));
    known_.Forget(value);
  }

  /// Whoever says how types follow from inputs must have said this one. Results of bodies may wait for the run.
  void RequireType(const Node& node, const OperatorSchema* schema, const ValueInfo& value) {
    if (value.type.IsKnown() || schema == nullptr || schema->standard == nullptr || !node.subgraphs.empty()) return;
    if (schema->standard->deprecated() || !schema->standard->has_type_and_shape_inference_function()) return;
    if (!InputsKnown(node)) return;
    throw Error(ORT_FAIL, Concat("This is an invalid model. Node (", node.name, ") output arg (", value.name,
                                 ") type inference failed: what ", node.Describe(),
                                 " makes of its inputs and attributes has no type. Declare the type of '", value.name,
                                 "', or mend the node"));
  }

  bool InputsKnown(const Node& node) {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [this](const ValueInfo* input) { return input == nullptr || known_.Type(*input) != nullptr; });
  }

  void Propagate(const Node& node, const onnx::OpSchema& schema) {
    if (!schema.has_data_propagation_function()) return;
    try {
      NodePropagation propagation(node, known_);
      schema.GetDataPropagationFunction()(propagation);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      Warn(node, error.what());
    }
  }

  const ReadOptions& options_;
  KnownValues known_;
  std::unordered_set<const Graph*> inferred_;
};

}  // namespace

void InferGraphTypes(Graph& graph, const ReadOptions& options) { TypeInference(options).Infer(graph); }

}  // namespace ortrun
