// SPDX-License-Identifier: Apache-2.0
#pragma once

// What onnx's inference functions, which know one operator each, ask of the node that they are called for.

#include <onnx/defs/shape_inference.h>
#include <onnx/onnx_pb.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/graph/graph.h"

namespace ortrun {

/// What is known of the values of a model, as messages that are made when they are asked for. A value of an outer graph
/// that a body reads is known as that value. Pointers stay valid until the value's type is forgotten.
class KnownValues {
 public:
  /// The type, or nullptr when it is not known altogether.
  const onnx::TypeProto* Type(const ValueInfo& value);
  /// The constant's content when it is small, else nullptr.
  const onnx::TensorProto* Data(const ValueInfo& value);
  /// The elements of a small integer tensor of rank 0 or 1 as dimensions, as far as they were found; else nullptr.
  const onnx::TensorShapeProto* Elements(const ValueInfo& value) const;
  void SetElements(const ValueInfo& value, onnx::TensorShapeProto elements);
  /// The value's type was changed.
  void Forget(const ValueInfo& value) { types_.erase(&value); }

 private:
  std::unordered_map<const ValueInfo*, onnx::TypeProto> types_;
  std::unordered_map<const ValueInfo*, onnx::TensorProto> data_;
  std::unordered_map<const ValueInfo*, onnx::TensorShapeProto> elements_;
};

/// The value itself, or that of the outermost graph which it stands for.
const ValueInfo& SourceOf(const ValueInfo& value);

/// The attributes of a node as messages, made when they are asked for.
class NodeAttributes {
 public:
  explicit NodeAttributes(const Node& node) : node_(node) {}
  const onnx::AttributeProto* Find(const std::string& name) const;

 private:
  const Node& node_;
  mutable std::unordered_map<std::string, onnx::AttributeProto> made_;
};

/// Asks for the types of what a body gives, the types of its inputs being those given (nullptr: not known).
using InferBody = std::function<void(Graph& body, const std::vector<const onnx::TypeProto*>& inputs)>;

/// One call of an operator's inference. Every input that is there must have a known type.
class NodeInference final : public onnx::InferenceContext {
 public:
  NodeInference(const Node& node, KnownValues& known, InferBody infer_body);

  const onnx::AttributeProto* getAttribute(const std::string& name) const override { return attributes_.Find(name); }
  size_t getNumInputs() const override { return node_.inputs.size(); }
  const onnx::TypeProto* getInputType(size_t index) const override;
  bool hasInput(size_t index) const override { return InputAt(index) != nullptr; }
  const onnx::TensorProto* getInputData(size_t index) const override;
  const onnx::SparseTensorProto* getInputSparseData(size_t) const override { return nullptr; }  // made dense when read
  const onnx::TensorShapeProto* getSymbolicInput(size_t index) const override;
  size_t getNumOutputs() const override { return outputs_.size(); }
  onnx::TypeProto* getOutputType(size_t index) override;
  bool hasOutput(size_t index) override { return index < outputs_.size() && node_.outputs[index] != nullptr; }
  onnx::GraphInferencer* getGraphAttributeInferencer(const std::string& name) override;
  std::string getDisplayName() const override { return node_.Describe(); }

 private:
  const ValueInfo* InputAt(size_t index) const { return index < node_.inputs.size() ? node_.inputs[index] : nullptr; }

  const Node& node_;
  KnownValues& known_;
  InferBody infer_body_;
  NodeAttributes attributes_;
  std::vector<onnx::TypeProto> outputs_;
  std::unordered_map<std::string, std::unique_ptr<onnx::GraphInferencer>> bodies_;
};

/// One call of an operator's propagation: from the elements of its inputs, which are shapes, to those of its output.
class NodePropagation final : public onnx::DataPropagationContext {
 public:
  NodePropagation(const Node& node, KnownValues& known) : node_(node), known_(known), attributes_(node) {}

  const onnx::AttributeProto* getAttribute(const std::string& name) const override { return attributes_.Find(name); }
  size_t getNumInputs() const override { return node_.inputs.size(); }
  const onnx::TypeProto* getInputType(size_t index) const override;
  size_t getNumOutputs() const override { return node_.outputs.size(); }
  const onnx::TypeProto* getOutputType(size_t index) const override;
  const onnx::TensorShapeProto* getInputData(size_t index) override;
  void addOutputData(size_t index, onnx::TensorShapeProto&& elements) override;

 private:
  const Node& node_;
  KnownValues& known_;
  NodeAttributes attributes_;
  std::unordered_map<size_t, onnx::TensorShapeProto> made_;  ///< elements of inputs, by index
};

}  // namespace ortrun
