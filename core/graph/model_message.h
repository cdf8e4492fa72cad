// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/graph/graph.h"
#include "core/graph/opset_choice.h"

namespace onnx {
class GraphProto;
class ModelProto;
class NodeProto;
class TensorProto;
class ValueInfoProto;
}  // namespace onnx

namespace ortrun {

/// One node as a message, with the names that its own graph uses, its bodies included.
void FillNode(const Node& node, onnx::NodeProto& proto);

/// Takes the data of an initialiser elsewhere and says so in its message; answers false to leave it in the message.
using PutElsewhere = std::function<bool(const Value& value, onnx::TensorProto& proto)>;

/// The model as a message, which means what the graph in memory means: opsets are those chosen for it, and a value of a
/// body that is named as one outside it gets another name there.
onnx::ModelProto ToProto(const Model& model, const OpsetChoice& opsets, const PutElsewhere& elsewhere = {});

/// Makes the message of a model's graphs.
class GraphMessages {
 public:
  /// Without `opsets` nodes keep their domains and values their names.
  explicit GraphMessages(const OpsetChoice* opsets, PutElsewhere elsewhere = {})
      : opsets_(opsets), elsewhere_(std::move(elsewhere)) {}

  void Fill(const Graph& graph, onnx::GraphProto& proto);
  void Fill(const Node& node, onnx::NodeProto& proto);

 private:
  void Fill(const ValueInfo& value, onnx::ValueInfoProto& proto) const;
  void FillInitializer(const ValueInfo& value, onnx::TensorProto& proto) const;
  std::unordered_set<std::string> NameValues(const Graph& graph);
  const std::string& NameOf(const ValueInfo& value) const;

  const OpsetChoice* opsets_;
  PutElsewhere elsewhere_;
  std::unordered_map<const ValueInfo*, std::string> names_;  ///< of values that have another one in the message
  std::unordered_set<std::string> visible_;                  ///< names of the graph at hand and of those around it
};

}  // namespace ortrun
