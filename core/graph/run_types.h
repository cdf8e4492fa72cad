// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "core/graph/graph.h"

namespace ortrun {

/// A node apart from its graph, whose inputs have the types that they have in one run: for nodes whose types the model
/// does not tell before.
class NodeOfRun {
 public:
  /// nullptr: an omitted input.
  NodeOfRun(const Node& node, const std::vector<const Value*>& inputs);
  NodeOfRun(const NodeOfRun&) = delete;
  NodeOfRun& operator=(const NodeOfRun&) = delete;

  Node& node() { return node_; }

  /// The types of what it makes of these inputs; ONNX_TYPE_UNKNOWN where only the kernel knows. Throws Error where the
  /// operator does not take such inputs together, or an output is declared as something that it cannot be.
  std::vector<TypeInfo> TypesMade() const;

 private:
  Node node_;
  std::deque<ValueInfo> values_;
};

}  // namespace ortrun
