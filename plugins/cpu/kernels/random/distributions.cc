// SPDX-License-Identifier: Apache-2.0
// RandomUniform and RandomNormal, with the shape in an attribute, and RandomUniformLike and RandomNormalLike, with that
// of an input.
#include <cmath>
#include <numbers>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/random/random.h"

namespace ortrun::cpu {
namespace {

struct Uniform {
  static constexpr const char* kAttributes[2] = {"low", "high"};
  double low;
  double high;
  double operator()(std::mt19937& generator) const { return low + (high - low) * RandomSource::Uniform(generator); }
};

/// Box and Muller's transform, one number of each pair.
struct Normal {
  static constexpr const char* kAttributes[2] = {"mean", "scale"};
  double mean;
  double scale;
  double operator()(std::mt19937& generator) const {
    const double radius = std::sqrt(-2 * std::log(1 - RandomSource::Uniform(generator)));
    return mean + scale * radius * std::cos(2 * std::numbers::pi * RandomSource::Uniform(generator));
  }
};

template <typename Distribution, bool kLike>
class Random : public Kernel {
 public:
  explicit Random(const KernelInfo& info)
      : source_(info),
        distribution_{static_cast<double>(info.Float(Distribution::kAttributes[0], 0)),
                      static_cast<double>(info.Float(Distribution::kAttributes[1], 1))},
        shape_(kLike ? std::vector<int64_t>{} : info.Ints("shape")) {
    CheckedCount(shape_);
  }

  void Compute(KernelContext& context) const override {
    const Tensor y = context.Output(0, kLike ? Shape(context.Input(0).dims()) : Shape(shape_));
    std::mt19937 generator = source_.Start();
    DispatchType<AllFloats>(y.type(), [&]<typename T>(std::type_identity<T>) {
      using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
      for (size_t i = 0; i < y.count(); ++i)
        y.data<T>()[i] = static_cast<T>(static_cast<Wide>(distribution_(generator)));
    });
  }

 private:
  RandomSource source_;
  Distribution distribution_;
  std::vector<int64_t> shape_;
};

}  // namespace

void RegisterDistributions(KernelList& list) {
  const auto floats = AllFloats::Values();
  const std::vector<TypeRule> types = {{"T", floats}};
  const std::vector<TypeRule> like_types = {{"T1", AllTypes()}, {"T2", floats}};
  list.Add({.op = "RandomUniform", .types = types, .make = MakeKernel<Random<Uniform, false>>});
  list.Add({.op = "RandomUniformLike", .types = like_types, .make = MakeKernel<Random<Uniform, true>>});
  list.Add({.op = "RandomNormal", .types = types, .make = MakeKernel<Random<Normal, false>>});
  list.Add({.op = "RandomNormalLike", .types = like_types, .make = MakeKernel<Random<Normal, true>>});
}

}  // namespace ortrun::cpu
