// SPDX-License-Identifier: Apache-2.0
// TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble: rows in groups through each tree, in blocks over
// threads. Every row adds its trees in their order, so the bits do not depend on the number of threads.

#include <algorithm>
#include <limits>
#include <set>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/ml/class_labels.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/ml/rows.h"
#include "plugins/cpu/kernels/ml/tree_attributes.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kBlockGroups = 8;    ///< groups of rows that go through a tree while it is in the cache
constexpr size_t kTreesPerTask = 64;  ///< trees that pay for handing one row's walk to another thread

/// What each leaf adds: a dense row of weights when the targets are few, and which targets it votes on.
template <typename T>
class LeafVotes {
 public:
  explicit LeafVotes(const TreeEnsembleModel& model) : targets_(static_cast<size_t>(model.targets)) {
    dense_ = targets_ <= kMaxDenseTargets && model.aggregate != TreeAggregate::kMin &&
             model.aggregate != TreeAggregate::kMax;
    first_.push_back(0);
    for (const auto& votes : model.votes) {
      if (dense_) {
        const size_t at = weights_.size();
        weights_.resize(at + targets_);
        for (const TreeVote& vote : votes)
          weights_[at + static_cast<size_t>(vote.target)] += static_cast<T>(vote.weight);
        continue;
      }
      for (const TreeVote& vote : votes) {
        targets_of_.push_back(static_cast<uint32_t>(vote.target));
        weights_.push_back(static_cast<T>(vote.weight));
      }
      first_.push_back(weights_.size());
    }
  }

  bool dense() const { return dense_; }

  void AddTo(T* sums, int32_t leaf) const {
    const auto index = static_cast<size_t>(leaf);
    if (dense_) {
      const T* weights = weights_.data() + index * targets_;
      for (size_t i = 0; i < targets_; ++i) sums[i] += weights[i];
      return;
    }
    for (size_t i = first_[index]; i < first_[index + 1]; ++i) sums[targets_of_[i]] += weights_[i];
  }

  /// Keeps the least or largest vote; `seen` counts votes of each target.
  void FoldInto(T* folds, bool* seen, int32_t leaf, bool smallest) const {
    const auto index = static_cast<size_t>(leaf);
    for (size_t i = first_[index]; i < first_[index + 1]; ++i) {
      const size_t target = targets_of_[i];
      const T weight = weights_[i];
      if (!seen[target] || (smallest ? weight < folds[target] : weight > folds[target])) folds[target] = weight;
      seen[target] = true;
    }
  }

 private:
  static constexpr size_t kMaxDenseTargets = 16;
  size_t targets_;
  bool dense_ = false;
  std::vector<size_t> first_;
  std::vector<uint32_t> targets_of_;
  std::vector<T> weights_;
};

/// A forest with its votes. T is the type of thresholds and features.
template <typename T>
class Ensemble {
 public:
  explicit Ensemble(const TreeEnsembleModel& model)
      : forest_(model.nodes, model.roots),
        votes_(model),
        aggregate_(model.aggregate),
        targets_(static_cast<size_t>(model.targets)),
        base_(model.base_values.begin(), model.base_values.end()) {}

  /// scores[row * targets + target] for every row of `x`; `finish(scores of one row, row)` runs for each.
  template <typename From, typename Finish>
  void Score(KernelContext& context, const From* x, const RowShape& shape, const Finish& finish) const {
    Require(shape.width >= forest_.features(), "the trees look at ", forest_.features(), " features, the input has ",
            shape.width);
    if (shape.rows < TreeForest<T>::kGroup / 2) {
      for (size_t row = 0; row < shape.rows; ++row) ScoreRow(context, x + row * shape.width, row, finish);
      return;
    }
    constexpr size_t kRows = kBlockGroups * TreeForest<T>::kGroup;
    const size_t blocks = (shape.rows + kRows - 1) / kRows;
    const size_t group_size = forest_.group_size();
    const size_t tasks = std::min(blocks, 4 * context.Concurrency());
    const size_t room = kBlockGroups * group_size + kRows * targets_;
    T* memory = context.Scratch<T>(tasks * room);
    bool* seen = context.Scratch<bool>(tasks * kRows * targets_);
    context.ParallelFor(tasks, [&](size_t task) {
      T* groups = memory + task * room;
      for (size_t block = blocks * task / tasks; block < blocks * (task + 1) / tasks; ++block)
        ScoreBlock(x, shape, block * kRows, groups, groups + kBlockGroups * group_size, seen + task * kRows * targets_,
                   finish);
    });
  }

