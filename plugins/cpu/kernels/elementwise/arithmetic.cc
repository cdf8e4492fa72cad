// SPDX-License-Identifier: Apache-2.0
// Add, Sub, Mul, Div, Mod, BitShift, the bitwise and the logical operators of two inputs, PRelu.
#include <cmath>
#include <utility>

#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

// Signed overflow wraps, as in numpy: the arithmetic is done on the unsigned type.
template <typename T, typename F>
T Wrapping(T a, T b, const F& f) {
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
  } else {
    return static_cast<T>(f(a, b));
  }
}

struct AddOp {
  static constexpr const char* kName = "Add";
  using Types = NumbersAndHalf;
  template <typename T>
  T operator()(T a, T b) const {
    return Wrapping(a, b, [](auto x, auto y) { return x + y; });
  }
};

struct SubOp {
  static constexpr const char* kName = "Sub";
  using Types = NumbersAndHalf;
  template <typename T>
  T operator()(T a, T b) const {
    return Wrapping(a, b, [](auto x, auto y) { return x - y; });
  }
};

struct MulOp {
  static constexpr const char* kName = "Mul";
  using Types = NumbersAndHalf;
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (sizeof(T) < sizeof(int) && std::is_integral_v<T>) {
      return static_cast<T>(static_cast<unsigned>(a) * static_cast<unsigned>(b));
    } else {
      return Wrapping(a, b, [](auto x, auto y) { return x * y; });
    }
  }
};

struct DivOp {
  static constexpr const char* kName = "Div";
  using Types = NumbersAndHalf;
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      // Both would trap in hardware; 0 is numpy's answer to the first, wrapping to the second.
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<T>)
        if (b == -1) return Wrapping(T{0}, a, [](auto x, auto y) { return x - y; });
    }
    return static_cast<T>(a / b);
  }
};

struct BitwiseAndOp {
  static constexpr const char* kName = "BitwiseAnd";
  using Types = Integers;
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a & b);
  }
};

struct BitwiseOrOp {
  static constexpr const char* kName = "BitwiseOr";
  using Types = Integers;
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a | b);
  }
};

struct BitwiseXorOp {
  static constexpr const char* kName = "BitwiseXor";
  using Types = Integers;
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a ^ b);
  }
};

struct AndOp {
  static constexpr const char* kName = "And";
  using Types = TypeList<bool>;
  bool operator()(bool a, bool b) const { return a && b; }
};

struct OrOp {
  static constexpr const char* kName = "Or";
  using Types = TypeList<bool>;
  bool operator()(bool a, bool b) const { return a || b; }
};

struct XorOp {
  static constexpr const char* kName = "Xor";
  using Types = TypeList<bool>;
  bool operator()(bool a, bool b) const { return a != b; }
};

struct PReluOp {
  static constexpr const char* kName = "PRelu";
  using Types = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t, Float16, BFloat16>;
  template <typename T>
  T operator()(T a, T slope) const {
    return a < T{0} ? Wrapping(a, slope, [](auto x, auto y) { return x * y; }) : a;
  }
};

/// Runs `f` over the broadcast of inputs 0 and 1, in the arithmetic type of T.
template <typename T, typename F>
void ComputeBinary(KernelContext& context, const Tensor& a, const Tensor& b, const Shape& b_shape, const F& f) {
  using Wide = Arithmetic<T>;
  const auto wide = [&f](Wide x, Wide y) { return f(x, y); };
  Tensor y;
  ForEachBinaryRun(
      context, a.dims(), b_shape.dims(), kCheapGrain, [&](auto shape) { y = context.Output(0, shape); },
      [&](size_t offset, size_t count, size_t a_at, bool a_steps, size_t b_at, bool b_steps) {
        BinaryRun(a.data<T>() + a_at, a_steps, b.data<T>() + b_at, b_steps, y.data<T>() + offset, count, wide);
      });
}

void ComputeFloat(KernelContext& context, const Tensor& a, const Tensor& b, const Shape& b_shape,
                  const BinaryFloatLoops& loops) {
  Tensor y;
  ForEachBinaryRun(
      context, a.dims(), b_shape.dims(), kCheapGrain, [&](auto shape) { y = context.Output(0, shape); },
      [&](size_t offset, size_t count, size_t a_at, bool a_steps, size_t b_at, bool b_steps) {
        const BinaryFloatLoop loop = a_steps ? (b_steps ? loops.both : loops.b_single) : loops.a_single;
        loop(a.data<float>() + a_at, b.data<float>() + b_at, y.data<float>() + offset, count);
      });
}

