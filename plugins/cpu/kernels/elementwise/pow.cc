// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

using BaseTypes = TypeList<float, double, int32_t, int64_t, Float16, BFloat16>;
using ExponentTypes = NumbersAndHalf;

/// Whether float holds every exponent of this type.
template <typename E>
constexpr bool kFitsFloat = sizeof(E) <= 2 || std::is_same_v<E, float>;

/// Integers to an integer power, wrapping; anything else in double, or in float where both numbers fit it.
template <typename T, typename E>
Arithmetic<T> Power(Arithmetic<T> base, Arithmetic<E> exponent) {
  if constexpr (std::is_integral_v<T> && std::is_integral_v<E>) {
    using U = std::make_unsigned_t<T>;
    if constexpr (std::is_signed_v<E>) {
      if (exponent < 0) return base == 1 ? T{1} : (base == -1 ? (exponent % 2 != 0 ? T{-1} : T{1}) : T{0});
    }
    U result = 1;
    auto factor = static_cast<U>(base);
    for (auto rest = static_cast<uint64_t>(exponent); rest != 0; rest >>= 1) {
      if ((rest & 1) != 0) result *= factor;
      factor *= factor;
    }
    return static_cast<T>(result);
  } else if constexpr (std::is_integral_v<T>) {
    const double value = std::pow(static_cast<double>(base), static_cast<double>(exponent));
    // Converting what does not fit is undefined in C++.
    constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
    if (!(value >= kLow && value < -kLow)) return std::numeric_limits<T>::min();
    return static_cast<T>(value);
  } else if constexpr (kFitsFloat<E>) {
    if (exponent == 2) return base * base;  // to the last bit what a model that spells it as a product gets
    return std::pow(base, static_cast<Arithmetic<T>>(exponent));
  } else {  // an odd exponent must stay odd
    return static_cast<Arithmetic<T>>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
}

class Pow : public Kernel {
 public:
  explicit Pow(const KernelInfo& info) : legacy_(info) {}

  void Compute(KernelContext& context) const override {
    const Tensor base = context.Input(0);
    const Tensor exponent = context.Input(1);
    if (base.type() == kTypeOf<float> && exponent.type() == kTypeOf<float> && ByConstant(context, base, exponent))
      return;
    const Shape exponent_shape = legacy_.Adapt(base.dims(), exponent.dims());
    DispatchType<BaseTypes>(base.type(), [&]<typename T>(std::type_identity<T>) {
      DispatchType<ExponentTypes>(exponent.type(), [&]<typename E>(std::type_identity<E>) {
        Tensor y;
        ForEachBinaryRun(
            context, base.dims(), exponent_shape.dims(), kCostlyGrain,
            [&](auto shape) { y = context.Output(0, shape); },
            [&](size_t offset, size_t count, size_t a_at, bool a_steps, size_t b_at, bool b_steps) {
              BinaryRun(base.data<T>() + a_at, a_steps, exponent.data<E>() + b_at, b_steps, y.data<T>() + offset, count,
                        Power<T, E>);
            });
      });
    });
  }

 private:
  /// Squares and roots, which models write as Pow, have loops of their own.
  static bool ByConstant(KernelContext& context, const Tensor& base, const Tensor& exponent) {
    if (exponent.count() != 1 || exponent.rank() > base.rank()) return false;
    const float power = *exponent.data<float>();
    const float* x = base.data<float>();
    if (power == 2.0F) {
      const Tensor y = context.Output(0, base.dims());
      const BinaryFloatLoop multiply = FindBinaryFloatLoops("Mul")->both;
      context.ParallelRange(base.count(), kCheapGrain, [&](size_t begin, size_t end) {
        multiply(x + begin, x + begin, y.data<float>() + begin, end - begin);
      });
      return true;
    }
    if (power == 0.5F) {
      const Tensor y = context.Output(0, base.dims());
      const UnaryFloatLoop root = FindUnaryFloatLoop("Sqrt");
      context.ParallelRange(base.count(), kCheapGrain, [&](size_t begin, size_t end) {
        root(x + begin, y.data<float>() + begin, end - begin, 0, 0);
      });
      return true;
    }
    return false;
  }

  LegacyBroadcast legacy_;
};

}  // namespace

void RegisterPow(KernelList& list) {
  // Before version 12 both inputs share the type T.
  list.Add({.op = "Pow", .since = 1, .until = 11, .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<Pow>});
  list.Add({.op = "Pow",
            .since = 12,
            .types = {{"T", BaseTypes::Values()}, {"T1", ExponentTypes::Values()}},
            .make = MakeKernel<Pow>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
