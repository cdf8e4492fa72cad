// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one way in which passes change a graph.

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "core/optimizer/patch.h"

namespace ortrun {

/// One pass over one graph. Passes describe rewrites as patches; Apply checks, applies, counts and logs each.
class Rewriter {
 public:
  Rewriter(const char* pass, Graph& graph, const PassContext& context)
      : pass_(pass), graph_(graph), context_(context) {}

  /// Calls `rewrite(Node&)` for every node that was there at the start and still is, in topological order (or from the
  /// back).
  template <typename Function>
  void ForEach(Function&& rewrite, bool backwards = false) {
    std::vector<Node*> nodes;
    nodes.reserve(graph_.nodes().size());
    for (const auto& node : graph_.nodes()) nodes.push_back(node.get());
    if (backwards) std::reverse(nodes.begin(), nodes.end());
    for (Node* node : nodes) {
      if (removed_.count(node) != 0) continue;
      if (context_.names != nullptr) context_.names->Begin();
      rewrite(*node);
    }
  }

  const Graph& graph() const { return graph_; }
  const PassContext& context() const { return context_; }
  /// How many patches were applied.
  size_t count() const { return count_; }

  /// An empty patch whose new nodes run where `like` does.
  Patch Start(const Node& like) const { return Patch(context_, like); }
  /// Changes the graph as the patch says. Answers false and changes nothing where that must not be (Patch::Refusal), or
  /// when as many patches as the session allows were applied.
  bool Apply(Patch& patch);
  /// Takes `node` out and lets every reader of its output 0 read `by`; false where that cannot be.
  bool Bypass(Node* node, ValueInfo* by);

  /// The since-version of a standard operator under the model's opset.
  int Version(const char* op) const { return StandardVersion(context_.model, op); }

 private:
  void Log(const Patch& patch) const;

  const char* pass_;
  Graph& graph_;
  const PassContext& context_;
  size_t count_ = 0;
  std::unordered_set<const Node*> removed_;
};

}  // namespace ortrun
