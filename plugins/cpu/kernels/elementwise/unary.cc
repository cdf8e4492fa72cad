// SPDX-License-Identifier: Apache-2.0
// Functions of one input without attributes.
#include <algorithm>
#include <array>
#include <cmath>

#include "plugins/cpu/kernels/common/narrow_types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

/// Numbers with a sign; an unsigned one is its own absolute value.
template <typename T>
T Abs(T x) {
  if constexpr (std::is_unsigned_v<T>)
    return x;
  else if constexpr (std::is_integral_v<T>)
    return x < 0 ? static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x)) : x;
  else
    return std::abs(x);
}
template <typename T>
T Negate(T x) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(x));
  else
    return -x;
}
template <typename T>
T Sign(T x) {
  if (x != x) return x;
  return static_cast<T>(static_cast<int>(x > T{0}) - static_cast<int>(x < T{0}));
}
template <typename T>
T BitwiseNot(T x) {
  return static_cast<T>(~x);
}
template <typename T>
T Not(T x) {
  return !x;
}
template <typename T>
T Relu(T x) {
  return x < T{0} ? T{0} : x;
}
template <typename T>
T Reciprocal(T x) {
  return T{1} / x;
}
template <typename T>
T Sigmoid(T x) {
  const T e = std::exp(-std::abs(x));
  return x >= 0 ? T{1} / (T{1} + e) : e / (T{1} + e);
}
template <typename T>
T Softplus(T x) {
  return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x)));
}
template <typename T>
T Softsign(T x) {
  return x / (T{1} + std::abs(x));
}
template <typename T>
T HardSwish(T x) {
  return x * std::clamp(x / T{6} + T(0.5), T{0}, T{1});
}
template <typename T>
T Mish(T x) {
  return x * std::tanh(Softplus(x));
}
template <typename T>
T RoundHalfToEven(T x) {
  return std::nearbyint(x);
}

/// One kernel for all of them: `List` names the types, `Pick` answers the function for a type.
template <typename List, typename Pick>
class Unary : public Kernel {
 public:
  explicit Unary(const KernelInfo& info) : float_loop_(FindUnaryFloatLoop(info.OperatorType())) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.dims());
    if (float_loop_ != nullptr && x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
      context.ParallelRange(x.count(), kCostlyGrain, [&](size_t begin, size_t end) {
        float_loop_(x.data<float>() + begin, y.data<float>() + begin, end - begin, 0, 0);
      });
      return;
    }
    DispatchType<List>(x.type(), [&]<typename T>(std::type_identity<T>) {
      using Wide = Arithmetic<T>;
      const T* from = x.data<T>();
      T* to = y.data<T>();
      context.ParallelRange(x.count(), kCostlyGrain, [=](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          to[i] = static_cast<T>(Pick::template Apply<Wide>(static_cast<Wide>(from[i])));
      });
    });
  }

 private:
  UnaryFloatLoop float_loop_;
};

// A Pick for a function template, since templates of functions cannot be template arguments.
#define ORTRUN_UNARY(Name, Expression) \
  struct Name##Pick {                  \
    template <typename T>              \
    static T Apply(T x) {              \
      return Expression;               \
    }                                  \
  }
ORTRUN_UNARY(Abs, Abs(x));
ORTRUN_UNARY(Neg, Negate(x));
ORTRUN_UNARY(Sign, Sign(x));
ORTRUN_UNARY(BitwiseNot, BitwiseNot(x));
ORTRUN_UNARY(Not, Not(x));
ORTRUN_UNARY(Relu, Relu(x));
ORTRUN_UNARY(Ceil, std::ceil(x));
ORTRUN_UNARY(Floor, std::floor(x));
ORTRUN_UNARY(Round, RoundHalfToEven(x));
ORTRUN_UNARY(Sqrt, std::sqrt(x));
ORTRUN_UNARY(Reciprocal, Reciprocal(x));
ORTRUN_UNARY(Exp, std::exp(x));
ORTRUN_UNARY(Log, std::log(x));
ORTRUN_UNARY(Sin, std::sin(x));
ORTRUN_UNARY(Cos, std::cos(x));
ORTRUN_UNARY(Tan, std::tan(x));
ORTRUN_UNARY(Asin, std::asin(x));
ORTRUN_UNARY(Acos, std::acos(x));
ORTRUN_UNARY(Atan, std::atan(x));
ORTRUN_UNARY(Sinh, std::sinh(x));
ORTRUN_UNARY(Cosh, std::cosh(x));
ORTRUN_UNARY(Tanh, std::tanh(x));
ORTRUN_UNARY(Asinh, std::asinh(x));
ORTRUN_UNARY(Acosh, std::acosh(x));
ORTRUN_UNARY(Atanh, std::atanh(x));
ORTRUN_UNARY(Erf, std::erf(x));
ORTRUN_UNARY(Sigmoid, Sigmoid(x));
ORTRUN_UNARY(Softplus, Softplus(x));
ORTRUN_UNARY(Softsign, Softsign(x));
ORTRUN_UNARY(HardSwish, HardSwish(x));
ORTRUN_UNARY(Mish, Mish(x));
#undef ORTRUN_UNARY

