// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/ml/tree_attributes.h"

#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "plugins/cpu/kernels/ml/attributes.h"

namespace ortrun::cpu {
namespace {

TreeMode ParseMode(const std::string& name) {
  if (name == "BRANCH_LEQ") return TreeMode::kLessEqual;
  if (name == "LEAF") return TreeMode::kLeaf;
  if (name == "BRANCH_LT") return TreeMode::kLess;
  if (name == "BRANCH_GTE") return TreeMode::kGreaterEqual;
  if (name == "BRANCH_GT") return TreeMode::kGreater;
  if (name == "BRANCH_EQ") return TreeMode::kEqual;
  if (name == "BRANCH_NEQ") return TreeMode::kNotEqual;
  throw Error(ORT_INVALID_ARGUMENT, Concat("nodes_modes: '", name, "' is no comparison of the standard"));
}

/// Floats from `name`, or doubles from `name`_as_tensor.
std::vector<double> ReadNumbers(const KernelInfo& info, const std::string& name, bool& in_double) {
  if (const auto tensor = ReadTensorAttribute(info, (name + "_as_tensor").c_str());
      tensor && !tensor->numbers.empty()) {
    in_double |= tensor->type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    return tensor->numbers;
  }
  const std::vector<float> floats = info.Floats(name.c_str());
  return {floats.begin(), floats.end()};
}

struct NodeKey {
  int64_t tree;
  int64_t node;
  bool operator==(const NodeKey&) const = default;
};
struct NodeKeyHash {
  size_t operator()(const NodeKey& key) const {
    return std::hash<int64_t>()(key.tree * int64_t{0x9E3779B1} + key.node);
  }
};

TreeAggregate ParseAggregate(int64_t number) {
  Require(number >= 0 && number <= 3, "aggregate_function ", number, " is outside [0, 3]");
  return static_cast<TreeAggregate>(number);
}

TreeAggregate ParseAggregate(const std::string& name) {
  if (name == "SUM") return TreeAggregate::kSum;
  if (name == "AVERAGE") return TreeAggregate::kAverage;
  if (name == "MIN") return TreeAggregate::kMin;
  if (name == "MAX") return TreeAggregate::kMax;
  throw Error(ORT_INVALID_ARGUMENT, Concat("aggregate_function '", name, "' is none of AVERAGE, SUM, MIN, MAX"));
}

void RequireSameLength(size_t length, size_t expected, const std::string& name) {
  Require(length == expected, name, " has ", length, " entries where ", expected, " are described");
}

}  // namespace

TreeEnsembleModel ReadTreeEnsemble(const KernelInfo& info, const char* votes_prefix, int64_t targets) {
  TreeEnsembleModel model;
  model.targets = targets;
  model.post_transform = ParsePostTransform(info.String("post_transform", "NONE"));
  model.aggregate = ParseAggregate(info.String("aggregate_function", "SUM"));
  model.base_values = ReadNumbers(info, "base_values", model.in_double);

  const std::vector<int64_t> trees = info.Ints("nodes_treeids");
  const std::vector<int64_t> ids = info.Ints("nodes_nodeids");
  const std::vector<int64_t> features = info.Ints("nodes_featureids");
  const std::vector<int64_t> if_true = info.Ints("nodes_truenodeids");
  const std::vector<int64_t> if_false = info.Ints("nodes_falsenodeids");
  const std::vector<int64_t> missing = info.Ints("nodes_missing_value_tracks_true");
  const std::vector<std::string> modes = info.Strings("nodes_modes");
  const std::vector<double> values = ReadNumbers(info, "nodes_values", model.in_double);
  const size_t count = ids.size();
  Require(count != 0, "nodes_nodeids is empty");
  RequireSameLength(trees.size(), count, "nodes_treeids");
  RequireSameLength(features.size(), count, "nodes_featureids");
  RequireSameLength(if_true.size(), count, "nodes_truenodeids");
  RequireSameLength(if_false.size(), count, "nodes_falsenodeids");
  RequireSameLength(modes.size(), count, "nodes_modes");
  RequireSameLength(values.size(), count, "nodes_values");
  if (!missing.empty()) RequireSameLength(missing.size(), count, "nodes_missing_value_tracks_true");

  std::unordered_map<NodeKey, size_t, NodeKeyHash> places;
  for (size_t i = 0; i < count; ++i)
    Require(places.emplace(NodeKey{trees[i], ids[i]}, i).second, "node ", ids[i], " of tree ", trees[i],
            " is described twice");
  const auto find = [&](int64_t tree, int64_t node, const char* what) {
    const auto found = places.find(NodeKey{tree, node});
    Require(found != places.end(), what, " names node ", node, " of tree ", tree, ", which is not described");
    return found->second;
  };
  std::vector<bool> is_child(count);
  model.nodes.resize(count);
  for (size_t i = 0; i < count; ++i) {
    TreeNode& node = model.nodes[i];
    node.mode = ParseMode(modes[i]);
    if (node.mode == TreeMode::kLeaf) {
      node.leaf = static_cast<int32_t>(model.votes.size());
      model.votes.emplace_back();
      continue;
    }
    const size_t first = find(trees[i], if_true[i], "nodes_truenodeids");
    const size_t second = find(trees[i], if_false[i], "nodes_falsenodeids");
    is_child[first] = is_child[second] = true;
    node.if_true = static_cast<int64_t>(first);
    node.if_false = static_cast<int64_t>(second);
    node.feature = features[i];
    node.threshold = values[i];
    node.missing_is_true = !missing.empty() && missing[i] != 0;
  }
  for (size_t i = 0; i < count; ++i)  // trees in the order of their first description
    if (!is_child[i]) model.roots.push_back(static_cast<int64_t>(i));
  Require(!model.roots.empty(), "the trees have no root: every node is the child of another");

  const std::string prefix = votes_prefix;
  const std::vector<int64_t> vote_trees = info.Ints((prefix + "_treeids").c_str());
  const std::vector<int64_t> vote_nodes = info.Ints((prefix + "_nodeids").c_str());
  const std::vector<int64_t> vote_targets = info.Ints((prefix + "_ids").c_str());
  const std::vector<double> weights = ReadNumbers(info, prefix + "_weights", model.in_double);
  RequireSameLength(vote_trees.size(), vote_nodes.size(), prefix + "_treeids");
  RequireSameLength(vote_targets.size(), vote_nodes.size(), prefix + "_ids");
  RequireSameLength(weights.size(), vote_nodes.size(), prefix + "_weights");
  for (size_t i = 0; i < vote_nodes.size(); ++i) {
    Require(vote_targets[i] >= 0 && vote_targets[i] < targets, prefix, "_ids names ", vote_targets[i], " of ", targets);
    const TreeNode& node = model.nodes[find(vote_trees[i], vote_nodes[i], (prefix + "_nodeids").c_str())];
    if (node.mode != TreeMode::kLeaf) continue;  // a weight of an inner node never counts
    model.votes[static_cast<size_t>(node.leaf)].push_back({vote_targets[i], weights[i]});
  }
  return model;
}

TreeEnsembleModel ReadTreeEnsemble5(const KernelInfo& info) {
  TreeEnsembleModel model;
  model.targets = info.Int("n_targets", 1);
  Require(model.targets > 0, "n_targets must be positive, is ", model.targets);
  model.aggregate = ParseAggregate(info.Int("aggregate_function", 1));
  const int64_t transform = info.Int("post_transform", 0);
  Require(transform >= 0 && transform <= 4, "post_transform ", transform, " is outside [0, 4]");
  model.post_transform = static_cast<PostTransform>(transform);

  const auto numbers = [&](const char* name) {
    auto tensor = ReadTensorAttribute(info, name);
    if (!tensor) return std::vector<double>();
    model.in_double |= tensor->type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    return std::move(tensor->numbers);
  };
  const std::vector<double> modes = numbers("nodes_modes");
  const std::vector<double> splits = numbers("nodes_splits");
  const std::vector<double> members = numbers("membership_values");
  const std::vector<double> weights = numbers("leaf_weights");
  const std::vector<int64_t> leaf_targets = info.Ints("leaf_targetids");
  const std::vector<int64_t> features = info.Ints("nodes_featureids");
  const std::vector<int64_t> if_true = info.Ints("nodes_truenodeids");
  const std::vector<int64_t> if_false = info.Ints("nodes_falsenodeids");
  const std::vector<int64_t> true_leafs = info.Ints("nodes_trueleafs");
  const std::vector<int64_t> false_leafs = info.Ints("nodes_falseleafs");
  const std::vector<int64_t> missing = info.Ints("nodes_missing_value_tracks_true");
  const size_t count = features.size();
  RequireSameLength(modes.size(), count, "nodes_modes");
  RequireSameLength(splits.size(), count, "nodes_splits");
  RequireSameLength(if_true.size(), count, "nodes_truenodeids");
  RequireSameLength(if_false.size(), count, "nodes_falsenodeids");
  RequireSameLength(true_leafs.size(), count, "nodes_trueleafs");
  RequireSameLength(false_leafs.size(), count, "nodes_falseleafs");
  RequireSameLength(leaf_targets.size(), weights.size(), "leaf_targetids");
  if (!missing.empty()) RequireSameLength(missing.size(), count, "nodes_missing_value_tracks_true");

  for (size_t i = 0; i < weights.size(); ++i) {
    Require(leaf_targets[i] >= 0 && leaf_targets[i] < model.targets, "leaf_targetids names ", leaf_targets[i], " of ",
            model.targets);
    model.votes.push_back({{leaf_targets[i], weights[i]}});
  }
  // A leaf becomes a node of its own for each branch that ends in it.
  const auto child = [&](int64_t index, bool is_leaf, const char* name) {
    const auto limit = static_cast<int64_t>(is_leaf ? weights.size() : count);
    Require(index >= 0 && index < limit, name, " names ", index, " of ", limit);
    if (!is_leaf) return index;
    TreeNode leaf;
    leaf.leaf = static_cast<int32_t>(index);
    model.nodes.push_back(leaf);
    return static_cast<int64_t>(model.nodes.size()) - 1;
  };
  model.nodes.resize(count);
  size_t next_member = 0;
  for (size_t i = 0; i < count; ++i) {
    Require(modes[i] >= 0 && modes[i] <= 6, "nodes_modes holds ", modes[i], ", which is outside [0, 6]");
    TreeNode node;
    node.mode = static_cast<TreeMode>(static_cast<int>(modes[i]));
    node.feature = features[i];
    node.threshold = splits[i];
    node.missing_is_true = !missing.empty() && missing[i] != 0;
    node.if_true = child(if_true[i], true_leafs[i] != 0, "nodes_truenodeids");
    node.if_false = child(if_false[i], false_leafs[i] != 0, "nodes_falsenodeids");
    if (node.mode == TreeMode::kMember) {
      Require(next_member < members.size(), "membership_values has fewer sets than nodes of mode BRANCH_MEMBER");
      for (; next_member < members.size() && !std::isnan(members[next_member]); ++next_member)
        node.members.push_back(members[next_member]);
      ++next_member;  // the NaN that ends the set
    }
    model.nodes[i] = std::move(node);
  }
  model.roots = info.Ints("tree_roots");
  Require(!model.roots.empty(), "tree_roots is empty");
  return model;
}

}  // namespace ortrun::cpu
