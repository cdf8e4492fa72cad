// SPDX-License-Identifier: Apache-2.0
// Channels-last layout where the provider asked for it. Going forward through the graph, what a convolution makes stays
// channels-last through every operator that does not mind, so that transposes stand only where a region of such nodes
// begins and ends. A region with fewer convolutions than transposes stays as it was.
#include <map>
#include <set>
#include <unordered_map>

#include "core/optimizer/channels_last_rules.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

class ChannelsLast {
 public:
  explicit ChannelsLast(Rewriter& rewriter)
      : rewriter_(rewriter), shapes_(rewriter.graph(), rewriter.context().names) {}

  void Run() {
    Plan();
    Weigh();
    std::set<Node*> done;
    for (const auto& [node, change] : plan_) {
      Node* root = Root(node);
      if (accepted_.count(root) != 0 && done.insert(root).second) Apply(root);
    }
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

  /// A Transpose, or a Reshape where that does the same, from `from` to `to`. `plain` is the one of them whose shape is
  /// known.
  void Bridge(Patch& patch, const Node& like, ValueInfo* from, ValueInfo* to, bool to_channels_last,
              const ValueInfo* plain) const {
    Node* made = nullptr;
    if (IsFree(plain)) {
      const SymbolicShape& shape = *shapes_.ShapeOf(plain);
      const SymbolicShape moved = {shape[0], shape[2], shape[3], shape[1]};
      const auto target = to_channels_last ? ReshapeTarget(shape, moved) : ReshapeTarget(moved, shape);
      if (target) made = patch.Add("Reshape", "", 0, {from, patch.Constant("shape", MakeInts(*target))}, {&like});
    }
    if (made == nullptr) {
      made = patch.Add("Transpose", "", 0, {from}, {&like});
      SetAttribute(made, "perm", to_channels_last ? ToChannelsLast() : FromChannelsLast());
    }
    patch.SetOutput(made, 0, to);
  }

  using Values = std::unordered_map<const ValueInfo*, ValueInfo*>;

  ValueInfo* Moved(Patch& patch, Values& moved, const Node& like, ValueInfo* value) const {
    ValueInfo*& place = moved[value];
    if (place == nullptr) {
      place = patch.Fresh(value->name + "_channels_last", MovedType(value->type));
      Bridge(patch, like, value, place, true, value);
    }
    return place;
  }

  /// One region, as one patch.
  void Apply(Node* root) {
    Patch patch = rewriter_.Start(*root);
    Values moved = moved_;  // what earlier regions turned, for all who need it turned
    std::vector<Node*> region;
    std::set<std::pair<const Node*, int64_t>> turned;  // uses by the region that read the new layout
    for (const auto& [node, change] : plan_) {
      if (Root(node) != root) continue;
      region.push_back(node);
      patch.Take(node);
      Node* made = patch.Copy(*node);
      if (change.apply) change.apply(patch, made);
      for (size_t index : change.tensors) {
        patch.SetInput(made, index, Moved(patch, moved, *node, node->inputs[index]));
        turned.emplace(node, static_cast<int64_t>(index));
      }
      for (size_t i = 0; i < node->outputs.size(); ++i) {
        ValueInfo* output = node->outputs[i];
        if (output != nullptr) {
          moved[output] = patch.Fresh(output->name + "_channels_last", MovedType(output->type));
        }
        patch.SetOutput(made, i, output == nullptr ? nullptr : moved.at(output));
      }
    }
    for (const Node* node : region) {
      for (ValueInfo* output : node->outputs) {
        if (output != nullptr) Restore(patch, *node, output, moved.at(output), turned);
      }
    }
    if (rewriter_.Apply(patch)) moved_ = std::move(moved);
  }

  /// Gives those who read the value in its old layout what they need.
  void Restore(Patch& patch, const Node& maker, ValueInfo* value, ValueInfo* moved,
               const std::set<std::pair<const Node*, int64_t>>& turned) const {
    bool open = value->is_output;
    for (const Use& use : value->uses) {
      if (turned.count({use.node, use.index}) != 0) continue;
      open = !Reads(patch, maker, use, moved) || open;
    }
    if (open) Bridge(patch, maker, moved, value, false, value);
  }

  /// Lets a reader that takes any layout read the moved value; false for others.
  bool Reads(Patch& patch, const Node& maker, const Use& use, ValueInfo* moved) const {
    if (use.index < 0 || use.node->provider != maker.provider || Output(use.node, 0) == nullptr) return false;
    ValueInfo* output = use.node->outputs[0];
    if (use.node->Is("Transpose")) {
      std::vector<int64_t> perm = PermOf(use.node);
      if (perm.size() != 4) return false;
      for (int64_t& axis : perm) axis = kChannelsLastAxis[axis];
      patch.Take(use.node);
      const bool captured =
          std::any_of(output->uses.begin(), output->uses.end(), [](const Use& each) { return each.index < 0; });
      if (IsIdentityPerm(perm) && !output->is_output && !captured) {
        patch.Redirect(output, moved);
        return true;
      }
      Node* turned = patch.Copy(*use.node);
      patch.SetInput(turned, 0, moved);
      SetAttribute(turned, "perm", perm);
      patch.SetOutput(turned, 0, output);
      return true;
    }
    if (!use.node->Is("Shape") || !use.node->attributes.empty()) return false;
    patch.Take(use.node);
    ValueInfo* order = patch.Constant("axes", MakeInts(FromChannelsLast()));
    ValueInfo* inner = patch.Make("Shape", "", use.node->since_version, {moved}, output->type, {use.node});
    patch.SetOutput(patch.Add("Gather", "", 0, {inner, order}, {use.node}), 0, output);
    return true;
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  std::vector<std::pair<Node*, Adaptation>> plan_;
  std::unordered_map<Node*, Node*> parent_;
  std::unordered_map<const ValueInfo*, Node*> by_output_;
  std::set<Node*> accepted_;
  Values moved_;
};

void Run(Rewriter& rewriter) { ChannelsLast(rewriter).Run(); }

}  // namespace

std::unique_ptr<Pass> MakeChannelsLast() {
  return MakePass("channels_last", PassStage::kProvider, ORT_ENABLE_ALL, Run);
}

}  // namespace ortrun
