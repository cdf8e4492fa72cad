// SPDX-License-Identifier: Apache-2.0
// Bernoulli: 1 with the probability that the input gives. Multinomial: classes drawn by unnormalised log-probabilities.
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/random/random.h"

namespace ortrun::cpu {
namespace {

using BernoulliOutputs = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t,
                                  uint64_t, Float16, BFloat16, bool>;

class Bernoulli : public Kernel {
 public:
  explicit Bernoulli(const KernelInfo& info) : source_(info) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.dims());
    std::mt19937 generator = source_.Start();
    DispatchType<AllFloats>(x.type(), [&]<typename P>(std::type_identity<P>) {
      DispatchType<BernoulliOutputs>(y.type(), [&]<typename T>(std::type_identity<T>) {
        for (size_t i = 0; i < x.count(); ++i) {
          const auto probability = static_cast<double>(x.data<P>()[i]);
          Require(probability >= 0 && probability <= 1, "element ", i, " is ", probability,
                  ", which is no probability");
          y.data<T>()[i] = static_cast<T>(RandomSource::Uniform(generator) < probability ? 1.0F : 0.0F);
        }
      });
    });
  }

 private:
  RandomSource source_;
};

class Multinomial : public Kernel {
 public:
  explicit Multinomial(const KernelInfo& info) : source_(info), samples_(info.Int("sample_size", 1)) {
    Require(samples_ >= 1, "attribute sample_size=", samples_, " must be at least 1");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 2 && x.dim(1) >= 1, "the input must be [batch, classes] with one class or more");
    CheckedCount(Shape{x.dim(0), samples_}.dims());
    const Tensor y = context.Output(0, Shape{x.dim(0), samples_});
    const auto classes = static_cast<size_t>(x.dim(1));
    double* sums = context.Scratch<double>(classes);
    std::mt19937 generator = source_.Start();
    DispatchType<AllFloats>(x.type(), [&]<typename P>(std::type_identity<P>) {
      DispatchType<TypeList<int32_t, int64_t>>(y.type(), [&]<typename T>(std::type_identity<T>) {
        for (size_t row = 0; row < static_cast<size_t>(x.dim(0)); ++row) {
          Accumulate(x.data<P>() + row * classes, classes, sums);
          T* to = y.data<T>() + row * static_cast<size_t>(samples_);
          for (int64_t i = 0; i < samples_; ++i) {
            const double drawn = RandomSource::Uniform(generator) * sums[classes - 1];
            const auto found = std::upper_bound(sums, sums + classes - 1, drawn) - sums;
            to[i] = static_cast<T>(found);
          }
        }
      });
    });
  }

 private:
  /// Running sums of exp(x - max): classes of probability 0 add nothing.
  template <typename P>
  static void Accumulate(const P* x, size_t n, double* sums) {
    double largest = static_cast<double>(x[0]);
    for (size_t i = 1; i < n; ++i) largest = std::max(largest, static_cast<double>(x[i]));
    Require(std::isfinite(largest), "a row of the input has no finite largest log-probability");
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sums[i] = sum += std::exp(static_cast<double>(x[i]) - largest);
  }

  RandomSource source_;
  int64_t samples_;
};

}  // namespace

void RegisterDraws(KernelList& list) {
  list.Add({.op = "Bernoulli",
            .since = 15,
            .types = {{"T1", AllFloats::Values()}, {"T2", BernoulliOutputs::Values()}},
            .make = MakeKernel<Bernoulli>});
  list.Add({.op = "Multinomial",
            .since = 7,
            .types = {{"T1", AllFloats::Values()}, {"T2", TypeList<int32_t, int64_t>::Values()}},
            .make = MakeKernel<Multinomial>});
}

}  // namespace ortrun::cpu
