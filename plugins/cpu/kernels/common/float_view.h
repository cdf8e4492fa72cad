// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/common/half_loops.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// Floating-point types whose kernels compute in float.
using FloatAndHalf = TypeList<float, Float16, BFloat16>;

/// The elements of `tensor` as floats: its own memory when it is float, else a widened copy in scratch memory of the
/// call. NULL for an omitted tensor. Throws for types outside FloatAndHalf.
inline const float* ReadFloats(KernelContext& context, const Tensor& tensor) {
  if (!tensor) return nullptr;
  if (tensor.type() == kTypeOf<float>) return tensor.data<float>();
  auto* wide = context.Scratch<float>(tensor.count());
  WidenHalf(context, tensor.type(), tensor.raw(), wide, tensor.count());
  return wide;
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
    NarrowHalf(context_, tensor_.type(), data_, tensor_.raw(), tensor_.count());
  }

 private:
  KernelContext& context_;
  Tensor tensor_;
  float* data_ = nullptr;
};

}  // namespace ortrun::cpu
