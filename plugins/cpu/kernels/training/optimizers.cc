// SPDX-License-Identifier: Apache-2.0
// Adagrad, Adam and Momentum: one step of gradient descent for any number of tensors. The inputs are the learning rate
// R, the count T of steps before, all tensors, all their gradients and, kind by kind, their states; the outputs are
// the new tensors and the new states.
#include <array>
#include <cmath>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/training/training.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< elements that pay for handing a task to another thread
constexpr const char* kDomain = "ai.onnx.preview.training";

// A rule makes a step from its attributes, the learning rate and T; the step updates one element and its states in
// place. kStates is the number of tensors that each optimised one keeps.

class AdagradRule {
 public:
  static constexpr size_t kStates = 1;
  explicit AdagradRule(const KernelInfo& info)
      : epsilon_(info.Float("epsilon", 1e-6F)),
        decay_(info.Float("decay_factor", 0)),
        regularization_(info.Float("norm_coefficient", 0)) {}

  template <typename T>
  auto Step(T rate, int64_t count) const {
    const T r = rate / (1 + static_cast<T>(count) * static_cast<T>(decay_));
    return [r, epsilon = static_cast<T>(epsilon_), norm = static_cast<T>(regularization_)](
               T& x, T gradient, const std::array<T*, kStates>& states) {
      const T g = norm * x + gradient;
      T& squares = *states[0];
      squares += g * g;
      x -= r * g / (std::sqrt(squares) + epsilon);
    };
  }

 private:
  float epsilon_;
  float decay_;
  float regularization_;
};

class AdamRule {
 public:
  static constexpr size_t kStates = 2;
  explicit AdamRule(const KernelInfo& info)
      : alpha_(info.Float("alpha", 0.9F)),
        beta_(info.Float("beta", 0.999F)),
        epsilon_(info.Float("epsilon", 1e-6F)),
        regularization_(info.Float("norm_coefficient", 0)),
        regularization_after_(info.Float("norm_coefficient_post", 0)) {}

  template <typename T>
  auto Step(T rate, int64_t count) const {
    const auto alpha = static_cast<double>(alpha_);
    const auto beta = static_cast<double>(beta_);
    const auto steps = static_cast<double>(count);
    const T r = count > 0 ? static_cast<T>(static_cast<double>(rate) * std::sqrt(1 - std::pow(beta, steps)) /
                                           (1 - std::pow(alpha, steps)))
                          : rate;
    return [r, a = static_cast<T>(alpha_), b = static_cast<T>(beta_), epsilon = static_cast<T>(epsilon_),
            norm = static_cast<T>(regularization_),
            keep = 1 - static_cast<T>(regularization_after_)](T& x, T gradient, const std::array<T*, kStates>& states) {
      const T g = norm * x + gradient;
      T& mean = *states[0];
      T& squares = *states[1];
      mean = a * mean + (1 - a) * g;
      squares = b * squares + (1 - b) * g * g;
      x = keep * (x - r * mean / (std::sqrt(squares) + epsilon));
    };
  }

 private:
  float alpha_;
  float beta_;
  float epsilon_;
  float regularization_;
  float regularization_after_;
};

class MomentumRule {
 public:
  static constexpr size_t kStates = 1;
  explicit MomentumRule(const KernelInfo& info)
      : alpha_(info.Float("alpha")), beta_(info.Float("beta")), regularization_(info.Float("norm_coefficient")) {
    const std::string mode = info.String("mode");
    Require(mode == "standard" || mode == "nesterov", "attribute mode is \"", mode,
            "\", it must be standard or nesterov");
    nesterov_ = mode == "nesterov";
  }

  template <typename T>
  auto Step(T rate, int64_t count) const {
    // The first step takes the whole gradient.
    return [rate, a = static_cast<T>(alpha_), b = count > 0 ? static_cast<T>(beta_) : T{1},
            norm = static_cast<T>(regularization_),
            nesterov = nesterov_](T& x, T gradient, const std::array<T*, kStates>& states) {
      const T g = norm * x + gradient;
      T& momentum = *states[0];
      momentum = a * momentum + b * g;
      x -= rate * (nesterov ? g + a * momentum : momentum);
    };
  }

