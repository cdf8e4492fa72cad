// SPDX-License-Identifier: Apache-2.0
// SVMClassifier and SVMRegressor. One-against-one votes and Platt's pairwise probabilities as libsvm defines them.

#include <algorithm>
#include <cmath>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/ml/class_labels.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/ml/post_transform.h"
#include "plugins/cpu/kernels/ml/rows.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

/// The kernel functions of support vector machines.
class SvmKernel {
 public:
  explicit SvmKernel(const KernelInfo& info) {
    const std::string name = info.String("kernel_type", "LINEAR");
    if (name == "LINEAR")
      type_ = Type::kLinear;
    else if (name == "POLY")
      type_ = Type::kPolynomial;
    else if (name == "RBF")
      type_ = Type::kRadial;
    else if (name == "SIGMOID")
      type_ = Type::kSigmoid;
    else
      throw Error(ORT_INVALID_ARGUMENT, Concat("kernel_type '", name, "' is none of LINEAR, POLY, RBF, SIGMOID"));
    const std::vector<float> parameters = info.Floats("kernel_params");
    Require(parameters.empty() || parameters.size() == 3, "kernel_params must be gamma, coef0 and degree");
    if (parameters.empty()) return;
    gamma_ = parameters[0];
    offset_ = parameters[1];
    degree_ = parameters[2];
  }

  float operator()(const float* a, const float* b, size_t n) const {
    switch (type_) {
      case Type::kLinear:
        return DotProduct(a, b, n);
      case Type::kPolynomial:
        return std::pow(gamma_ * DotProduct(a, b, n) + offset_, degree_);
      case Type::kSigmoid:
        return std::tanh(gamma_ * DotProduct(a, b, n) + offset_);
      default: {
        float distance = 0;
        for (size_t i = 0; i < n; ++i) distance += (a[i] - b[i]) * (a[i] - b[i]);
        return std::exp(-gamma_ * distance);
      }
    }
  }

 private:
  enum class Type { kLinear, kPolynomial, kRadial, kSigmoid };
  Type type_;
  float gamma_ = 0;
  float offset_ = 0;
  float degree_ = 0;
};

class SvmRegressor : public Kernel {
 public:
  explicit SvmRegressor(const KernelInfo& info)
      : kernel_(info),
        coefficients_(info.Floats("coefficients")),
        vectors_(info.Floats("support_vectors")),
        rho_(info.Floats("rho")),
        one_class_(info.Int("one_class", 0) != 0),
        transform_(ParsePostTransform(info.String("post_transform", "NONE"))) {
    const int64_t supports = info.Int("n_supports", 0);
    Require(supports >= 0, "n_supports must not be negative");
    Require(!rho_.empty(), "rho is empty");
    Require(!coefficients_.empty(), "coefficients is empty");
    if (supports > 0) {
      supports_ = static_cast<size_t>(supports);
      Require(coefficients_.size() >= supports_, "coefficients has ", coefficients_.size(), " entries for ", supports_,
              " support vectors");
      Require(!vectors_.empty() && vectors_.size() % supports_ == 0, "support_vectors has ", vectors_.size(),
              " numbers for ", supports_, " vectors");
      features_ = vectors_.size() / supports_;
    } else {
      features_ = coefficients_.size();
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    Require(shape.width == features_, "the model has ", features_, " features, the input ", shape.width);
    const Tensor y = context.Output(0, Shape{static_cast<int64_t>(shape.rows), 1});
    const float* from = FeaturesAsFloats(context, x);
    context.ParallelRange(shape.rows, 8, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const float* features = from + row * features_;
        float sum = rho_[0];
        if (supports_ == 0)  // a linear model, whatever kernel_type says
          sum += DotProduct(features, coefficients_.data(), features_);
        else
          for (size_t i = 0; i < supports_; ++i)
            sum += coefficients_[i] * kernel_(features, vectors_.data() + i * features_, features_);
        if (one_class_) sum = sum > 0 ? 1.0f : -1.0f;
        float& out = y.data<float>()[row];
        out = sum;
        ApplyPostTransform(transform_, &out, transform_ == PostTransform::kSoftmax ? 0 : 1);
      }
    });
  }

 private:
  SvmKernel kernel_;
  std::vector<float> coefficients_;
  std::vector<float> vectors_;
  std::vector<float> rho_;
  bool one_class_;
  PostTransform transform_;
  size_t supports_ = 0;
  size_t features_ = 0;
};

