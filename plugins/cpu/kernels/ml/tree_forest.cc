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
  std::vector<bool> seen(nodes.size());
  nodes_.reserve(nodes.size());
  for (int64_t root : roots) roots_.push_back(Place(nodes, root, seen));
}

template <typename T>
uint32_t TreeForest<T>::Place(const std::vector<TreeNode>& nodes, int64_t root, std::vector<bool>& seen) {
  struct Step {
    int64_t from;
    uint32_t to;
    uint32_t depth;
  };
  const auto root_at = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  exact_.emplace_back();
  uint32_t depth = 0;
  std::vector<Step> left = {{root, root_at, 0}};
  for (size_t next = 0; next < left.size(); ++next) {  // breadth first: the top of the tree shares cache lines
    const Step step = left[next];
    Require(step.from >= 0 && step.from < static_cast<int64_t>(nodes.size()), "tree node ", step.from,
            " does not exist; there are ", nodes.size());
    const auto from = static_cast<size_t>(step.from);
    Require(!seen[from], "tree node ", from, " is reached twice: trees must not have cycles or share nodes");
    seen[from] = true;
    depth = std::max(depth, step.depth);
    Fill(nodes[from], step.to);
    if (nodes[from].mode == TreeMode::kLeaf) continue;
    const auto child = static_cast<uint32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    exact_.resize(nodes_.size());
    nodes_[step.to].child = child;
    const bool swapped = exact_[step.to].swapped;
    left.push_back({swapped ? nodes[from].if_false : nodes[from].if_true, child, step.depth + 1});
    left.push_back({swapped ? nodes[from].if_true : nodes[from].if_false, child + 1, step.depth + 1});
  }
  depths_.push_back(depth);
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
