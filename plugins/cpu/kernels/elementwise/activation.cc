// SPDX-License-Identifier: Apache-2.0
// Functions of one input with attributes: LeakyRelu, Elu, Selu, Celu, ThresholdedRelu, HardSigmoid, Shrink, Swish,
// Clip.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

/// One activation: its attributes with their defaults (a NULL name ends the list) and its formula.
struct LeakyReluOp {
  static constexpr const char* kName = "LeakyRelu";
  static constexpr const char* kAttributes[2] = {"alpha", nullptr};
  static constexpr float kDefaults[2] = {0.01F, 0};
  template <typename T>
  static T Apply(T x, T alpha, T) {
    return x < 0 ? alpha * x : x;
  }
};
struct EluOp {
  static constexpr const char* kName = "Elu";
  static constexpr const char* kAttributes[2] = {"alpha", nullptr};
  static constexpr float kDefaults[2] = {1, 0};
  template <typename T>
  static T Apply(T x, T alpha, T) {
    return x < 0 ? alpha * std::expm1(x) : x;
  }
};
struct SeluOp {
  static constexpr const char* kName = "Selu";
  static constexpr const char* kAttributes[2] = {"alpha", "gamma"};
  static constexpr float kDefaults[2] = {1.67326319217681884765625F, 1.05070102214813232421875F};
  template <typename T>
  static T Apply(T x, T alpha, T gamma) {
    return gamma * (x <= 0 ? alpha * std::expm1(x) : x);
  }
};
struct CeluOp {
  static constexpr const char* kName = "Celu";
  static constexpr const char* kAttributes[2] = {"alpha", nullptr};
  static constexpr float kDefaults[2] = {1, 0};
  template <typename T>
  static T Apply(T x, T alpha, T) {
    return std::max(x, T{0}) + std::min(T{0}, alpha * std::expm1(x / alpha));  // std::max(NaN, 0) is NaN
  }
};
struct ThresholdedReluOp {
  static constexpr const char* kName = "ThresholdedRelu";
  static constexpr const char* kAttributes[2] = {"alpha", nullptr};
  static constexpr float kDefaults[2] = {1, 0};
  template <typename T>
  static T Apply(T x, T alpha, T) {
    return x > alpha ? x : T{0};
  }
};
struct HardSigmoidOp {
  static constexpr const char* kName = "HardSigmoid";
  static constexpr const char* kAttributes[2] = {"alpha", "beta"};
  static constexpr float kDefaults[2] = {0.2F, 0.5F};
  template <typename T>
  static T Apply(T x, T alpha, T beta) {
    return std::clamp(alpha * x + beta, T{0}, T{1});
  }
};
struct ShrinkOp {
  static constexpr const char* kName = "Shrink";
  static constexpr const char* kAttributes[2] = {"lambd", "bias"};
  static constexpr float kDefaults[2] = {0.5F, 0};
  template <typename T>
  static T Apply(T x, T threshold, T bias) {
    return x < -threshold ? x + bias : (x > threshold ? x - bias : T{0});
  }
};
struct SwishOp {
  static constexpr const char* kName = "Swish";
  static constexpr const char* kAttributes[2] = {"alpha", nullptr};
  static constexpr float kDefaults[2] = {1, 0};
  template <typename T>
  static T Apply(T x, T alpha, T) {
    return x / (T{1} + std::exp(-alpha * x));
  }
};

template <typename Op, typename List>
class Activation : public Kernel {
 public:
  explicit Activation(const KernelInfo& info) : float_loop_(FindUnaryFloatLoop(Op::kName)) {
    for (size_t i = 0; i < 2; ++i)
      if (Op::kAttributes[i] != nullptr) parameters_[i] = info.Float(Op::kAttributes[i], Op::kDefaults[i]);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.dims());
    if (float_loop_ != nullptr && x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
      context.ParallelRange(x.count(), kCheapGrain, [&](size_t begin, size_t end) {
        float_loop_(x.data<float>() + begin, y.data<float>() + begin, end - begin, parameters_[0], parameters_[1]);
      });
      return;
    }
    DispatchType<List>(x.type(), [&]<typename T>(std::type_identity<T>) {
      // Integers (Shrink has them) are computed in double, which holds all that its attributes can express.
      using Wide = std::conditional_t<std::is_integral_v<T>, double, Arithmetic<T>>;
      const auto p0 = static_cast<Wide>(parameters_[0]);
      const auto p1 = static_cast<Wide>(parameters_[1]);
      const T* from = x.data<T>();
      T* to = y.data<T>();
      context.ParallelRange(x.count(), kCostlyGrain, [=](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) to[i] = Narrow<T>(Op::Apply(static_cast<Wide>(from[i]), p0, p1));
      });
    });
  }

 private:
  template <typename T, typename Wide>
  static T Narrow(Wide value) {
    if constexpr (std::is_integral_v<T>) {
      constexpr auto kLow = static_cast<Wide>(std::numeric_limits<T>::min());
      constexpr auto kHigh = static_cast<Wide>(std::numeric_limits<T>::max());
      if (value <= kLow) return std::numeric_limits<T>::min();
      if (value >= kHigh) return std::numeric_limits<T>::max();
      return value == value ? static_cast<T>(value) : T{0};
    } else {
      return static_cast<T>(value);
    }
  }

  UnaryFloatLoop float_loop_;
  std::array<float, 2> parameters_{};
};

