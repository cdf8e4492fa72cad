// SPDX-License-Identifier: Apache-2.0
// Channels-last layout where the provider asked for it. Going forward through the graph, what a convolution makes stays
// channels-last through every operator that does not mind, so that transposes stand only where a region of such nodes
// begins and ends. A region with fewer convolutions than transposes stays as it was.
#include <map>
#include <set>

#include "core/optimizer/channels_last_rules.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

class ChannelsLast {
 public:
  explicit ChannelsLast(Rewriter& rewriter) : rewriter_(rewriter), shapes_(rewriter.graph()) {}

  size_t Run() {
    Plan();
    Weigh();
    size_t count = 0;
    for (auto& [node, change] : plan_) {
      if (accepted_.count(Root(node)) == 0) continue;
      Apply(*node, change);
      ++count;
    }
    for (auto& [value, moved] : made_) Restore(value, moved);
    return count;
  }

 private:
  Node* Root(Node* node) {
    while (parent_.at(node) != node) node = parent_[node] = parent_.at(parent_.at(node));
    return node;
  }

  bool IsMoved(const ValueInfo* value) const { return value != nullptr && by_output_.count(value) != 0; }

  /// Which nodes change, and which of them form a region.
  void Plan() {
    std::vector<Node*> nodes;
    for (const auto& node : rewriter_.graph().nodes()) nodes.push_back(node.get());
    for (Node* node : nodes) {
      auto change = AdaptChannelsLast(rewriter_, shapes_, *node);
      if (!change) continue;
      size_t moved = 0;
      for (size_t index : change->tensors) {
        const ValueInfo* input = node->inputs[index];
        moved += IsMoved(input) && by_output_.at(input)->provider == node->provider;
      }
      if (!change->wanted && 2 * moved < change->tensors.size()) continue;
      parent_[node] = node;
      for (size_t index : change->tensors) {
        if (IsMoved(node->inputs[index]) && by_output_.at(node->inputs[index])->provider == node->provider) {
          parent_[Root(node)] = Root(by_output_.at(node->inputs[index]));
        }
      }
      for (const ValueInfo* output : node->outputs) {
        if (output != nullptr) by_output_[output] = node;
      }
      plan_.emplace_back(node, std::move(*change));
    }
  }

  /// A transpose that moves no element: one channel, or one pixel.
  bool IsFree(const ValueInfo* value) const {
    return shapes_.NumberOf(value, 1) == 1 || (shapes_.NumberOf(value, 2) == 1 && shapes_.NumberOf(value, 3) == 1);
  }

  /// Whether `node` can read the moved value as it is.
  static bool ReadsAnyLayout(const Node* node) {
    return node->Is("Transpose") || (node->Is("Shape") && node->attributes.empty());
  }

  void Weigh() {
    std::map<Node*, int64_t> gain;
    std::set<std::pair<Node*, const ValueInfo*>> entered;
    for (auto& [node, change] : plan_) {
      Node* root = Root(node);
      if (node->op_type == "Conv" || node->op_type == "FusedConv") ++gain[root];
      for (size_t index : change.tensors) {
        const ValueInfo* input = node->inputs[index];
        const bool inside = IsMoved(input) && Root(by_output_.at(input)) == root;
        if (!inside && !IsFree(input) && entered.emplace(root, input).second) --gain[root];
      }
      for (const ValueInfo* output : node->outputs) {
        if (output == nullptr || IsFree(output)) continue;
        bool leaves = output->is_output;
        for (const Use& use : output->uses) {
          const bool stays =
              use.index >= 0 && (ReadsAnyLayout(use.node) || (parent_.count(use.node) != 0 && Root(use.node) == root));
          leaves |= !stays;
        }
        if (leaves) --gain[root];
      }
    }
    for (const auto& [root, value] : gain) {
      if (value >= 0) accepted_.insert(root);
    }
  }

  static TypeInfo MovedType(const TypeInfo& type) {
    TypeInfo moved = type;
    TensorType& tensor = moved.tensor;
    const std::vector<int64_t> dims = tensor.dims;
    const std::vector<std::string> symbols = tensor.symbols;
    for (size_t i = 0; i < 4 && dims.size() == 4; ++i) {
      const size_t from = static_cast<size_t>(ToChannelsLast()[i]);
      tensor.dims[i] = dims[from];
      if (symbols.size() == 4) tensor.symbols[i] = symbols[from];
    }
    return moved;
  }

