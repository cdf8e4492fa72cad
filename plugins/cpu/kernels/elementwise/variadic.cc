// SPDX-License-Identifier: Apache-2.0
// Sum, Mean, Max, Min over any number of inputs.
#include <cmath>

#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

struct SumOp {
  static constexpr const char* kName = "Sum";
  static constexpr const char* kLoop = "Add";
  using Types = AllFloats;
  template <typename T>
  T operator()(T a, T b) const {
    return a + b;
  }
};

struct MeanOp : SumOp {
  static constexpr const char* kName = "Mean";
};

// A NaN in either operand is the result, as in numpy.
struct MaxOp {
  static constexpr const char* kName = "Max";
  static constexpr const char* kLoop = "Max";
  using Types = NumbersAndHalf;
  template <typename T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

struct MinOp {
  static constexpr const char* kName = "Min";
  static constexpr const char* kLoop = "Min";
  using Types = NumbersAndHalf;
  template <typename T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

template <typename Op>
class Variadic : public Kernel {
 public:
  explicit Variadic(const KernelInfo&) : loops_(FindBinaryFloatLoops(Op::kLoop)) {}

  void Compute(KernelContext& context) const override {
    const size_t count = context.InputCount();
    Require(count >= 1, Op::kName, " needs at least one input");
    DispatchType<typename Op::Types>(context.Input(0).type(), [&]<typename T>(std::type_identity<T>) {
      const Tensor y = Fold<T>(context, count);
      if constexpr (std::is_same_v<Op, MeanOp>) {
        T* values = y.data<T>();
        using Wide = Arithmetic<T>;
        for (size_t i = 0; i < y.count(); ++i)
          values[i] = static_cast<T>(static_cast<Wide>(values[i]) / static_cast<Wide>(count));
      }
    });
  }

 private:
  /// The output starts as the first pair's result and takes the other inputs one by one.
  template <typename T>
  Tensor Fold(KernelContext& context, size_t count) const {
    const Tensor first = context.Input(0);
    Shape shape = first.shape();
    for (size_t i = 1; i < count; ++i) shape = BroadcastShape(shape.dims(), context.Input(i).dims());
    const Tensor y = context.Output(0, shape);
    if (count == 1) {
      if (y.raw() != first.raw()) std::copy_n(first.data<T>(), first.count(), y.data<T>());
      return y;
    }
    for (size_t i = 1; i < count; ++i) {
      const Tensor& left = i == 1 ? first : y;
      const Tensor right = context.Input(i);
      const BroadcastLoop loop({shape.dims(), left.dims(), right.dims()});
      loop.ForEachRun(context, kCheapGrain, [&](size_t offset, size_t length, const BroadcastLoop::Offsets& at) {
        Run(left.data<T>() + at[1], loop.steps(1), right.data<T>() + at[2], loop.steps(2), y.data<T>() + offset,
            length);
      });
    }
    return y;
  }

  template <typename T>
  void Run(const T* a, bool a_steps, const T* b, bool b_steps, T* y, size_t length) const {
    if constexpr (std::is_same_v<T, float>) {
      if (a_steps || b_steps) {
        const BinaryFloatLoop loop = a_steps ? (b_steps ? loops_->both : loops_->b_single) : loops_->a_single;
        return loop(a, b, y, length);
      }
    }
    using Wide = Arithmetic<T>;
    BinaryRun(a, a_steps, b, b_steps, y, length, [](Wide p, Wide q) { return Op{}(p, q); });
  }

  const BinaryFloatLoops* loops_;
};

template <typename Op>
void RegisterVariadic(KernelList& list) {
  AddWidened(list, {.op = Op::kName, .types = {{"T", Op::Types::Values()}}, .make = MakeKernel<Variadic<Op>>},
             MakeWidened<Variadic<Op>>);
}

}  // namespace

void RegisterVariadics(KernelList& list) {
  RegisterVariadic<SumOp>(list);
  RegisterVariadic<MeanOp>(list);
  RegisterVariadic<MaxOp>(list);
  RegisterVariadic<MinOp>(list);
}

}  // namespace ortrun::cpu