/// Class probabilities from those of each pair (method 2 of Wu, Lin and Weng, 2004): `pairs` is classes x classes.
void CouplePairs(const double* pairs, size_t classes, double* q, double* qp, float* probabilities) {
  for (size_t i = 0; i < classes; ++i) {
    double diagonal = 0;
    for (size_t j = 0; j < classes; ++j) {
      if (j == i) continue;
      diagonal += pairs[j * classes + i] * pairs[j * classes + i];
      q[i * classes + j] = -pairs[j * classes + i] * pairs[i * classes + j];
    }
    q[i * classes + i] = diagonal;
    probabilities[i] = 1.0f / static_cast<float>(classes);
  }
  const double tolerance = 0.005 / static_cast<double>(classes);
  for (int iteration = 0; iteration < 100; ++iteration) {
    double pqp = 0;
    for (size_t i = 0; i < classes; ++i) {
      qp[i] = 0;
      for (size_t j = 0; j < classes; ++j) qp[i] += q[i * classes + j] * static_cast<double>(probabilities[j]);
      pqp += static_cast<double>(probabilities[i]) * qp[i];
    }
    double worst = 0;
    for (size_t i = 0; i < classes; ++i) worst = std::max(worst, std::abs(qp[i] - pqp));
    if (worst < tolerance) break;
    for (size_t i = 0; i < classes; ++i) {
      const double diagonal = q[i * classes + i];
      const double step = (pqp - qp[i]) / diagonal;
      probabilities[i] += static_cast<float>(step);
      pqp = (pqp + step * (step * diagonal + 2 * qp[i])) / (1 + step) / (1 + step);
      for (size_t j = 0; j < classes; ++j) {
        qp[j] = (qp[j] + step * q[i * classes + j]) / (1 + step);
        probabilities[j] = static_cast<float>(static_cast<double>(probabilities[j]) / (1 + step));
      }
    }
  }
}

class SvmClassifier : public Kernel {
 public:
  explicit SvmClassifier(const KernelInfo& info)
      : kernel_(info),
        labels_(info, "classlabels_ints", "classlabels_strings"),
        coefficients_(info.Floats("coefficients")),
        vectors_(info.Floats("support_vectors")),
        rho_(info.Floats("rho")),
        prob_a_(info.Floats("prob_a")),
        prob_b_(info.Floats("prob_b")),
        counts_(info.Ints("vectors_per_class")),
        transform_(ParsePostTransform(info.String("post_transform", "NONE"))),
        classes_(labels_.size()) {
    Require(classes_ != 0, "classlabels_ints or classlabels_strings must be given");
    Require(!coefficients_.empty() && !rho_.empty(), "coefficients and rho must be given");
    Require(prob_a_.size() == prob_b_.size(), "prob_a and prob_b must be as long as each other");
    for (float coefficient : coefficients_) all_positive_ &= coefficient >= 0;
    for (int64_t count : counts_) {
      Require(count >= 0, "vectors_per_class holds ", count);
      starts_.push_back(supports_);
      supports_ += static_cast<size_t>(count);
    }
    if (supports_ == 0) {
      Require(coefficients_.size() % classes_ == 0, "coefficients has ", coefficients_.size(), " numbers for ",
              classes_, " classes");
      features_ = coefficients_.size() / classes_;
      return;
    }
    const size_t pairs = classes_ * (classes_ - 1) / 2;
    Require(counts_.size() == classes_, "vectors_per_class has ", counts_.size(), " entries for ", classes_,
            " classes");
    Require(!vectors_.empty() && vectors_.size() % supports_ == 0, "support_vectors has ", vectors_.size(),
            " numbers for ", supports_, " vectors");
    features_ = vectors_.size() / supports_;
    Require(coefficients_.size() >= supports_ * (classes_ - 1), "coefficients has ", coefficients_.size(),
            " numbers where ", supports_ * (classes_ - 1), " are needed");
    Require(rho_.size() >= pairs, "rho has ", rho_.size(), " entries for ", pairs, " pairs of classes");
    Require(prob_a_.empty() || prob_a_.size() >= pairs, "prob_a has ", prob_a_.size(), " entries for ", pairs,
            " pairs of classes");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    Require(shape.width == features_, "the model has ", features_, " features, the input ", shape.width);
    const float* from = FeaturesAsFloats(context, x);
    const size_t columns = Columns();
    const Tensor z = context.Output(1, Shape{static_cast<int64_t>(shape.rows), static_cast<int64_t>(columns)});
    float* all = z ? z.data<float>() : context.Scratch<float>(shape.rows * columns);
    int32_t* picked = context.Scratch<int32_t>(shape.rows);
    context.ParallelRange(shape.rows, 4, [&](size_t begin, size_t end) {
      std::vector<float> scores(std::max(columns, classes_ * classes_));
      std::vector<double> work(classes_ * classes_ * 3 + supports_);
      for (size_t row = begin; row < end; ++row) {
        picked[row] = supports_ == 0 ? ScoreLinear(from + row * features_, all + row * columns)
                                     : ScorePairs(from + row * features_, scores, work, all + row * columns);
      }
    });
    labels_.Write(context, 0, picked, shape.rows);
  }