  /// A Transpose, or a Reshape where that does the same, from `from` to `to` on the provider of `like`.
  void Bridge(const Node& like, ValueInfo* from, ValueInfo* to, bool to_channels_last, const ValueInfo* plain) {
    if (IsFree(plain)) {
      const SymbolicShape& shape = *shapes_.ShapeOf(plain);
      const SymbolicShape moved = {shape[0], shape[2], shape[3], shape[1]};
      const auto target = to_channels_last ? ReshapeTarget(shape, moved) : ReshapeTarget(moved, shape);
      if (target) {
        ValueInfo* constant = rewriter_.Constant("shape", MakeInts(*target));
        rewriter_.graph().SetOutput(rewriter_.Add(like, "Reshape", "", 0, {from, constant}, {}), 0, to);
        return;
      }
    }
    Node* transpose = rewriter_.Add(like, "Transpose", "", 0, {from}, {});
    SetAttribute(transpose, "perm", to_channels_last ? ToChannelsLast() : FromChannelsLast());
    rewriter_.graph().SetOutput(transpose, 0, to);
  }

  ValueInfo* Moved(const Node& like, ValueInfo* value) {
    const auto found = moved_.find(value);
    if (found != moved_.end()) return found->second;
    ValueInfo* moved = rewriter_.graph().AddValue(value->name + "_channels_last", MovedType(value->type));
    Bridge(like, value, moved, true, value);
    moved_[value] = moved;
    return moved;
  }

  void Apply(Node& node, const Adaptation& change) {
    if (change.apply) change.apply();
    Graph& graph = rewriter_.graph();
    for (size_t index : change.tensors) graph.SetInput(&node, index, Moved(node, node.inputs[index]));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      ValueInfo* output = node.outputs[i];
      if (output == nullptr) continue;
      ValueInfo* moved = graph.AddValue(output->name + "_channels_last", MovedType(output->type));
      graph.SetOutput(&node, i, moved);
      moved_[output] = moved;
      made_.emplace_back(output, &node);
    }
  }

  /// Gives those who read the value in its old layout what they need.
  void Restore(ValueInfo* value, Node* maker) {
    ValueInfo* moved = moved_.at(value);
    const std::vector<Use> uses = value->uses;
    for (const Use& use : uses) {
      if (use.index < 0 || use.node->provider != maker->provider) continue;
      if (use.node->Is("Transpose")) {
        std::vector<int64_t> perm = PermOf(use.node);
        if (perm.size() != 4) continue;
        for (int64_t& axis : perm) axis = kChannelsLastAxis[axis];
        if (IsIdentityPerm(perm) && rewriter_.Bypass(use.node, moved)) continue;
        rewriter_.graph().SetInput(use.node, 0, moved);
        SetAttribute(use.node, "perm", perm);
      } else if (use.node->Is("Shape") && use.node->attributes.empty() && use.node->outputs[0] != nullptr) {
        ValueInfo* shape = use.node->outputs[0];
        ValueInfo* order = rewriter_.Constant("axes", MakeInts(FromChannelsLast()));
        ValueInfo* inner = rewriter_.Make(*use.node, "Shape", "", use.node->since_version, {moved}, shape->type);
        rewriter_.Replace({use.node}, rewriter_.Add(*maker, "Gather", "", 0, {inner, order}, {}), shape);
      }
    }
    if (value->is_output || !value->uses.empty()) Bridge(*maker, moved, value, false, value);
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  std::vector<std::pair<Node*, Adaptation>> plan_;
  std::unordered_map<Node*, Node*> parent_;
  std::unordered_map<const ValueInfo*, Node*> by_output_;
  std::set<Node*> accepted_;
  std::unordered_map<const ValueInfo*, ValueInfo*> moved_;
  std::vector<std::pair<ValueInfo*, Node*>> made_;
};

size_t Run(Rewriter& rewriter) { return ChannelsLast(rewriter).Run(); }

}  // namespace

std::unique_ptr<Pass> MakeChannelsLast() {
  return MakePass("channels_last", PassStage::kProvider, ORT_ENABLE_ALL, Run);
}

}  // namespace ortrun
