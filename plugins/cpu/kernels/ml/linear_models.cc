// SPDX-License-Identifier: Apache-2.0
// LinearClassifier and LinearRegressor.

#include <algorithm>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/ml/class_labels.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/ml/post_transform.h"
#include "plugins/cpu/kernels/ml/rows.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 32768;  ///< products that pay for handing rows to another thread

/// scores = x * coefficients' + intercepts for one row of features.
class LinearScores {
 public:
  LinearScores(std::vector<float> coefficients, std::vector<float> intercepts, size_t targets)
      : coefficients_(std::move(coefficients)), intercepts_(std::move(intercepts)), targets_(targets) {
    Require(targets_ != 0 && !coefficients_.empty() && coefficients_.size() % targets_ == 0, "coefficients has ",
            coefficients_.size(), " entries, which is no multiple of the ", targets_, " targets");
    Require(intercepts_.empty() || intercepts_.size() >= targets_, "intercepts has ", intercepts_.size(),
            " entries for ", targets_, " targets");
  }

  size_t targets() const { return targets_; }
  size_t features() const { return coefficients_.size() / targets_; }

  void Score(const float* x, float* scores) const {
    for (size_t i = 0; i < targets_; ++i)
      scores[i] = DotProduct(x, coefficients_.data() + i * features(), features()) +
                  (intercepts_.empty() ? 0.0f : intercepts_[i]);
  }

 private:
  std::vector<float> coefficients_;
  std::vector<float> intercepts_;
  size_t targets_;
};

void RequireWidth(const RowShape& shape, const LinearScores& model) {
  Require(shape.width == model.features(), "the model has ", model.features(), " features, the input ", shape.width);
}

class LinearRegressor : public Kernel {
 public:
  explicit LinearRegressor(const KernelInfo& info)
      : model_(info.Floats("coefficients"), info.Floats("intercepts"), Targets(info)),
        transform_(ParsePostTransform(info.String("post_transform", "NONE"))) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    RequireWidth(shape, model_);
    const size_t targets = model_.targets();
    const Tensor y = context.Output(0, Shape{static_cast<int64_t>(shape.rows), static_cast<int64_t>(targets)});
    const float* from = FeaturesAsFloats(context, x);
    context.ParallelRange(shape.rows, std::max<size_t>(1, kGrain / (shape.width * targets + 1)),
                          [&](size_t begin, size_t end) {
                            for (size_t row = begin; row < end; ++row) {
                              float* scores = y.data<float>() + row * targets;
                              model_.Score(from + row * shape.width, scores);
                              ApplyPostTransform(transform_, scores, targets);
                            }
                          });
  }

 private:
  static size_t Targets(const KernelInfo& info) {
    const int64_t targets = info.Int("targets", 1);
    Require(targets > 0, "targets must be positive, is ", targets);
    return static_cast<size_t>(targets);
  }

  LinearScores model_;
  PostTransform transform_;
};

class LinearClassifier : public Kernel {
 public:
  explicit LinearClassifier(const KernelInfo& info)
      : labels_(info, "classlabels_ints", "classlabels_strings"),
        model_(info.Floats("coefficients"), info.Floats("intercepts"), Targets(info, labels_.size())),
        transform_(ParsePostTransform(info.String("post_transform", "NONE"))) {
    Require(labels_.size() == model_.targets() || (labels_.size() == 2 && model_.targets() == 1), "the node has ",
            labels_.size(), " class labels for ", model_.targets(), " scores");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    RequireWidth(shape, model_);
    const size_t targets = model_.targets();
    const size_t columns = labels_.size();
    const bool one_score = targets == 1 && columns == 2;
    const Tensor z = context.Output(1, Shape{static_cast<int64_t>(shape.rows), static_cast<int64_t>(columns)});
    float* all_scores = z ? z.data<float>() : context.Scratch<float>(shape.rows * columns);
    int32_t* picked = context.Scratch<int32_t>(shape.rows);
    const float* from = FeaturesAsFloats(context, x);
    context.ParallelRange(
        shape.rows, std::max<size_t>(1, kGrain / (shape.width * targets + 1)), [&](size_t begin, size_t end) {
          for (size_t row = begin; row < end; ++row) {
            float* scores = all_scores + row * columns;
            model_.Score(from + row * shape.width, scores);
            picked[row] =
                one_score ? scores[0] > 0 : static_cast<int32_t>(std::max_element(scores, scores + targets) - scores);
            if (one_score)
              WriteTwoClassScores(transform_, scores[0], true, scores);
            else
              ApplyPostTransform(transform_, scores, targets);
          }
        });
    labels_.Write(context, 0, picked, shape.rows);
  }

 private:
  static size_t Targets(const KernelInfo& info, size_t labels) {
    const size_t intercepts = info.Floats("intercepts").size();
    return intercepts != 0 ? intercepts : labels;
  }

  ClassLabels labels_;
  LinearScores model_;
  PostTransform transform_;
};

}  // namespace

void RegisterLinearModels(KernelList& list) {
  const char* domain = "ai.onnx.ml";
  list.Add({.domain = domain,
            .op = "LinearClassifier",
            .types = {{"T1", FeatureTypes::Values()}},
            .make = MakeKernel<LinearClassifier>});
  list.Add({.domain = domain,
            .op = "LinearRegressor",
            .types = {{"T", FeatureTypes::Values()}},
            .make = MakeKernel<LinearRegressor>});
}

}  // namespace ortrun::cpu