 private:
  size_t Columns() const {
    if (supports_ == 0 || !prob_a_.empty()) return classes_;
    return classes_ == 2 ? 2 : classes_ * (classes_ - 1) / 2;
  }

  /// A linear model, whatever kernel_type says; all classes share one offset.
  int32_t ScoreLinear(const float* x, float* out) const {
    for (size_t i = 0; i < classes_; ++i)
      out[i] = DotProduct(x, coefficients_.data() + i * features_, features_) + rho_[0];
    const float* best = std::max_element(out, out + classes_);
    // Two classes without a negative weight: a score of a half decides for the second one.
    const bool second = classes_ == 2 && all_positive_ && rho_.size() == 1 && *best >= 0.5f;
    const auto picked = static_cast<int32_t>(second ? 1 : best - out);
    ApplyPostTransform(transform_, out, classes_);
    return picked;
  }

  int32_t ScorePairs(const float* x, std::vector<float>& scores, std::vector<double>& work, float* out) const {
    double* pairs = work.data();
    double* q = pairs + classes_ * classes_;
    double* qp = q + classes_ * classes_;
    double* values = qp + classes_ * classes_;
    for (size_t i = 0; i < supports_; ++i)
      values[i] = static_cast<double>(kernel_(x, vectors_.data() + i * features_, features_));
    std::vector<int> votes(classes_);
    size_t pair = 0;
    for (size_t i = 0; i < classes_; ++i) {
      for (size_t j = i + 1; j < classes_; ++j, ++pair) {
        double sum = 0;
        const float* first = coefficients_.data() + (j - 1) * supports_ + starts_[i];
        const float* second = coefficients_.data() + i * supports_ + starts_[j];
        for (size_t k = 0; k < static_cast<size_t>(counts_[i]); ++k)
          sum += static_cast<double>(first[k]) * values[starts_[i] + k];
        for (size_t k = 0; k < static_cast<size_t>(counts_[j]); ++k)
          sum += static_cast<double>(second[k]) * values[starts_[j] + k];
        sum += static_cast<double>(rho_[pair]);
        scores[pair] = static_cast<float>(sum);
        ++votes[sum > 0 ? i : j];
        if (prob_a_.empty()) continue;
        const double exponent = sum * static_cast<double>(prob_a_[pair]) + static_cast<double>(prob_b_[pair]);
        const double positive = 1.0 - static_cast<double>(Logistic(static_cast<float>(exponent)));
        pairs[i * classes_ + j] = std::clamp(positive, 1e-7, 1.0 - 1e-7);
        pairs[j * classes_ + i] = 1.0 - pairs[i * classes_ + j];
      }
    }
    // The label is that of most votes, the first of equals. It need not have the largest probability.
    const auto most = static_cast<int32_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
    if (!prob_a_.empty()) {
      CouplePairs(pairs, classes_, q, qp, out);
    } else if (classes_ == 2) {  // one decision, positive for the first class, written as two scores
      out[0] = -scores[0];
      out[1] = scores[0];
    } else {
      std::copy_n(scores.data(), pair, out);
    }
    ApplyPostTransform(transform_, out, Columns());
    return most;
  }

  SvmKernel kernel_;
  ClassLabels labels_;
  std::vector<float> coefficients_;
  std::vector<float> vectors_;
  std::vector<float> rho_;
  std::vector<float> prob_a_;
  std::vector<float> prob_b_;
  std::vector<int64_t> counts_;
  PostTransform transform_;
  size_t classes_;
  std::vector<size_t> starts_;
  size_t supports_ = 0;
  size_t features_ = 0;
  bool all_positive_ = true;
};

}  // namespace

void RegisterSupportVectorMachines(KernelList& list) {
  const char* domain = "ai.onnx.ml";
  list.Add({.domain = domain,
            .op = "SVMClassifier",
            .types = {{"T1", FeatureTypes::Values()}},
            .make = MakeKernel<SvmClassifier>});
  list.Add({.domain = domain,
            .op = "SVMRegressor",
            .types = {{"T", FeatureTypes::Values()}},
            .make = MakeKernel<SvmRegressor>});
}

}  // namespace ortrun::cpu