template <typename Op, typename List>
void RegisterActivation(KernelList& list) {
  using ActivationKernel = Activation<Op, List>;
  AddWidened(list,
             {.op = Op::kName,
              .types = {{"T", List::Values()}},
              .make = MakeKernel<ActivationKernel>,
              .may_inplace = {{0, 0}}},
             MakeWidened<ActivationKernel>);
}

using ClipTypes = NumbersAndHalf;

class Clip : public Kernel {
 public:
  explicit Clip(const KernelInfo& info)
      : float_loop_(FindUnaryFloatLoop("Clip")),
        by_attribute_(info.SinceVersion() < 11),
        min_(by_attribute_ ? info.Float("min", std::numeric_limits<float>::lowest()) : 0),
        max_(by_attribute_ ? info.Float("max", std::numeric_limits<float>::max()) : 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor low = by_attribute_ ? Tensor() : context.OptionalInput(1);
    const Tensor high = by_attribute_ ? Tensor() : context.OptionalInput(2);
    Require(!low || low.count() == 1, "input min must be a scalar, it has ", low.count(), " elements");
    Require(!high || high.count() == 1, "input max must be a scalar, it has ", high.count(), " elements");
    const Tensor y = context.Output(0, x.dims());
    DispatchType<ClipTypes>(x.type(), [&]<typename T>(std::type_identity<T>) {
      using Wide = Arithmetic<T>;
      Wide lowest = std::numeric_limits<Wide>::lowest();
      Wide highest = std::numeric_limits<Wide>::max();
      if constexpr (std::is_floating_point_v<Wide>) {
        lowest = by_attribute_ ? static_cast<Wide>(min_) : -std::numeric_limits<Wide>::infinity();
        highest = by_attribute_ ? static_cast<Wide>(max_) : std::numeric_limits<Wide>::infinity();
      }
      if (low) lowest = static_cast<Wide>(*low.data<T>());
      if (high) highest = static_cast<Wide>(*high.data<T>());
      const T* from = x.data<T>();
      T* to = y.data<T>();
      context.ParallelRange(x.count(), kCheapGrain, [=, this](size_t begin, size_t end) {
        if constexpr (std::is_same_v<T, float>) {
          if (float_loop_ != nullptr) return float_loop_(from + begin, to + begin, end - begin, lowest, highest);
        }
        // When min exceeds max the answer is max, as the standard says.
        for (size_t i = begin; i < end; ++i) {
          auto value = static_cast<Wide>(from[i]);
          value = value < lowest ? lowest : value;
          to[i] = static_cast<T>(value > highest ? highest : value);
        }
      });
    });
  }

 private:
  UnaryFloatLoop float_loop_;
  bool by_attribute_;
  float min_;
  float max_;
};

}  // namespace

void RegisterActivations(KernelList& list) {
  RegisterActivation<LeakyReluOp, AllFloats>(list);
  RegisterActivation<EluOp, AllFloats>(list);
  RegisterActivation<SeluOp, AllFloats>(list);
  RegisterActivation<CeluOp, AllFloats>(list);
  RegisterActivation<ThresholdedReluOp, AllFloats>(list);
  RegisterActivation<HardSigmoidOp, AllFloats>(list);
  RegisterActivation<ShrinkOp, NumbersAndHalf>(list);
  RegisterActivation<SwishOp, AllFloats>(list);
  AddWidened(list,
             {.op = "Clip", .types = {{"T", ClipTypes::Values()}}, .make = MakeKernel<Clip>, .may_inplace = {{0, 0}}},
             MakeWidened<Clip>);
}

}  // namespace ortrun::cpu
