// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "core/graph/graph.h"

namespace ortrun {

/// The opset imports under which a model is written. In memory each node has a version of its own: passes make
/// operators that are newer than the model's opset, and functions bring older ones. A message imports one version of a
/// domain, so:
/// - every domain of every node is imported, those that passes brought at their first version;
/// - the standard's import is raised (or lowered) to the nearest version at which every node means what it means in
///   memory;
/// - where there is none, the model's own import stays, and the nodes that mean something else there are written with
///   a pinned domain (pinned_domain.h), which this runtime reads and others refuse.
class OpsetChoice {
 public:
  explicit OpsetChoice(const Model& model);

  /// The domain under which a node of the model is written.
  const std::string& DomainOf(const Node& node) const;
  const std::map<std::string, int>& imports() const { return imports_; }

 private:
  using Key = std::tuple<std::string, std::string, int>;  ///< domain, operator, since-version
  void Visit(const Graph& graph);
  void Choose(const std::string& domain);

  struct Range {
    int first = 1;
    int last = 0;
  };
  std::map<std::string, int> imports_;
  std::map<Key, Range> operators_;     ///< the opsets at which each operator of a versioned domain means the same
  std::map<Key, std::string> pinned_;  ///< what is written under another domain
};

}  // namespace ortrun
