// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/ml/tree_forest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ortrun/error.h"

namespace ortrun::cpu {
namespace {

/// Steps between two looks whether all walkers stand on leaves.
constexpr size_t kStride = 4;
/// Features that a tree may name: a prepared row is that long.
constexpr int64_t kMaxFeatures = int64_t{1} << 24;

/// Lengths of the longest ways from nodes to leaves, each node visited once. Throws for ways without an end.
class TreeDepths {
 public:
  explicit TreeDepths(const std::vector<TreeNode>& nodes) : nodes_(nodes), depths_(nodes.size(), kUnknown) {}

  uint32_t Of(int64_t root) {
    std::vector<size_t> path = {Enter(root)};
    while (!path.empty()) {
      const size_t at = path.back();
      const TreeNode& node = nodes_[at];
      if (depths_[at] < kOpen) {  // came by another way meanwhile
        path.pop_back();
      } else if (node.mode == TreeMode::kLeaf) {
        depths_[at] = 0;
      } else if (depths_[at] == kUnknown) {
        depths_[at] = kOpen;
        for (int64_t child : {node.if_true, node.if_false}) {
          const size_t next = Enter(child);
          Require(depths_[next] != kOpen, "tree node ", next, " leads back to itself: trees must not have cycles");
          if (depths_[next] == kUnknown) path.push_back(next);
        }
      } else {
        depths_[at] =
            1 + std::max(depths_[static_cast<size_t>(node.if_true)], depths_[static_cast<size_t>(node.if_false)]);
      }
    }
    return depths_[static_cast<size_t>(root)];
  }

 private:
  static constexpr uint32_t kUnknown = std::numeric_limits<uint32_t>::max();
  static constexpr uint32_t kOpen = kUnknown - 1;  ///< on the way to a leaf

  size_t Enter(int64_t node) const {
    Require(node >= 0 && node < static_cast<int64_t>(nodes_.size()), "tree node ", node, " does not exist; there are ",
            nodes_.size());
    return static_cast<size_t>(node);
  }

  const std::vector<TreeNode>& nodes_;
  std::vector<uint32_t> depths_;
};

}  // namespace

template <typename T>
TreeForest<T>::TreeForest(const std::vector<TreeNode>& nodes, std::span<const int64_t> roots) {
  Require(nodes.size() < std::numeric_limits<int32_t>::max() / 2, "too many tree nodes");
  for (const TreeNode& node : nodes) {
    if (node.mode == TreeMode::kLeaf) continue;
    Require(node.feature >= 0 && node.feature < kMaxFeatures, "tree node names feature ", node.feature,
            ", which is outside [0, ", kMaxFeatures, ")");
    features_ = std::max(features_, static_cast<size_t>(node.feature) + 1);
  }
  TreeDepths depths(nodes);
  std::vector<uint32_t> children(nodes.size());
  nodes_.reserve(nodes.size());
  for (int64_t root : roots) {
    depths_.push_back(depths.Of(root));
    roots_.push_back(Place(nodes, static_cast<size_t>(root), children));
  }
}

/// `children` tells for each node where the pair below it was placed, or 0: the first place is a root's.
template <typename T>
uint32_t TreeForest<T>::Place(const std::vector<TreeNode>& nodes, size_t root, std::vector<uint32_t>& children) {
  struct Step {
    size_t from;
    uint32_t to;
  };
  const auto root_at = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  exact_.emplace_back();
  std::vector<Step> left = {{root, root_at}};
  for (size_t next = 0; next < left.size(); ++next) {  // breadth first: the top of the tree shares cache lines
    const Step step = left[next];
    const TreeNode& node = nodes[step.from];
    Fill(node, step.to);
    if (node.mode == TreeMode::kLeaf) continue;
    uint32_t& child = children[step.from];
    const bool placed = child != 0;
    if (!placed) child = static_cast<uint32_t>(nodes_.size());
    nodes_[step.to].child = child;
    if (placed) continue;
    nodes_.resize(nodes_.size() + 2);
    exact_.resize(nodes_.size());
    const bool swapped = exact_[step.to].swapped;
    left.push_back({static_cast<size_t>(swapped ? node.if_false : node.if_true), child});
    left.push_back({static_cast<size_t>(swapped ? node.if_true : node.if_false), child + 1});
  }
  return root_at;
}

template <typename T>
void TreeForest<T>::Fill(const TreeNode& from, uint32_t at) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  Node& node = nodes_[at];
  Exact& exact = exact_[at];
  const T threshold = static_cast<T>(from.threshold);
  exact.mode = from.mode;
  exact.missing_is_true = from.missing_is_true;
  exact.threshold = threshold;
  if (from.mode == TreeMode::kLeaf) {
    node = {kInfinity, static_cast<uint32_t>(features_), at, from.leaf};
    return;
  }
  node = {threshold, static_cast<uint32_t>(from.feature), 0, -1};
  exact_on_missing_ |= from.missing_is_true || std::isnan(threshold);
  switch (from.mode) {
    case TreeMode::kLess:  // x < t is x <= the number before t
      node.threshold = std::nextafter(threshold, -kInfinity);
      exact_only_ |= std::isinf(threshold);
      break;
    case TreeMode::kGreater:
      exact.swapped = true;
      exact_on_missing_ = true;
      break;
    case TreeMode::kGreaterEqual:
      node.threshold = std::nextafter(threshold, -kInfinity);
      exact.swapped = true;
      exact_on_missing_ = true;
      exact_only_ |= std::isinf(threshold);
      break;
    case TreeMode::kLessEqual:
      break;
    case TreeMode::kMember:
      exact.first_member = static_cast<uint32_t>(members_.size());
      exact.members = static_cast<uint32_t>(from.members.size());
      for (double member : from.members) members_.push_back(static_cast<T>(member));
      exact_only_ = true;
      break;
    default:
      exact_only_ = true;
  }
}

