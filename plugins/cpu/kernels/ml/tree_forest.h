// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ortrun::cpu {

enum class TreeMode : uint8_t { kLessEqual, kLess, kGreaterEqual, kGreater, kEqual, kNotEqual, kMember, kLeaf };

/// One node as a model describes it: an inner node with children, or a leaf with the number of its votes.
struct TreeNode {
  TreeMode mode = TreeMode::kLeaf;
  bool missing_is_true = false;  ///< where a NaN goes
  int64_t feature = 0;
  double threshold = 0;
  int64_t if_true = -1;  ///< index into the nodes
  int64_t if_false = -1;
  int32_t leaf = -1;                 ///< for leaves: any number of the caller's
  std::vector<double> members = {};  ///< for kMember
};

/// Decision trees laid out for walking: the two children of a node lie side by side and a leaf leads to itself, so a
/// group of rows (or of trees) walks in step without branches. A node that several branches lead to is copied beside
/// each sibling, what hangs below it is not. T is float or double, the type of the features.
template <typename T>
class TreeForest {
 public:
  static constexpr size_t kGroup = 8;  ///< rows, or trees, that walk in step

  TreeForest() = default;
  /// Copies the trees that hang from `roots`. Throws when a child lies outside, a node leads back to itself, or a
  /// feature is negative.
  TreeForest(const std::vector<TreeNode>& nodes, std::span<const int64_t> roots);

  size_t trees() const { return roots_.size(); }
  /// Smallest number of features that a row must have.
  size_t features() const { return features_; }

  /// Numbers in one prepared group of kGroup rows, and in one prepared row.
  size_t group_size() const { return (features_ + 1) * kGroup; }
  size_t row_size() const { return features_ + 1; }

  /// Writes `rows` <= kGroup rows, `width` elements apart, into `group` (missing rows repeat the first one). Answers
  /// whether the group must be walked exactly because it holds a NaN that some node treats specially.
  template <typename From>
  bool PrepareGroup(const From* x, size_t width, size_t rows, T* group) const;
  template <typename From>
  bool PrepareRow(const From* x, T* row) const;

  /// leaves[k] = leaf that row k of a prepared group reaches in `tree`.
  void WalkGroup(const T* group, bool exactly, size_t tree, int32_t* leaves) const;
  /// leaves[tree - first] = leaf that a prepared row reaches, for trees [first, last).
  void WalkTrees(const T* row, bool exactly, size_t first, size_t last, int32_t* leaves) const;

 private:
  struct Node {
    T threshold;
    uint32_t feature;  ///< a leaf: features_, where prepared rows hold a 0
    uint32_t child;    ///< if true; child + 1 if false. A leaf: itself
    int32_t leaf;
  };
  struct Exact {  ///< what the fast walk leaves out
    TreeMode mode = TreeMode::kLeaf;
    bool missing_is_true = false;
    bool swapped = false;  ///< the fast walk's children are those of the opposite comparison
    T threshold = 0;
    uint32_t first_member = 0;
    uint32_t members = 0;
  };

  uint32_t Place(const std::vector<TreeNode>& nodes, size_t root, std::vector<uint32_t>& children);
  void Fill(const TreeNode& from, uint32_t at);
  int32_t WalkExactly(const T* x, size_t stride, uint32_t root) const;

  std::vector<Node> nodes_;
  std::vector<Exact> exact_;
  std::vector<T> members_;
  std::vector<uint32_t> roots_;
  std::vector<uint32_t> depths_;
  size_t features_ = 0;
  bool exact_only_ = false;        ///< has modes that the fast walk cannot express
  bool exact_on_missing_ = false;  ///< the fast walk is wrong for rows with a NaN
};

template <typename T>
template <typename From>
bool TreeForest<T>::PrepareGroup(const From* x, size_t width, size_t rows, T* group) const {
  bool missing = false;
  for (size_t k = 0; k < kGroup; ++k) {
    const From* row = x + (k < rows ? k : 0) * width;
    for (size_t i = 0; i < features_; ++i) {
      const T value = static_cast<T>(row[i]);
      missing |= value != value;
      group[i * kGroup + k] = value;
    }
    group[features_ * kGroup + k] = 0;
  }
  return exact_only_ || (missing && exact_on_missing_);
}

template <typename T>
template <typename From>
bool TreeForest<T>::PrepareRow(const From* x, T* row) const {
  bool missing = false;
  for (size_t i = 0; i < features_; ++i) {
    row[i] = static_cast<T>(x[i]);
    missing |= row[i] != row[i];
  }
  row[features_] = 0;
  return exact_only_ || (missing && exact_on_missing_);
}

extern template class TreeForest<float>;
extern template class TreeForest<double>;

}  // namespace ortrun::cpu
