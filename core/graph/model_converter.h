// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_set>

#include "core/graph/onnx_reader.h"
#include "core/graph/tensor_reader.h"

namespace onnx {
class AttributeProto;
class GraphProto;
class ModelProto;
class NodeProto;
class ValueInfoProto;
}  // namespace onnx

namespace ortrun {

/// Makes the graph in memory from a parsed message: links values, turns Constant nodes into constants, checks what the
/// graph's own rules demand. The message has passed CheckModel.
/// Throws Error(ORT_FAIL), or ORT_INVALID_ARGUMENT for a value that nobody makes.
class ModelConverter {
 public:
  ModelConverter(Model& model, const ReadOptions& options, const TensorReader& tensors)
      : model_(model), options_(options), tensors_(tensors) {}

  void Convert(const onnx::ModelProto& proto);
  /// Adds one node to `graph`, whose values must be there already or become constants.
  void AddNode(const onnx::NodeProto& proto, Graph& graph);

 private:
  void ConvertGraph(const onnx::GraphProto& proto, Graph& graph, int depth);
  void AddInitializer(const std::string& name, TensorReader::Result tensor, Graph& graph);
  void ExpectOutputs(const onnx::GraphProto& proto, Graph& graph);
  void AddOutput(const onnx::ValueInfoProto& proto, Graph& graph);
  void AddConstant(const onnx::NodeProto& proto, Graph& graph);
  void AddAttribute(const onnx::AttributeProto& proto, Node& node, int depth);
  /// Says once of a model that it breaks this rule of the standard, with the first instance.
  template <typename... Args>
  void WarnOnce(const char* rule, const Args&... instance) {
    if (options_.logger != nullptr && warned_.insert(rule).second) options_.logger->Warning(rule, ": ", instance...);
  }
  ValueInfo* Resolve(const std::string& name, Graph& graph, const Node& reader);
  /// The caller's value for a constant of the main graph, or nullptr.
  std::shared_ptr<const Value> Given(const std::string& name, const Graph& graph);
  void CheckAllUsed() const;
  int SinceVersion(const Node& node, int opset) const;

  Model& model_;
  const ReadOptions& options_;
  const TensorReader& tensors_;
  int depth_ = 0;
  std::set<std::string> warned_;
  std::unordered_set<std::string> used_;  ///< names of given initialisers that the model has
};

}  // namespace ortrun
