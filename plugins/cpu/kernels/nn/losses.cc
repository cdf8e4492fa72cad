// SPDX-License-Identifier: Apache-2.0
// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss, which takes the logarithm of a softmax first.
#include <algorithm>
#include <cmath>
#include <string>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

enum class Reduction { kNone, kSum, kMean };

Reduction ReadReduction(const KernelInfo& info) {
  const std::string name = info.String("reduction", "mean");
  if (name == "none") return Reduction::kNone;
  if (name == "sum") return Reduction::kSum;
  Require(name == "mean", "attribute reduction=\"", name, "\" must be none, sum or mean");
  return Reduction::kMean;
}

template <typename T>
T FromDouble(double value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else
    return static_cast<T>(static_cast<float>(value));
}

/// The classes of one place: n numbers, `stride` apart.
template <typename T>
struct Scores {
  const T* first;
  size_t stride;
  size_t n;
  double operator[](size_t i) const { return static_cast<double>(first[i * stride]); }
  double LogOfSum() const {
    double largest = (*this)[0];
    for (size_t i = 1; i < n; ++i) largest = std::max(largest, (*this)[i]);
    if (std::isinf(largest)) largest = 0;
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += std::exp((*this)[i] - largest);
    return largest + std::log(sum);
  }
};

template <bool kSoftmax>
class Loss : public Kernel {
 public:
  explicit Loss(const KernelInfo& info)
      : reduction_(ReadReduction(info)),
        has_ignored_(info.HasAttribute("ignore_index")),
        ignored_(info.Int("ignore_index", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor target = context.Input(1);
    const Tensor weight = context.OptionalInput(2);
    Require(x.rank() >= 2 && target.rank() + 1 == x.rank(), "the scores have rank ", x.rank(), " and the targets ",
            target.rank(), ": one less is needed");
    for (size_t i = 0; i < target.rank(); ++i)
      Require(target.dim(i) == x.dim(i == 0 ? 0 : i + 1), "the targets have ", target.dim(i), " along axis ", i,
              ", the scores ", x.dim(i == 0 ? 0 : i + 1));
    // The standard asks for a weight for each class; without one only for those that no target names, the result is
    // known as well.
    Require(!weight || (weight.rank() == 1 && weight.type() == x.type()),
            "the weights must be a vector of the scores' type, with one for each of the ", x.dim(1), " classes");
    const Tensor y = context.Output(0, reduction_ == Reduction::kNone ? target.shape() : Shape{});
    const Tensor log_prob = kSoftmax && context.OutputCount() > 1 ? context.Output(1, x.dims()) : Tensor();
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      DispatchType<TypeList<int32_t, int64_t>>(target.type(), [&]<typename I>(std::type_identity<I>) {
        Run(x, target.data<I>(), target.count(), weight, y.data<T>(), log_prob ? log_prob.data<T>() : nullptr);
      });
    });
  }

 private:
  template <typename T, typename I>
  void Run(const Tensor& x, const I* target, size_t places, const Tensor& weight, T* y, T* log_prob) const {
    const T* weights = weight ? weight.data<T>() : nullptr;
    const auto classes = static_cast<size_t>(x.dim(1));
    const auto inner = static_cast<size_t>(x.shape().Count(2, x.rank()));
    double total = 0;
    double total_weight = 0;
    for (size_t place = 0; place < places; ++place) {
      const size_t at = place / inner * classes * inner + place % inner;
      const Scores<T> scores{x.data<T>() + at, inner, classes};
      const double log_sum = kSoftmax && classes != 0 ? scores.LogOfSum() : 0;
      if (log_prob != nullptr)
        for (size_t i = 0; i < classes; ++i) log_prob[at + i * inner] = FromDouble<T>(scores[i] - log_sum);
      const bool ignored = has_ignored_ && target[place] == ignored_;
      Require(ignored || (target[place] >= 0 && static_cast<size_t>(target[place]) < classes), "target ", target[place],
              " is none of the ", classes, " classes");
      const auto chosen = static_cast<size_t>(ignored ? 0 : target[place]);
      Require(ignored || weights == nullptr || chosen < weight.count(), "target ", chosen, " has none of the ",
              weight.count(), " weights; the ", classes, " classes need one each");
      const double factor = ignored ? 0.0 : weights == nullptr ? 1.0 : static_cast<double>(weights[chosen]);
      const double loss = ignored ? 0.0 : -(scores[chosen] - log_sum) * factor;
      if (reduction_ == Reduction::kNone) y[place] = FromDouble<T>(loss);
      total += loss;
      total_weight += factor;
    }
    if (reduction_ == Reduction::kSum) *y = FromDouble<T>(total);
    if (reduction_ == Reduction::kMean) *y = FromDouble<T>(total / total_weight);
  }

  Reduction reduction_;
  bool has_ignored_;
  int64_t ignored_;
};

}  // namespace

void RegisterLosses(KernelList& list) {
  const std::vector<TypeRule> types = {{"T", AllFloats::Values()}, {"Tind", TypeList<int32_t, int64_t>::Values()}};
  list.Add({.op = "NegativeLogLikelihoodLoss", .since = 12, .types = types, .make = MakeKernel<Loss<false>>});
  list.Add({.op = "SoftmaxCrossEntropyLoss", .since = 12, .types = types, .make = MakeKernel<Loss<true>>});
}

}  // namespace ortrun::cpu