 private:
  template <typename From, typename Finish>
  void ScoreBlock(const From* x, const RowShape& shape, size_t first, T* groups, T* scores, bool* seen,
                  const Finish& finish) const {
    constexpr size_t kGroup = TreeForest<T>::kGroup;
    const size_t rows = std::min(kBlockGroups * kGroup, shape.rows - first);
    const size_t count = (rows + kGroup - 1) / kGroup;
    std::array<bool, kBlockGroups> exactly{};
    for (size_t g = 0; g < count; ++g)
      exactly[g] = forest_.PrepareGroup(x + (first + g * kGroup) * shape.width, shape.width,
                                        std::min(kGroup, rows - g * kGroup), groups + g * forest_.group_size());
    std::fill_n(scores, count * kGroup * targets_, T(0));
    std::fill_n(seen, count * kGroup * targets_, false);
    int32_t leaves[kGroup];
    for (size_t tree = 0; tree < forest_.trees(); ++tree) {
      for (size_t g = 0; g < count; ++g) {
        forest_.WalkGroup(groups + g * forest_.group_size(), exactly[g], tree, leaves);
        for (size_t k = 0; k < kGroup; ++k) {
          const size_t at = (g * kGroup + k) * targets_;
          Add(scores + at, seen + at, leaves[k]);
        }
      }
    }
    for (size_t row = 0; row < rows; ++row) Finalize(scores + row * targets_, first + row, finish);
  }

  template <typename From, typename Finish>
  void ScoreRow(KernelContext& context, const From* x, size_t row, const Finish& finish) const {
    T* prepared = context.Scratch<T>(forest_.row_size());
    T* scores = context.Scratch<T>(targets_);
    bool* seen = context.Scratch<bool>(targets_);
    int32_t* leaves = context.Scratch<int32_t>(forest_.trees());
    std::fill_n(scores, targets_, T(0));
    std::fill_n(seen, targets_, false);
    const bool exactly = forest_.PrepareRow(x, prepared);
    const size_t tasks = (forest_.trees() + kTreesPerTask - 1) / kTreesPerTask;
    context.ParallelRange(tasks, 8, [&](size_t begin, size_t end) {
      const size_t first = begin * kTreesPerTask;
      forest_.WalkTrees(prepared, exactly, first, std::min(forest_.trees(), end * kTreesPerTask), leaves + first);
    });
    for (size_t tree = 0; tree < forest_.trees(); ++tree) Add(scores, seen, leaves[tree]);
    Finalize(scores, row, finish);
  }

  void Add(T* scores, bool* seen, int32_t leaf) const {
    if (aggregate_ == TreeAggregate::kSum || aggregate_ == TreeAggregate::kAverage)
      votes_.AddTo(scores, leaf);
    else
      votes_.FoldInto(scores, seen, leaf, aggregate_ == TreeAggregate::kMin);
  }

  template <typename Finish>
  void Finalize(T* scores, size_t row, const Finish& finish) const {
    if (aggregate_ == TreeAggregate::kAverage)
      for (size_t i = 0; i < targets_; ++i) scores[i] /= static_cast<T>(forest_.trees());
    if (base_.size() == targets_)
      for (size_t i = 0; i < targets_; ++i) scores[i] += base_[i];
    finish(scores, row);
  }

  TreeForest<T> forest_;
  LeafVotes<T> votes_;
  TreeAggregate aggregate_;
  size_t targets_;
  std::vector<T> base_;
};