 private:
  float alpha_;
  float beta_;
  float regularization_;
  bool nesterov_ = false;
};

template <typename Rule>
class Optimizer : public Kernel {
 public:
  explicit Optimizer(const KernelInfo& info) : rule_(info) {}

  void Compute(KernelContext& context) const override {
    constexpr size_t kInputs = 2 + Rule::kStates;  // of each tensor: itself, its gradient, its states
    const size_t given = context.InputCount();
    Require(given > 2 && (given - 2) % kInputs == 0, "after R and T there must be ", kInputs,
            " inputs for each tensor, there are ", given < 2 ? 0 : given - 2);
    const size_t tensors = (given - 2) / kInputs;
    const Tensor rate = context.Input(0);
    const Tensor count = context.Input(1);
    Require(rate.count() == 1 && count.count() == 1, "inputs R and T must be scalars");
    Require(count.type() == kTypeOf<int64_t>, "input T must be int64");
    double r = 0;
    DispatchType<Floats>(rate.type(),
                         [&]<typename T>(std::type_identity<T>) { r = static_cast<double>(*rate.data<T>()); });
    for (size_t i = 0; i < tensors; ++i) {
      DispatchType<Floats>(context.Input(2 + i).type(), [&]<typename T>(std::type_identity<T>) {
        Update<T>(context, rule_.template Step<T>(static_cast<T>(r), *count.data<int64_t>()), i, tensors);
      });
    }
  }

 private:
  template <typename T, typename Step>
  static void Update(KernelContext& context, const Step& step, size_t index, size_t tensors) {
    const Tensor x = context.Input(2 + index);
    const Tensor gradient = context.Input(2 + tensors + index);
    Require(gradient.shape() == x.shape() && gradient.type() == x.type(), "the gradient of tensor ", index,
            " has another shape or type");
    const T* g = gradient.data<T>();
    T* to = StartFrom<T>(context, x, index);
    std::array<T*, Rule::kStates> states;
    for (size_t k = 0; k < states.size(); ++k) {
      const Tensor state = context.Input(2 + (2 + k) * tensors + index);
      Require(state.shape() == x.shape() && state.type() == x.type(), "state ", k, " of tensor ", index,
              " has another shape or type");
      states[k] = StartFrom<T>(context, state, (1 + k) * tensors + index);
    }
    context.ParallelRange(x.count(), kGrain, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        std::array<T*, Rule::kStates> at;
        for (size_t k = 0; k < at.size(); ++k) at[k] = states[k] + i;
        step(to[i], g[i], at);
      }
    });
  }

  /// Output `index` as a copy of `from`; scratch memory where the node does not name it.
  template <typename T>
  static T* StartFrom(KernelContext& context, const Tensor& from, size_t index) {
    const Tensor y = index < context.OutputCount() ? context.Output(index, from.dims()) : Tensor();
    T* to = y ? y.data<T>() : context.Scratch<T>(from.count());
    if (to != from.data<T>()) std::copy_n(from.data<T>(), from.count(), to);
    return to;
  }

  Rule rule_;
};

template <typename Rule>
void RegisterOptimizer(KernelList& list, const char* op) {
  list.Add({.domain = kDomain,
            .op = op,
            .types = {{"T1", Floats::Values()}, {"T3", Floats::Values()}},
            .make = MakeKernel<Optimizer<Rule>>});
}

}  // namespace

void RegisterTraining(KernelList& list) {
  RegisterOptimizer<AdagradRule>(list, "Adagrad");
  RegisterOptimizer<AdamRule>(list, "Adam");
  RegisterOptimizer<MomentumRule>(list, "Momentum");
}

}  // namespace ortrun::cpu