template <typename T>
int32_t TreeForest<T>::WalkExactly(const T* x, size_t stride, uint32_t root) const {
  uint32_t at = root;
  while (exact_[at].mode != TreeMode::kLeaf) {
    const Exact& exact = exact_[at];
    const T value = x[nodes_[at].feature * stride];
    bool holds = exact.missing_is_true && std::isnan(value);
    switch (exact.mode) {
      case TreeMode::kLessEqual:
        holds |= value <= exact.threshold;
        break;
      case TreeMode::kLess:
        holds |= value < exact.threshold;
        break;
      case TreeMode::kGreaterEqual:
        holds |= value >= exact.threshold;
        break;
      case TreeMode::kGreater:
        holds |= value > exact.threshold;
        break;
      case TreeMode::kEqual:
        holds |= value == exact.threshold;
        break;
      case TreeMode::kNotEqual:
        holds |= value != exact.threshold;
        break;
      default: {
        const T* first = members_.data() + exact.first_member;
        holds |= std::find(first, first + exact.members, value) != first + exact.members;
      }
    }
    at = nodes_[at].child + (holds != exact.swapped ? 0u : 1u);
  }
  return nodes_[at].leaf;
}

template <typename T>
void TreeForest<T>::WalkGroup(const T* group, bool exactly, size_t tree, int32_t* leaves) const {
  if (exactly) {
    for (size_t k = 0; k < kGroup; ++k) leaves[k] = WalkExactly(group + k, kGroup, roots_[tree]);
    return;
  }
  const Node* nodes = nodes_.data();
  std::array<uint32_t, kGroup> at;
  at.fill(roots_[tree]);
  for (size_t step = 0; step < depths_[tree]; step += kStride) {
    uint32_t moved = 0;
    for (size_t i = 0; i < kStride; ++i) {
#pragma GCC unroll 8
      for (size_t k = 0; k < kGroup; ++k) {
        const Node& node = nodes[at[k]];
        const uint32_t next = node.child + !(group[node.feature * kGroup + k] <= node.threshold);
        if (i + 1 == kStride) moved |= next ^ at[k];
        at[k] = next;
      }
    }
    if (moved == 0) break;
  }
  for (size_t k = 0; k < kGroup; ++k) leaves[k] = nodes[at[k]].leaf;
}

template <typename T>
void TreeForest<T>::WalkTrees(const T* row, bool exactly, size_t first, size_t last, int32_t* leaves) const {
  size_t tree = first;
  const Node* nodes = nodes_.data();
  for (; !exactly && tree + kGroup <= last; tree += kGroup) {
    std::array<uint32_t, kGroup> at;
    uint32_t depth = 0;
    for (size_t k = 0; k < kGroup; ++k) {
      at[k] = roots_[tree + k];
      depth = std::max(depth, depths_[tree + k]);
    }
    for (size_t step = 0; step < depth; step += kStride) {
      uint32_t moved = 0;
      for (size_t i = 0; i < kStride; ++i) {
#pragma GCC unroll 8
        for (size_t k = 0; k < kGroup; ++k) {
          const Node& node = nodes[at[k]];
          const uint32_t next = node.child + !(row[node.feature] <= node.threshold);
          if (i + 1 == kStride) moved |= next ^ at[k];
          at[k] = next;
        }
      }
      if (moved == 0) break;
    }
    for (size_t k = 0; k < kGroup; ++k) leaves[tree - first + k] = nodes[at[k]].leaf;
  }
  for (; tree < last; ++tree) leaves[tree - first] = WalkExactly(row, 1, roots_[tree]);
}

template class TreeForest<float>;
template class TreeForest<double>;

}  // namespace ortrun::cpu
