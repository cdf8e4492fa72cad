// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "ortrun/kernel_context.h"
#include "ortrun/output_value.h"

namespace ortrun::cpu {

/// The host's way to outputs that are no tensors, or NULL where it has none.
const OrtrunOutputValueApi* OutputValues(const Host& host);

/// A value of the host that a kernel owns.
struct ReleaseValue {
  const OrtApi* api = nullptr;
  void operator()(OrtValue* value) const { api->ReleaseValue(value); }
};
using OwnedValue = std::unique_ptr<OrtValue, ReleaseValue>;

/// A dense tensor of the host as kernels see it, borrowed. Written through only when the kernel made it.
Tensor ViewOf(const Host& host, const OrtValue* value);

/// A new tensor in CPU memory, its content uninitialised.
OwnedValue NewTensor(const Host& host, ONNXTensorElementDataType type, std::span<const int64_t> shape);

/// A new tensor with the content of another.
OwnedValue CopyOf(KernelContext& context, const Tensor& tensor);

/// The elements of an input that is a sequence; throws for anything else.
std::vector<OwnedValue> ReadSequence(const KernelContext& context, size_t input);

/// The keys and the values, both vectors of one length, of an input that is a map; throws for anything else.
std::pair<OwnedValue, OwnedValue> ReadMap(const KernelContext& context, size_t input);

/// Makes output `index` the tensor `from`, an element of a sequence or an optional: its type is what was put in there,
/// the output's what the model declares, and they are compared.
void CopyElement(KernelContext& context, const Tensor& from, size_t index);

/// Makes output `index` a sequence of these.
void SetSequence(KernelContext& context, size_t index, const std::vector<OwnedValue>& elements);

/// Makes output `index` a copy of an input that may be a tensor, a sequence, a map or an empty optional.
void ForwardInput(KernelContext& context, size_t input, size_t index);

}  // namespace ortrun::cpu
