// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// Floating-point types whose kernels compute in float.
using FloatAndHalf = TypeList<float, Float16, BFloat16>;

/// The elements of `tensor` as floats: its own memory when it is float, else a widened copy in scratch memory of the
/// call. NULL for an omitted tensor. Throws for types outside FloatAndHalf.
inline const float* ReadFloats(KernelContext& context, const Tensor& tensor) {
  if (!tensor) return nullptr;
  const float* result = nullptr;
  DispatchType<FloatAndHalf>(tensor.type(), [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::is_same_v<T, float>) {
      result = tensor.data<float>();
    } else {
      float* wide = context.Scratch<float>(tensor.count());
      const T* from = tensor.data<T>();
      context.ParallelRange(tensor.count(), 16384, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) wide[i] = from[i];
      });
      result = wide;
    }
  });
  return result;
}

/// Where a kernel that computes in float writes an output of a type of FloatAndHalf. Call Finish when all is written.
class FloatOutput {
 public:
  FloatOutput(KernelContext& context, const Tensor& tensor) : context_(context), tensor_(tensor) {
    if (!tensor) return;
    data_ = tensor.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT ? tensor.data<float>()
                                                                 : context.Scratch<float>(tensor.count());
  }
  /// NULL when the node does not name the output.
  float* data() const { return data_; }

  void Finish() const {
    if (!tensor_ || tensor_.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) return;
    DispatchType<TypeList<Float16, BFloat16>>(tensor_.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      T* to = tensor_.data<T>();
      context_.ParallelRange(tensor_.count(), 16384, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) to[i] = T(data_[i]);
      });
    });
  }

 private:
  KernelContext& context_;
  Tensor tensor_;
  float* data_ = nullptr;
};

}  // namespace ortrun::cpu
