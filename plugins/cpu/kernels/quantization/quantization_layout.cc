// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/quantization/quantization_layout.h"

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/narrow_types.h"

namespace ortrun::cpu {

QuantizationLayout::QuantizationLayout(const Tensor& x, const Tensor& scale, int64_t axis, int64_t block_size) {
  Require(block_size >= 0, "attribute block_size=", block_size, " must not be negative");
  const Shape shape = x.shape();
  if (block_size == 0 && scale.count() == 1 && scale.rank() <= 1) {
    inner_ = longest_ = x.count();
    return;
  }
  per_tensor_ = false;
  const size_t at = NormalizeAxis(axis, shape.rank());
  outer_ = static_cast<size_t>(shape.Count(0, at));
  extent_ = static_cast<size_t>(shape[at]);
  inner_ = static_cast<size_t>(shape.Count(at + 1, shape.rank()));
  if (block_size == 0) {
    Require(scale.rank() == 1 && scale.dim(0) == shape[at], "the scale must have one element or ", shape[at],
            ", one for each index of axis ", axis, "; it has ", scale.count(), " in rank ", scale.rank());
    blocks_ = extent_;
  } else {
    blocked_ = true;
    block_ = static_cast<size_t>(block_size);
    Require(scale.rank() == shape.rank(), "blocks need a scale of the input's rank ", shape.rank(), ", it has ",
            scale.rank());
    for (size_t i = 0; i < shape.rank(); ++i) {
      const int64_t wanted = i != at ? shape[i] : shape[i] / block_size + (shape[i] % block_size != 0 ? 1 : 0);
      Require(scale.dim(i) == wanted, "the scale has ", scale.dim(i), " along axis ", i, ", ", wanted,
              " are needed for blocks of ", block_size);
    }
    blocks_ = static_cast<size_t>(scale.dim(at));
  }
  if (inner_ != 1) {
    rows_ = outer_ * extent_;
    longest_ = inner_;
  } else if (blocked_) {
    rows_ = outer_ * blocks_;
    longest_ = std::min(block_, extent_);
  } else {
    rows_ = outer_;
    longest_ = extent_;
  }
  if (x.count() == 0) rows_ = 0;
}

QuantizationLayout::Row QuantizationLayout::RowAt(size_t row) const {
  if (per_tensor_) return {0, inner_, 0, 0};
  if (inner_ != 1) {
    const size_t outer = row / extent_;
    const size_t index = row % extent_;
    if (!blocked_) return {row * inner_, inner_, index, 0};
    return {row * inner_, inner_, (outer * blocks_ + index / block_) * inner_, 1};
  }
  if (!blocked_) return {row * extent_, extent_, 0, 1};
  const size_t first = row % blocks_ * block_;
  return {row / blocks_ * extent_ + first, std::min(block_, extent_ - first), row, 0};
}

const float* ReadScales(KernelContext& context, const Tensor& scale) {
  if (scale.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0 && scale.type() != kTypeOf<int32_t>)
    return ReadFloats(context, scale);
  float* values = context.Scratch<float>(scale.count());
  for (size_t i = 0; i < scale.count(); ++i)
    values[i] = scale.type() == kTypeOf<int32_t> ? static_cast<float>(scale.data<int32_t>()[i])
                                                 : DecodeE8M0(scale.data<uint8_t>()[i]);
  return values;
}

const int32_t* ReadZeroPoints(KernelContext& context, const Tensor& zero_point, size_t count) {
  if (!zero_point) return nullptr;
  Require(zero_point.count() == count, "the zero point has ", zero_point.count(), " elements, the scale has ", count);
  if (FindNarrowFloat(zero_point.type()) != nullptr) return nullptr;
  int32_t* values = context.Scratch<int32_t>(count);
  if (const PackedType* packed = FindPackedType(zero_point.type())) {
    uint8_t* codes = context.Scratch<uint8_t>(count);
    Unpack(*packed, zero_point.data<uint8_t>(), count, codes);
    for (size_t i = 0; i < count; ++i)
      values[i] = packed->is_signed ? int32_t{static_cast<int8_t>(codes[i])} : int32_t{codes[i]};
    return values;
  }
  DispatchType<TypeList<uint8_t, int8_t, uint16_t, int16_t, int32_t>>(
      zero_point.type(), [&]<typename T>(std::type_identity<T>) { std::copy_n(zero_point.data<T>(), count, values); });
  return values;
}

}  // namespace ortrun::cpu
