// SPDX-License-Identifier: Apache-2.0
// Equal, Greater, Less, GreaterOrEqual, LessOrEqual.
#include "plugins/cpu/kernels/common/strings.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

using Comparable = NumbersAndHalf;
using Equatable = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                           Float16, BFloat16, bool>;

struct EqualOp {
  static constexpr const char* kName = "Equal";
  using Types = Equatable;
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    return a == b;
  }
};

struct GreaterOp {
  static constexpr const char* kName = "Greater";
  using Types = Comparable;
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};

struct LessOp {
  static constexpr const char* kName = "Less";
  using Types = Comparable;
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};

struct GreaterOrEqualOp {
  static constexpr const char* kName = "GreaterOrEqual";
  using Types = Comparable;
  template <typename T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};

struct LessOrEqualOp {
  static constexpr const char* kName = "LessOrEqual";
  using Types = Comparable;
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};

void CompareStrings(KernelContext& context, const Tensor& a, const Tensor& b) {
  const std::vector<std::string> left = ReadStrings(context.host(), a);
  const std::vector<std::string> right = ReadStrings(context.host(), b);
  Tensor y;
  ForEachBinaryRun(
      context, a.dims(), b.dims(), kCostlyGrain, [&](auto shape) { y = context.Output(0, shape); },
      [&](size_t offset, size_t count, size_t a_at, bool a_steps, size_t b_at, bool b_steps) {
        for (size_t i = 0; i < count; ++i)
          y.data<bool>()[offset + i] = left[a_at + (a_steps ? i : 0)] == right[b_at + (b_steps ? i : 0)];
      });
}

template <typename Op>
class Comparison : public Kernel {
 public:
  explicit Comparison(const KernelInfo& info) : legacy_(info) {}

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    if (a.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return CompareStrings(context, a, b);
    const Shape b_shape = legacy_.Adapt(a.dims(), b.dims());
    DispatchType<typename Op::Types>(a.type(), [&]<typename T>(std::type_identity<T>) {
      using Wide = Arithmetic<T>;
      Tensor y;
      ForEachBinaryRun(
          context, a.dims(), b_shape.dims(), kCheapGrain, [&](auto shape) { y = context.Output(0, shape); },
          [&](size_t offset, size_t count, size_t a_at, bool a_steps, size_t b_at, bool b_steps) {
            BinaryRun(a.data<T>() + a_at, a_steps, b.data<T>() + b_at, b_steps, y.data<bool>() + offset, count,
                      [](Wide p, Wide q) { return Op{}(p, q); });
          });
    });
  }

 private:
  LegacyBroadcast legacy_;
};

template <typename Op>
void RegisterComparison(KernelList& list) {
  std::vector<ElementType> types = Op::Types::Values();
  if constexpr (std::is_same_v<Op, EqualOp>) types.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  list.Add({.op = Op::kName, .types = {{"T", types}}, .make = MakeKernel<Comparison<Op>>});
}

}  // namespace

void RegisterComparisons(KernelList& list) {
  RegisterComparison<EqualOp>(list);
  RegisterComparison<GreaterOp>(list);
  RegisterComparison<LessOp>(list);
  RegisterComparison<GreaterOrEqualOp>(list);
  RegisterComparison<LessOrEqualOp>(list);
}

}  // namespace ortrun::cpu
