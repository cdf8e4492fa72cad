// SPDX-License-Identifier: Apache-2.0
// Operators that make their output from sizes: ConstantOfShape, Range, EyeLike.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class ConstantOfShape : public Kernel {
 public:
  explicit ConstantOfShape(const KernelInfo& info) {
    if (const auto value = info.TensorAttribute("value")) {
      Require(value->view.count == 1, "attribute value must have one element, it has ", value->view.count);
      type_ = value->view.type;
      std::memcpy(element_, value->view.data, BytesOf(type_, 1));
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor target = context.Input(0);
    Require(target.rank() == 1, "the input must have rank 1, it has ", target.rank());
    const Shape shape(std::span<const int64_t>(target.data<int64_t>(), target.count()));
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    Require(y.type() == type_, "attribute value and the output differ in type");
    if (const PackedType* packed = FindPackedType(type_)) {
      uint8_t code = 0;
      Unpack(*packed, reinterpret_cast<const uint8_t*>(element_), 1, &code);  // NOLINT: its bytes
      const std::vector<uint8_t> codes(y.count(), code);
      return Pack(*packed, codes.data(), y.count(), y.data<uint8_t>());
    }
    DispatchSize(ElementSize(type_), [&]<typename T>(std::type_identity<T>) {
      T value;
      std::memcpy(&value, element_, sizeof value);
      std::fill_n(y.data<T>(), y.count(), value);
    });
  }

 private:
  ElementType type_ = kTypeOf<float>;
  uint64_t element_[2] = {0, 0};
};

class Range : public Kernel {
 public:
  explicit Range(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor start = context.Input(0);
    const Tensor limit = context.Input(1);
    const Tensor delta = context.Input(2);
    Require(start.count() == 1 && limit.count() == 1 && delta.count() == 1, "start, limit and delta must be scalars");
    DispatchType<Types>(start.type(), [&]<typename T>(std::type_identity<T>) {
      const auto first = static_cast<Arithmetic<T>>(*start.data<T>());
      const auto step = static_cast<Arithmetic<T>>(*delta.data<T>());
      Require(step != 0, "input delta must not be 0");
      const double length =
          std::ceil((static_cast<double>(*limit.data<T>()) - static_cast<double>(first)) / static_cast<double>(step));
      Require(length == length && length < 1e15, "the range has no finite length that fits in memory");
      const Tensor y = context.Output(0, Shape{std::max<int64_t>(0, static_cast<int64_t>(length))});
      T* to = y.data<T>();
      for (size_t i = 0; i < y.count(); ++i) {
        if constexpr (std::is_integral_v<T>)
          to[i] = static_cast<T>(static_cast<uint64_t>(first) + i * static_cast<uint64_t>(step));
        else
          to[i] = static_cast<T>(first + static_cast<Arithmetic<T>>(i) * step);
      }
    });
  }

  using Types = TypeList<float, double, int16_t, int32_t, int64_t, Float16, BFloat16>;

 private:
  template <typename T>
  using Arithmetic = std::conditional_t<std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>, float, T>;
};

class EyeLike : public Kernel {
 public:
  explicit EyeLike(const KernelInfo& info) : diagonal_(info.Int("k", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 2, "the input must have rank 2, it has ", x.rank());
    const Tensor y = context.Output(0, x.dims());
    DispatchType<Types>(y.type(), [&]<typename T>(std::type_identity<T>) {
      std::fill_n(y.data<T>(), y.count(), T{});
      if (diagonal_ <= -x.dim(0) || diagonal_ >= x.dim(1)) return;
      for (int64_t row = std::max<int64_t>(0, -diagonal_); row < x.dim(0) && row + diagonal_ < x.dim(1); ++row)
        y.data<T>()[row * x.dim(1) + row + diagonal_] = static_cast<T>(1.0F);
    });
  }

  using Types = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, bool,
                         Float16, BFloat16>;

 private:
  int64_t diagonal_;
};

}  // namespace

void RegisterGenerators(KernelList& list) {
  std::vector<ElementType> constants = NumbersAndHalf::Values();
  constants.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL);
  const std::vector<ElementType> narrow = NarrowTypes();
  constants.insert(constants.end(), narrow.begin(), narrow.end());
  list.Add({.op = "ConstantOfShape", .since = 9, .types = {{"T2", constants}}, .make = MakeKernel<ConstantOfShape>});
  list.Add({.op = "Range", .since = 11, .types = {{"T", Range::Types::Values()}}, .make = MakeKernel<Range>});
  list.Add({.op = "EyeLike", .since = 9, .types = {{"T2", EyeLike::Types::Values()}}, .make = MakeKernel<EyeLike>});
}

}  // namespace ortrun::cpu