template <typename List, typename Pick>
void RegisterUnary(KernelList& list, const char* op, const char* parameter = "T") {
  using UnaryKernel = Unary<List, Pick>;
  AddWidened(
      list,
      {.op = op, .types = {{parameter, List::Values()}}, .make = MakeKernel<UnaryKernel>, .may_inplace = {{0, 0}}},
      MakeWidened<UnaryKernel>);
}

/// Asks a question of every element, which is given as float or double.
template <typename Question>
void AskEach(const Tensor& x, const Tensor& y, const Question& question) {
  bool* to = y.data<bool>();
  if (const NarrowFloat* format = FindNarrowFloat(x.type())) {
    std::array<bool, 256> answers{};
    for (size_t i = 0; i < answers.size(); ++i) answers[i] = question(format->Decode(static_cast<uint8_t>(i)));
    for (size_t i = 0; i < x.count(); ++i) to[i] = answers[x.data<uint8_t>()[i]];
    return;
  }
  DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
    for (size_t i = 0; i < x.count(); ++i) to[i] = question(static_cast<Arithmetic<T>>(x.data<T>()[i]));
  });
}

std::vector<ElementType> AskableTypes() {
  std::vector<ElementType> types = AllFloats::Values();
  for (ElementType type : NarrowFloatTypes())
    if (FindPackedType(type) == nullptr) types.push_back(type);
  return types;
}

class IsNan : public Kernel {
 public:
  explicit IsNan(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    AskEach(x, context.Output(0, x.dims()), [](auto value) { return std::isnan(value); });
  }
};

class IsInf : public Kernel {
 public:
  explicit IsInf(const KernelInfo& info)
      : positive_(info.Int("detect_positive", 1) != 0), negative_(info.Int("detect_negative", 1) != 0) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    AskEach(x, context.Output(0, x.dims()),
            [this](auto value) { return std::isinf(value) && (value > 0 ? positive_ : negative_); });
  }

 private:
  bool positive_;
  bool negative_;
};

}  // namespace

void RegisterUnaries(KernelList& list) {
  RegisterUnary<NumbersAndHalf, AbsPick>(list, "Abs");
  RegisterUnary<TypeList<float, double, int8_t, int16_t, int32_t, int64_t, Float16, BFloat16>, NegPick>(list, "Neg");
  RegisterUnary<TypeList<float, double, int8_t, int16_t, int32_t, int64_t, Float16, BFloat16>, ReluPick>(list, "Relu");
  RegisterUnary<NumbersAndHalf, SignPick>(list, "Sign");
  RegisterUnary<Integers, BitwiseNotPick>(list, "BitwiseNot");
  RegisterUnary<TypeList<bool>, NotPick>(list, "Not");
  RegisterUnary<AllFloats, CeilPick>(list, "Ceil");
  RegisterUnary<AllFloats, FloorPick>(list, "Floor");
  RegisterUnary<AllFloats, RoundPick>(list, "Round");
  RegisterUnary<AllFloats, SqrtPick>(list, "Sqrt");
  RegisterUnary<AllFloats, ReciprocalPick>(list, "Reciprocal");
  RegisterUnary<AllFloats, ExpPick>(list, "Exp");
  RegisterUnary<AllFloats, LogPick>(list, "Log");
  RegisterUnary<AllFloats, SinPick>(list, "Sin");
  RegisterUnary<AllFloats, CosPick>(list, "Cos");
  RegisterUnary<AllFloats, TanPick>(list, "Tan");
  RegisterUnary<AllFloats, AsinPick>(list, "Asin");
  RegisterUnary<AllFloats, AcosPick>(list, "Acos");
  RegisterUnary<AllFloats, AtanPick>(list, "Atan");
  RegisterUnary<AllFloats, SinhPick>(list, "Sinh");
  RegisterUnary<AllFloats, CoshPick>(list, "Cosh");
  RegisterUnary<AllFloats, TanhPick>(list, "Tanh");
  RegisterUnary<AllFloats, AsinhPick>(list, "Asinh");
  RegisterUnary<AllFloats, AcoshPick>(list, "Acosh");
  RegisterUnary<AllFloats, AtanhPick>(list, "Atanh");
  RegisterUnary<AllFloats, ErfPick>(list, "Erf");
  RegisterUnary<AllFloats, SigmoidPick>(list, "Sigmoid");
  RegisterUnary<AllFloats, SoftplusPick>(list, "Softplus");
  RegisterUnary<AllFloats, SoftsignPick>(list, "Softsign");
  RegisterUnary<AllFloats, HardSwishPick>(list, "HardSwish");
  RegisterUnary<AllFloats, MishPick>(list, "Mish");
  list.Add({.op = "IsNaN", .types = {{"T1", AskableTypes()}}, .make = MakeKernel<IsNan>});
  list.Add({.op = "IsInf", .types = {{"T1", AskableTypes()}}, .make = MakeKernel<IsInf>});
}

}  // namespace ortrun::cpu
