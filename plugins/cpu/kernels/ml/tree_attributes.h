// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ortrun/kernel_info.h"
#include "plugins/cpu/kernels/ml/post_transform.h"
#include "plugins/cpu/kernels/ml/tree_forest.h"

namespace ortrun::cpu {

enum class TreeAggregate { kAverage, kSum, kMin, kMax };

/// What a leaf adds to one target.
struct TreeVote {
  int64_t target;
  double weight;
};

/// A forest as its node's attributes describe it, whichever version they are of.
struct TreeEnsembleModel {
  std::vector<TreeNode> nodes;
  std::vector<int64_t> roots;
  std::vector<std::vector<TreeVote>> votes;  ///< by TreeNode::leaf
  std::vector<double> base_values;
  int64_t targets = 1;
  TreeAggregate aggregate = TreeAggregate::kSum;
  PostTransform post_transform = PostTransform::kNone;
  bool in_double = false;  ///< thresholds or weights are given as double
};

/// Reads the attributes of TreeEnsembleClassifier or TreeEnsembleRegressor; `votes_prefix` is "class" or "target".
/// `targets` is set by the caller and every vote is checked against it.
TreeEnsembleModel ReadTreeEnsemble(const KernelInfo& info, const char* votes_prefix, int64_t targets);

/// Reads the attributes of TreeEnsemble (version 5).
TreeEnsembleModel ReadTreeEnsemble5(const KernelInfo& info);

}  // namespace ortrun::cpu
