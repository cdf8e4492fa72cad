// SPDX-License-Identifier: Apache-2.0
// DequantizeLinear: y = (x - zero_point) * scale.
#include <array>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/narrow_types.h"
#include "plugins/cpu/kernels/quantization/quantization.h"
#include "plugins/cpu/kernels/quantization/quantization_layout.h"
#include "plugins/cpu/kernels/quantization/quantized_rows.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< elements that pay for handing a task to another thread

using Row = QuantizationLayout::Row;

template <typename T>
void DequantizeAny(const Row& row, const T* x, const float* scale, const int32_t* zero, float* y) {
  const float* s = scale + row.scale;
  const int32_t* z = zero == nullptr ? nullptr : zero + row.scale;
  if constexpr (sizeof(T) == 1)
    if (row.step == 0) return DequantizeRow(x + row.begin, z == nullptr ? 0 : *z, *s, y + row.begin, row.length);
  for (size_t i = 0; i < row.length; ++i) {
    const int64_t away = int64_t{x[row.begin + i]} - (z == nullptr ? 0 : z[i * row.step]);
    y[row.begin + i] = static_cast<float>(away) * s[i * row.step];
  }
}

class DequantizeLinear : public Kernel {
 public:
  explicit DequantizeLinear(const KernelInfo& info)
      : axis_(info.Int("axis", 1)), block_size_(info.Int("block_size", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor scale = context.Input(1);
    const QuantizationLayout layout(x, scale, axis_, block_size_);
    const Tensor zero_point = context.OptionalInput(2);
    Require(!zero_point || zero_point.type() == x.type(), "the zero point must have the input's type");
    const Tensor y = context.Output(0, x.dims());
    if (x.count() == 0) return;
    const float* scales = ReadScales(context, scale);
    const int32_t* zeros = ReadZeroPoints(context, zero_point, scale.count());
    const FloatOutput to(context, y);
    const auto dequantize = [&](const auto* codes) {
      layout.ForEachRow(context, kGrain, [&](const Row& row) { DequantizeAny(row, codes, scales, zeros, to.data()); });
    };
    const uint8_t* bytes = x.data<uint8_t>();
    if (const PackedType* packed = FindPackedType(x.type())) {
      uint8_t* codes = context.Scratch<uint8_t>(x.count());
      Unpack(*packed, bytes, x.count(), codes);
      bytes = codes;
    }
    if (const NarrowFloat* format = FindNarrowFloat(x.type())) {
      std::array<float, 256> values{};
      for (size_t i = 0; i < values.size(); ++i) values[i] = format->Decode(static_cast<uint8_t>(i));
      layout.ForEachRow(context, kGrain, [&](const Row& row) {
        for (size_t i = 0; i < row.length; ++i)
          to.data()[row.begin + i] = values[bytes[row.begin + i]] * scales[row.scale + i * row.step];
      });
    } else if (FindPackedType(x.type()) != nullptr) {
      dequantize(reinterpret_cast<const int8_t*>(bytes));  // NOLINT: a number of 4 bits or fewer fits either way
    } else {
      DispatchType<TypeList<uint8_t, int8_t, uint16_t, int16_t, int32_t>>(
          x.type(), [&]<typename T>(std::type_identity<T>) { dequantize(x.data<T>()); });
    }
    to.Finish();
  }

 private:
  int64_t axis_;
  int64_t block_size_;
};

}  // namespace

void RegisterDequantizeLinear(KernelList& list) {
  std::vector<ElementType> types = TypeList<uint8_t, int8_t, uint16_t, int16_t, int32_t>::Values();
  for (const auto& more : {NarrowFloatTypes(), PackedIntegerTypes()})
    types.insert(types.end(), more.begin(), more.end());
  const auto make = MakeKernel<DequantizeLinear>;
  list.Add({.op = "DequantizeLinear", .since = 10, .until = 18, .types = {{"T", types}}, .make = make});
  list.Add({.op = "DequantizeLinear", .since = 19, .types = {{"T1", types}}, .make = make});
  list.Add({.domain = "com.microsoft", .op = "DequantizeLinear", .types = {{"T1", types}}, .make = make});
}

}  // namespace ortrun::cpu