/// Runs `body` with the ensemble that fits the input: float where thresholds and features are.
class AnyEnsemble {
 public:
  explicit AnyEnsemble(const TreeEnsembleModel& model, ElementType input) {
    if (model.in_double || input != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
      doubles_ = std::make_unique<Ensemble<double>>(model);
    else
      floats_ = std::make_unique<Ensemble<float>>(model);
  }

  template <typename Finish>
  void Score(KernelContext& context, const Tensor& x, const RowShape& shape, const Finish& finish) const {
    DispatchType<FeatureTypes>(x.type(), [&](auto type) {
      using From = typename decltype(type)::type;
      if (floats_ != nullptr)
        floats_->Score(context, x.data<From>(), shape, finish);
      else
        doubles_->Score(context, x.data<From>(), shape, finish);
    });
  }

 private:
  std::unique_ptr<Ensemble<float>> floats_;
  std::unique_ptr<Ensemble<double>> doubles_;
};

ElementType FeatureType(const KernelInfo& info) {
  const auto type = info.InputType(0);
  return type ? type->type : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

/// TreeEnsembleRegressor and TreeEnsemble.
class TreeRegressor : public Kernel {
 public:
  TreeRegressor(const TreeEnsembleModel& model, ElementType input)
      : targets_(static_cast<size_t>(model.targets)), transform_(model.post_transform), ensemble_(model, input) {
    Require(model.base_values.empty() || model.base_values.size() == targets_, "base_values has ",
            model.base_values.size(), " entries for ", targets_, " targets");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    const Tensor y = context.Output(0, Shape{static_cast<int64_t>(shape.rows), static_cast<int64_t>(targets_)});
    if (y.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE) {
      Require(transform_ == PostTransform::kNone, "post_transform is served for float outputs only");
      ensemble_.Score(context, x, shape, [&](const auto* scores, size_t row) {
        for (size_t i = 0; i < targets_; ++i) y.data<double>()[row * targets_ + i] = static_cast<double>(scores[i]);
      });
      return;
    }
    ensemble_.Score(context, x, shape, [&](const auto* scores, size_t row) {
      float* to = y.data<float>() + row * targets_;
      for (size_t i = 0; i < targets_; ++i) to[i] = static_cast<float>(scores[i]);
      ApplyPostTransform(transform_, to, targets_);
    });
  }

 private:
  size_t targets_;
  PostTransform transform_;
  AnyEnsemble ensemble_;
};

class TreeEnsembleRegressor : public TreeRegressor {
 public:
  explicit TreeEnsembleRegressor(const KernelInfo& info)
      : TreeRegressor(ReadTreeEnsemble(info, "target", Targets(info)), FeatureType(info)) {}

 private:
  static int64_t Targets(const KernelInfo& info) {
    const int64_t targets = info.Int("n_targets", 1);
    Require(targets > 0 && targets < (int64_t{1} << 24), "n_targets ", targets, " is out of range");
    return targets;
  }
};

class TreeEnsemble : public TreeRegressor {
 public:
  explicit TreeEnsemble(const KernelInfo& info) : TreeRegressor(ReadTreeEnsemble5(info), FeatureType(info)) {}
};

class TreeEnsembleClassifier : public Kernel {
 public:
  explicit TreeEnsembleClassifier(const KernelInfo& info) : labels_(info, "classlabels_int64s", "classlabels_strings") {
    Require(labels_.size() != 0, "classlabels_int64s or classlabels_strings must be given");
    TreeEnsembleModel model = ReadTreeEnsemble(info, "class", static_cast<int64_t>(labels_.size()));
    transform_ = model.post_transform;
    std::set<int64_t> voted;
    for (const auto& votes : model.votes) {
      for (const TreeVote& vote : votes) {
        voted.insert(vote.target);
        all_positive_ &= vote.weight >= 0;
      }
    }
    // Two classes of which the trees know one: its score decides; where that is class 0 it stands for both.
    decided_by_one_ = labels_.size() == 2 && voted.size() == 1;
    one_score_ = decided_by_one_ && *voted.begin() == 0;
    if (one_score_) {
      model.targets = 1;
      if (model.base_values.size() == 2) model.base_values = {model.base_values[0]};
    }
    Require(model.base_values.empty() || model.base_values.size() == static_cast<size_t>(model.targets) ||
                labels_.size() == 2,
            "base_values has ", model.base_values.size(), " entries for ", labels_.size(), " classes");
    ensemble_ = std::make_unique<AnyEnsemble>(model, FeatureType(info));
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    const size_t classes = labels_.size();
    const Tensor z = context.Output(1, Shape{static_cast<int64_t>(shape.rows), static_cast<int64_t>(classes)});
    float* scores_out = z ? z.data<float>() : context.Scratch<float>(shape.rows * classes);
    int32_t* picked = context.Scratch<int32_t>(shape.rows);
    const float middle = all_positive_ ? 0.5f : 0.0f;
    ensemble_->Score(context, x, shape, [&](const auto* scores, size_t row) {
      float* to = scores_out + row * classes;
      if (one_score_) {
        const auto score = static_cast<float>(scores[0]);
        picked[row] = score > middle ? 1 : 0;
        WriteTwoClassScores(transform_, score, all_positive_, to);
        return;
      }
      for (size_t i = 0; i < classes; ++i) to[i] = static_cast<float>(scores[i]);
      const auto largest = [=] { return static_cast<int32_t>(std::max_element(to, to + classes) - to); };
      picked[row] = decided_by_one_ ? to[1] > middle : largest();
      ApplyPostTransform(transform_, to, classes);
      // It changes the order where a score is 0.
      if (transform_ == PostTransform::kSoftmaxZero && !decided_by_one_) picked[row] = largest();
    });
    labels_.Write(context, 0, picked, shape.rows);
  }

 private:
  ClassLabels labels_;
  PostTransform transform_ = PostTransform::kNone;
  bool decided_by_one_ = false;
  bool one_score_ = false;
  bool all_positive_ = true;
  std::unique_ptr<AnyEnsemble> ensemble_;
};

}  // namespace

void RegisterTreeEnsembles(KernelList& list) {
  const char* domain = "ai.onnx.ml";
  list.Add({.domain = domain,
            .op = "TreeEnsembleClassifier",
            .types = {{"T1", FeatureTypes::Values()}},
            .make = MakeKernel<TreeEnsembleClassifier>});
  list.Add({.domain = domain,
            .op = "TreeEnsembleRegressor",
            .types = {{"T", FeatureTypes::Values()}},
            .make = MakeKernel<TreeEnsembleRegressor>});
  list.Add(
      {.domain = domain, .op = "TreeEnsemble", .types = {{"T", Floats::Values()}}, .make = MakeKernel<TreeEnsemble>});
}

}  // namespace ortrun::cpu
