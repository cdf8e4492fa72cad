// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear: y = saturate(round to even(x / scale) + zero_point).
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/narrow_types.h"
#include "plugins/cpu/kernels/quantization/quantization.h"
#include "plugins/cpu/kernels/quantization/quantization_layout.h"
#include "plugins/cpu/kernels/quantization/quantized_rows.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< elements that pay for handing a task to another thread

using Row = QuantizationLayout::Row;

/// The range of an integer type of any width.
struct IntegerRange {
  double low;
  double high;
};

IntegerRange RangeOf(ElementType type) {
  const auto range = [](unsigned bits, bool is_signed) {
    const double span = std::ldexp(1.0, static_cast<int>(bits));
    return is_signed ? IntegerRange{-span / 2, span / 2 - 1} : IntegerRange{0, span - 1};
  };
  if (const PackedType* packed = FindPackedType(type)) return range(packed->bits, packed->is_signed);
  const bool is_signed = type == kTypeOf<int8_t> || type == kTypeOf<int16_t>;
  return range(static_cast<unsigned>(8 * ElementSize(type)), is_signed);
}

class QuantizeLinear : public Kernel {
 public:
  explicit QuantizeLinear(const KernelInfo& info)
      : axis_(info.Int("axis", 1)),
        block_size_(info.Int("block_size", 0)),
        saturate_(info.Int("saturate", 1) != 0),
        precision_(static_cast<ElementType>(info.Int("precision", 0))) {
    Require(precision_ == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED || precision_ == kTypeOf<float> ||
                precision_ == kTypeOf<Float16> || precision_ == kTypeOf<BFloat16>,
            "attribute precision=", static_cast<int>(precision_), " must be float, float16 or bfloat16");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor scale = context.Input(1);
    const QuantizationLayout layout(x, scale, axis_, block_size_);
    const Tensor zero_point = context.OptionalInput(2);
    const Tensor y = context.Output(0, x.dims());
    Require(!zero_point || zero_point.type() == y.type(), "the zero point must have the output's type");
    if (x.count() == 0) return;
    const float* scales = ReadScales(context, scale);
    const int32_t* zeros = ReadZeroPoints(context, zero_point, scale.count());
    if (x.type() == kTypeOf<int32_t>)
      return Quantize(context, layout, x.data<int32_t>(), scale.type(), scales, zeros, y);
    Quantize(context, layout, ReadFloats(context, x), scale.type(), scales, zeros, y);
  }

 private:
  template <typename X>
  void Quantize(KernelContext& context, const QuantizationLayout& layout, const X* x, ElementType scale_type,
                const float* scales, const int32_t* zeros, const Tensor& y) const {
    const ElementType precision = precision_ != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ? precision_ : scale_type;
    const auto divide = [=](X value, float by) {
      if constexpr (std::is_same_v<X, float>) {
        const float quotient = value / by;
        if (precision == kTypeOf<Float16>) return static_cast<float>(Float16(quotient));
        return precision == kTypeOf<BFloat16> ? static_cast<float>(BFloat16(quotient)) : quotient;
      } else {
        return static_cast<double>(value) / static_cast<double>(by);
      }
    };
    if (const NarrowFloat* format = FindNarrowFloat(y.type())) {
      return WriteCodes<uint8_t>(context, layout, y, [&](size_t at, size_t s) {
        return format->Encode(static_cast<float>(divide(x[at], scales[s])), saturate_);
      });
    }
    if constexpr (std::is_same_v<X, float>) {
      if (precision == kTypeOf<float> && (y.type() == kTypeOf<uint8_t> || y.type() == kTypeOf<int8_t>))
        return DispatchType<TypeList<uint8_t, int8_t>>(y.type(), [&]<typename T>(std::type_identity<T>) {
          QuantizeRows(context, layout, x, scales, zeros, y.data<T>());
        });
    }
    const IntegerRange range = RangeOf(y.type());
    const auto integer = [&](size_t at, size_t s) {
      const double value =
          std::nearbyint(static_cast<double>(divide(x[at], scales[s]))) + (zeros == nullptr ? 0 : zeros[s]);
      return value > range.low ? std::min(value, range.high) : range.low;  // NaN is the lowest
    };
    DispatchType<TypeList<uint8_t, int8_t, uint16_t, int16_t>>(
        FindPackedType(y.type()) != nullptr ? kTypeOf<int8_t> : y.type(), [&]<typename T>(std::type_identity<T>) {
          WriteCodes<T>(context, layout, y, [&](size_t at, size_t s) { return static_cast<T>(integer(at, s)); });
        });
  }

  template <typename T>
  static void QuantizeRows(const KernelContext& context, const QuantizationLayout& layout, const float* x,
                           const float* scales, const int32_t* zeros, T* y) {
    layout.ForEachRow(context, kGrain, [&](const Row& row) {
      const size_t pieces = row.step == 0 ? 1 : row.length;  // elements with scales of their own go one by one
      const size_t each = row.length / std::max<size_t>(1, pieces);
      for (size_t i = 0; i < pieces; ++i)
        QuantizeRow(x + row.begin + i, scales[row.scale + i], zeros == nullptr ? 0 : zeros[row.scale + i],
                    y + row.begin + i, each);
    });
  }

  /// Calls code(element, scale) for every element and stores what it answers, packed where the type is.
  template <typename T, typename Code>
  static void WriteCodes(KernelContext& context, const QuantizationLayout& layout, const Tensor& y, const Code& code) {
    const PackedType* packed = FindPackedType(y.type());
    T* to = packed != nullptr ? context.Scratch<T>(y.count()) : y.data<T>();
    layout.ForEachRow(context, kGrain, [&](const Row& row) {
      for (size_t i = 0; i < row.length; ++i) to[row.begin + i] = code(row.begin + i, row.scale + i * row.step);
    });
    if (packed != nullptr) Pack(*packed, reinterpret_cast<const uint8_t*>(to), y.count(), y.data<uint8_t>());  // NOLINT
  }

  int64_t axis_;
  int64_t block_size_;
  bool saturate_;
  ElementType precision_;
};

}  // namespace

void RegisterQuantizeLinear(KernelList& list) {
  std::vector<ElementType> narrow = TypeList<uint8_t, int8_t, uint16_t, int16_t>::Values();
  for (const auto& more : {NarrowFloatTypes(), PackedIntegerTypes()})
    narrow.insert(narrow.end(), more.begin(), more.end());
  const auto wide = TypeList<float, Float16, BFloat16, int32_t>::Values();
  const auto make = MakeKernel<QuantizeLinear>;
  const std::vector<TypeRule> old_types = {{"T1", wide}, {"T2", narrow}};
  list.Add({.op = "QuantizeLinear", .since = 10, .until = 22, .types = old_types, .make = make});
  list.Add({.op = "QuantizeLinear", .since = 23, .types = {{"T1", wide}, {"T3", narrow}}, .make = make});
  list.Add({.domain = "com.microsoft", .op = "QuantizeLinear", .types = old_types, .make = make});
}

}  // namespace ortrun::cpu