template <typename Op>
class Binary : public Kernel {
 public:
  explicit Binary(const KernelInfo& info) : legacy_(info), float_loops_(FindBinaryFloatLoops(Op::kName)) {
    // Before version 7 PRelu's slope was one value a channel, without saying so.
    if (std::is_same_v<Op, PReluOp> && info.SinceVersion() < 7) slope_per_channel_ = true;
  }

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const bool per_channel = slope_per_channel_ && b.rank() == 1 && b.count() > 1 && a.rank() > 1;
    const Shape b_shape = per_channel ? LegacyBroadcastShape(a.dims(), b.dims(), 1) : legacy_.Adapt(a.dims(), b.dims());
    if (float_loops_ != nullptr && a.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
      return ComputeFloat(context, a, b, b_shape, *float_loops_);
    DispatchType<typename Op::Types>(
        a.type(), [&]<typename T>(std::type_identity<T>) { ComputeBinary<T>(context, a, b, b_shape, Op{}); });
  }

 private:
  LegacyBroadcast legacy_;
  const BinaryFloatLoops* float_loops_;
  bool slope_per_channel_ = false;
};

class Mod : public Kernel {
 public:
  explicit Mod(const KernelInfo& info) : fmod_(info.Int("fmod", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    DispatchType<NumbersAndHalf>(a.type(), [&]<typename T>(std::type_identity<T>) {
      const bool sign_of_dividend = fmod_;
      ComputeBinary<T>(context, a, b, b.shape(),
                       [=]<typename W>(W x, W y) { return Remainder(x, y, sign_of_dividend); });
    });
  }

 private:
  template <typename W>
  static W Remainder(W x, W y, bool sign_of_dividend) {
    if constexpr (std::is_integral_v<W>) {
      if (y == 0) return 0;
      if constexpr (std::is_signed_v<W>) {
        if (y == -1) return 0;
        const auto rest = static_cast<W>(x % y);
        return !sign_of_dividend && rest != 0 && (rest < 0) != (y < 0) ? static_cast<W>(rest + y) : rest;
      } else {
        return static_cast<W>(x % y);
      }
    } else {
      const W rest = std::fmod(x, y);
      if (sign_of_dividend) return rest;
      if (rest == 0) return std::copysign(W{0}, y);
      return (rest < 0) != (y < 0) ? rest + y : rest;
    }
  }

  bool fmod_;
};

class BitShift : public Kernel {
 public:
  explicit BitShift(const KernelInfo& info) {
    const std::string direction = info.String("direction");
    Require(direction == "LEFT" || direction == "RIGHT", "attribute direction is \"", direction,
            "\", it must be LEFT or RIGHT");
    left_ = direction == "LEFT";
  }

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    DispatchType<Types>(a.type(), [&]<typename T>(std::type_identity<T>) {
      const bool left = left_;
      ComputeBinary<T>(context, a, b, b.shape(), [left](T x, T by) -> T {
        constexpr T kWidth = 8 * sizeof(T);
        // Undefined in C++; what remains is what comes in from outside: copies of the sign on the right shift.
        if (by >= kWidth || std::cmp_less(by, 0)) return !left && std::cmp_less(x, 0) ? static_cast<T>(-1) : T{0};
        return static_cast<T>(left ? static_cast<std::make_unsigned_t<T>>(x) << by : x >> by);
      });
    });
  }

  using Types = Integers;  // signed ones since version 28

 private:
  bool left_ = true;
};

template <typename Op>
void RegisterBinary(KernelList& list) {
  AddWidened(list,
             {.op = Op::kName,
              .types = {{"T", Op::Types::Values()}},
              .make = MakeKernel<Binary<Op>>,
              .may_inplace = {{0, 0}, {1, 0}}},
             MakeWidened<Binary<Op>>);
}

}  // namespace

void RegisterArithmetic(KernelList& list) {
  RegisterBinary<AddOp>(list);
  RegisterBinary<SubOp>(list);
  RegisterBinary<MulOp>(list);
  RegisterBinary<DivOp>(list);
  RegisterBinary<BitwiseAndOp>(list);
  RegisterBinary<BitwiseOrOp>(list);
  RegisterBinary<BitwiseXorOp>(list);
  RegisterBinary<AndOp>(list);
  RegisterBinary<OrOp>(list);
  RegisterBinary<XorOp>(list);
  RegisterBinary<PReluOp>(list);
  list.Add({.op = "Mod", .types = {{"T", NumbersAndHalf::Values()}}, .make = MakeKernel<Mod>, .may_inplace = {{0, 0}}});
  list.Add({.op = "BitShift",
            .types = {{"T", BitShift::Types::Values()}},
            .make = MakeKernel<BitShift>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
