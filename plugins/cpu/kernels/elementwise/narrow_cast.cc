// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/elementwise/narrow_cast.h"

#include <array>
#include <string>

namespace ortrun::cpu {
namespace {

constexpr ElementType kE8M0 = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0;

Tensor Like(const Tensor& shape, ElementType type, void* data) {
  return Tensor(OrtrunTensor{data, shape.dims().data(), shape.rank(), shape.count(), type}, nullptr);
}

bool IsFloatCode(ElementType type) { return type == kE8M0 || FindNarrowFloat(type) != nullptr; }

}  // namespace

bool IsNarrow(ElementType type) { return IsFloatCode(type) || FindPackedType(type) != nullptr; }

NarrowCast::NarrowCast(const KernelInfo& info) : saturate_(info.Int("saturate", 1) != 0) {
  const std::string mode = info.String("round_mode", "up");
  Require(mode == "up" || mode == "down" || mode == "nearest", "attribute round_mode=\"", mode,
          "\" must be up, down or nearest");
  if (mode == "down") rounding_ = E8M0Rounding::kDown;
  if (mode == "nearest") rounding_ = E8M0Rounding::kNearest;
}

Tensor NarrowCast::Decoded(KernelContext& context, const Tensor& x) const {
  const uint8_t* codes = x.data<uint8_t>();
  const PackedType* packed = FindPackedType(x.type());
  if (packed != nullptr) {
    auto* unpacked = context.Scratch<uint8_t>(x.count());
    Unpack(*packed, codes, x.count(), unpacked);
    if (!IsFloatCode(x.type())) return Like(x, packed->is_signed ? kTypeOf<int8_t> : kTypeOf<uint8_t>, unpacked);
    codes = unpacked;
  }
  const NarrowFloat* format = FindNarrowFloat(x.type());
  std::array<float, 256> values{};
  for (size_t i = 0; i < values.size(); ++i) {
    const auto code = static_cast<uint8_t>(i);
    values[i] = format != nullptr ? format->Decode(code) : DecodeE8M0(code);
  }
  auto* wide = context.Scratch<float>(x.count());
  for (size_t i = 0; i < x.count(); ++i) wide[i] = values[codes[i]];
  return Like(x, kTypeOf<float>, wide);
}

Tensor NarrowCast::WideTarget(KernelContext& context, const Tensor& y) const {
  ElementType type = kTypeOf<float>;
  if (!IsFloatCode(y.type())) type = FindPackedType(y.type())->is_signed ? kTypeOf<int8_t> : kTypeOf<uint8_t>;
  return Like(y, type, context.Scratch(y.count() * ElementSize(type)));
}

void NarrowCast::Encode(const Tensor& wide, const Tensor& y) const {
  const PackedType* packed = FindPackedType(y.type());
  if (!IsFloatCode(y.type())) return Pack(*packed, wide.data<uint8_t>(), y.count(), y.data<uint8_t>());
  // Codes are no longer than what they are made of, so that packed ones can be made in its place.
  auto* codes = packed != nullptr ? wide.data<uint8_t>() : y.data<uint8_t>();
  const NarrowFloat* format = FindNarrowFloat(y.type());
  const float* values = wide.data<float>();
  for (size_t i = 0; i < y.count(); ++i)
    codes[i] = format != nullptr ? format->Encode(values[i], saturate_) : EncodeE8M0(values[i], rounding_, saturate_);
  if (packed != nullptr) Pack(*packed, codes, y.count(), y.data<uint8_t>());
}

}  // namespace ortrun::cpu
