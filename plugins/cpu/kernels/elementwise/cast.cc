// SPDX-License-Identifier: Apache-2.0
// Cast and CastLike between numbers of all widths, booleans and strings.
#include <cmath>
#include <cstring>
#include <limits>

#include "plugins/cpu/kernels/common/strings.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/loops.h"
#include "plugins/cpu/kernels/elementwise/narrow_cast.h"
#include "plugins/cpu/kernels/elementwise/number_text.h"

namespace ortrun::cpu {
namespace {

using CastTypes = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                           Float16, BFloat16, bool>;

/// One element. What does not fit an integer wraps where C++ defines it, else it is the integer's lowest value.
template <typename To, typename From>
To Convert(From from) {
  if constexpr (std::is_same_v<To, From>) {
    return from;
  } else if constexpr (std::is_same_v<From, Float16> || std::is_same_v<From, BFloat16>) {
    return Convert<To>(static_cast<float>(from));
  } else if constexpr (std::is_same_v<To, bool>) {
    return from != From{0};
  } else if constexpr (std::is_same_v<To, Float16> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(from));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Narrow integers take the low bits of the value truncated to 64 bits.
    constexpr From kLimit = static_cast<From>(9223372036854775808.0);
    if constexpr (std::is_same_v<To, uint64_t>)
      if (from >= kLimit && from < kLimit * 2) return static_cast<To>(from);
    if (!(from >= -kLimit && from < kLimit)) return static_cast<To>(std::numeric_limits<int64_t>::min());
    if constexpr (std::is_same_v<To, int32_t>)
      if (!(from >= From(-2147483648.0) && from < From(2147483648.0))) return std::numeric_limits<int32_t>::min();
    return static_cast<To>(static_cast<int64_t>(from));
  } else {
    return static_cast<To>(from);
  }
}

template <typename From, typename To>
void ConvertAll(KernelContext& context, const Tensor& x, const Tensor& y) {
  const From* from = x.data<From>();
  To* to = y.data<To>();
  context.ParallelRange(x.count(), kCheapGrain, [=](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) to[i] = Convert<To>(from[i]);
  });
}

void CastTensor(KernelContext& context, const Tensor& x, const Tensor& y, const NarrowCast& narrow) {
  constexpr ElementType kString = ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
  const Host& host = context.host();
  if (x.type() == kString && y.type() == kString) {
    for (size_t i = 0; i < x.count(); ++i) CopyString(host, x, i, y, i);
  } else if (x.type() == y.type()) {
    if (x.count() != 0 && x.raw() != y.raw()) std::memcpy(y.raw(), x.raw(), BytesOf(x.type(), x.count()));
  } else if (IsNarrow(x.type())) {
    CastTensor(context, narrow.Decoded(context, x), y, narrow);
  } else if (IsNarrow(y.type())) {
    const Tensor wide = narrow.WideTarget(context, y);
    CastTensor(context, x, wide, narrow);
    narrow.Encode(wide, y);
  } else if (IsHalf(x.type()) && y.type() == kTypeOf<float>) {
    WidenHalf(context, x.type(), x.raw(), y.data<float>(), x.count());
  } else if (x.type() == kTypeOf<float> && IsHalf(y.type())) {
    NarrowHalf(context, y.type(), x.data<float>(), y.raw(), x.count());
  } else if (x.type() == kString) {
    DispatchType<CastTypes>(y.type(), [&]<typename To>(std::type_identity<To>) {
      for (size_t i = 0; i < x.count(); ++i) y.data<To>()[i] = ParseNumber<To>(ReadString(host, x, i));
    });
  } else if (y.type() == kString) {
    DispatchType<CastTypes>(x.type(), [&]<typename From>(std::type_identity<From>) {
      for (size_t i = 0; i < x.count(); ++i) WriteString(host, y, i, PrintNumber(x.data<From>()[i]));
    });
  } else {
    DispatchType<CastTypes>(x.type(), [&]<typename From>(std::type_identity<From>) {
      DispatchType<CastTypes>(y.type(),
                              [&]<typename To>(std::type_identity<To>) { ConvertAll<From, To>(context, x, y); });
    });
  }
}

class Cast : public Kernel {
 public:
  explicit Cast(const KernelInfo& info) : narrow_(info) {}  // the output has the type that the host derived from `to`
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    CastTensor(context, x, context.Output(0, x.dims()), narrow_);
  }

 private:
  NarrowCast narrow_;
};

std::vector<ElementType> AllCastTypes() {
  std::vector<ElementType> types = CastTypes::Values();
  types.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  const std::vector<ElementType> narrow = NarrowTypes();
  types.insert(types.end(), narrow.begin(), narrow.end());
  return types;
}

}  // namespace

void RegisterCast(KernelList& list) {
  // Version 1 names its target by a string attribute; the output's type is known all the same.
  list.Add({.op = "Cast", .types = {{"T1", AllCastTypes()}, {"T2", AllCastTypes()}}, .make = MakeKernel<Cast>});
  list.Add({.op = "CastLike",
            .since = 15,
            .types = {{"T1", AllCastTypes()}, {"T2", AllCastTypes()}},
            .make = MakeKernel<Cast>});
}

}  // namespace ortrun::cpu
