// SPDX-License-Identifier: Apache-2.0
#pragma once

// A rewrite as a description: the nodes that go, the nodes and constants that come, what becomes of each result. A pass
// fills it, Rewriter::Apply checks it and changes the graph. Nodes and values of a patch stand apart until then, at the
// addresses that they keep in the graph, so passes may remember them.

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/optimizer/pass.h"

namespace ortrun {

class Patch {
 public:
  /// New nodes take name and provider of `like`.
  Patch(const PassContext& context, const Node& like) : context_(&context), like_(&like) {}

  /// A node that goes. Once more is no more; nullptr is none.
  void Take(Node* node);
  void Take(const std::vector<Node*>& nodes);

  /// A new node. It stands for `origins`, or, where there are none, for all that the patch takes.
  /// since_version 0: the one of the model's opset.
  Node* Add(const std::string& op, const std::string& domain, int since_version, std::vector<ValueInfo*> inputs,
            const std::vector<const Node*>& origins = {});
  /// As Add, with one new output of that type.
  ValueInfo* Make(const std::string& op, const std::string& domain, int since_version, std::vector<ValueInfo*> inputs,
                  TypeInfo type, const std::vector<const Node*>& origins = {});
  /// A copy of `node` without outputs; its inputs and attributes may then be changed.
  Node* Copy(const Node& node);
  /// A copy of a node that only moves from graph to graph: whether it is served is as open as it was.
  Node* Move(const Node& node);
  /// A new value whose name starts with `prefix`.
  ValueInfo* Fresh(const std::string& prefix, TypeInfo type);
  ValueInfo* Constant(const std::string& prefix, Value tensor);

  void SetInput(Node* made, size_t index, ValueInfo* value);
  /// `made` makes `value`, which is new or an output of a node that goes; such a one keeps its name and type.
  void SetOutput(Node* made, size_t index, ValueInfo* value);
  /// Who read `from`, an output of a node that goes, reads `to` instead.
  void Redirect(ValueInfo* from, ValueInfo* to) { redirected_.emplace_back(from, to); }
  /// `value`, an output of a node that goes, is a constant from now on. `external` may be nullptr.
  void Become(ValueInfo* value, std::shared_ptr<const Value> constant,
              std::shared_ptr<const ExternalInitializerInfo> external = nullptr);

  /// "" when it may be applied, else why not:
  /// - nobody else reads what goes, no subgraph does, and no graph output is lost;
  /// - all nodes that go are of one provider;
  /// - each new node fits its operator's schema, and the provider has a kernel for it in the types of its inputs;
  ///   before there are providers: whoever could run the old nodes can run the new ones;
  /// - new nodes read values that somebody makes, and no node needs its own result.
  std::string Refusal() const;

  const std::vector<Node*>& taken() const { return taken_; }
  const std::vector<std::unique_ptr<Node>>& made() const { return made_; }

 private:
  friend class Rewriter;  // which empties it into the graph

  struct Constants {
    ValueInfo* value;
    std::shared_ptr<const Value> constant;
    std::shared_ptr<const ExternalInitializerInfo> external;
  };

  bool Takes(const Node* node) const { return taken_set_.count(node) != 0; }
  std::string OpenResult(const ValueInfo& value) const;
  std::string RedirectRefusal(const ValueInfo& from, const ValueInfo& to) const;
  std::string InputRefusal(const Node& made) const;
  std::string KernelRefusal() const;
  bool NeedsItself() const;

  const PassContext* context_;
  const Node* like_;
  std::vector<Node*> taken_;
  std::unordered_set<const Node*> taken_set_;
  std::vector<std::unique_ptr<Node>> made_;
  std::unordered_set<const Node*> moved_;
  std::unordered_set<const Node*> for_all_;  ///< made nodes that stand for all that goes
  std::vector<std::unique_ptr<ValueInfo>> values_;
  std::unordered_set<const ValueInfo*> fresh_;
  std::unordered_map<const ValueInfo*, const Node*> kept_;  ///< old results by the new node that makes them
  std::vector<std::pair<ValueInfo*, ValueInfo*>> redirected_;
  std::vector<Constants> constants_;
};

/// The since-version of a standard operator under the model's opset.
int StandardVersion(const Model& model, const std::string& op);

}  // namespace ortrun
