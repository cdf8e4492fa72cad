// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/sequence/values.h"

#include <utility>

#include "plugins/cpu/kernels/common/element_mover.h"

namespace ortrun::cpu {
namespace {

OrtAllocator* DefaultAllocator(const Host& host) {
  OrtAllocator* allocator = nullptr;
  ThrowOnError(*host.api, host.api->GetAllocatorWithDefaultOptions(&allocator));
  return allocator;
}

const OrtrunOutputValueApi& RequireOutputValues(const Host& host) {
  const OrtrunOutputValueApi* table = OutputValues(host);
  if (table == nullptr)
    throw Error(ORT_NOT_IMPLEMENTED,
                "this runtime lets no kernel make a sequence or an optional (" ORTRUN_OUTPUT_VALUE_API " is needed)");
  return *table;
}

/// The elements of a sequence, or the keys and values of a map.
std::vector<OwnedValue> PartsOf(const KernelContext& context, size_t input, ONNXType expected, const char* what) {
  const OrtApi& api = *context.host().api;
  const OrtValue* value = context.InputValue(input);
  Require(value != nullptr, "input ", input, " is missing");
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  ThrowOnError(api, api.GetValueType(value, &kind));
  Require(kind == expected, "input ", input, " must be ", what);
  size_t count = 2;  // of a map; GetValueCount counts its entries
  if (kind == ONNX_TYPE_SEQUENCE) ThrowOnError(api, api.GetValueCount(value, &count));
  std::vector<OwnedValue> parts;
  for (size_t i = 0; i < count; ++i) {
    OrtValue* part = nullptr;
    ThrowOnError(api, api.GetValue(value, static_cast<int>(i), DefaultAllocator(context.host()), &part));
    parts.emplace_back(part, ReleaseValue{&api});
  }
  return parts;
}

}  // namespace

const OrtrunOutputValueApi* OutputValues(const Host& host) {
  auto get = reinterpret_cast<OrtrunGetOutputValueApiFn>(  // NOLINT: the interface is a function by name
      host.api->GetExperimentalFunction(ORTRUN_OUTPUT_VALUE_API));
  return get == nullptr ? nullptr : get(1);
}

Tensor ViewOf(const Host& host, const OrtValue* borrowed) {
  const OrtApi& api = *host.api;
  auto* value = const_cast<OrtValue*>(borrowed);  // NOLINT: Tensor serves inputs and outputs
  OrtrunTensor view{};
  ThrowOnError(api, api.GetTensorElementTypeAndShapeDataReference(value, &view.type, &view.shape, &view.rank));
  view.count = 1;
  for (size_t i = 0; i < view.rank; ++i) view.count *= static_cast<size_t>(view.shape[i]);
  if (view.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) ThrowOnError(api, api.GetTensorMutableData(value, &view.data));
  return Tensor(view, value);
}

OwnedValue NewTensor(const Host& host, ONNXTensorElementDataType type, std::span<const int64_t> shape) {
  OrtValue* value = nullptr;
  ThrowOnError(*host.api,
               host.api->CreateTensorAsOrtValue(DefaultAllocator(host), shape.data(), shape.size(), type, &value));
  return OwnedValue(value, ReleaseValue{host.api});
}

OwnedValue CopyOf(KernelContext& context, const Tensor& tensor) {
  OwnedValue copy = NewTensor(context.host(), tensor.type(), tensor.dims());
  CopyWhole(context, tensor, ViewOf(context.host(), copy.get()));
  return copy;
}

void CopyElement(KernelContext& context, const Tensor& from, size_t index) {
  const Tensor to = context.Output(index, from.dims());
  Require(to.type() == from.type(), "the element is a tensor of type ", static_cast<int>(from.type()),
          ", but the output is declared with type ", static_cast<int>(to.type()));
  CopyWhole(context, from, to);
}

std::vector<OwnedValue> ReadSequence(const KernelContext& context, size_t input) {
  return PartsOf(context, input, ONNX_TYPE_SEQUENCE, "a sequence");
}

std::pair<OwnedValue, OwnedValue> ReadMap(const KernelContext& context, size_t input) {
  std::vector<OwnedValue> parts = PartsOf(context, input, ONNX_TYPE_MAP, "a map");
  return {std::move(parts[0]), std::move(parts[1])};
}

void SetSequence(KernelContext& context, size_t index, const std::vector<OwnedValue>& elements) {
  std::vector<const OrtValue*> values;
  for (const OwnedValue& element : elements) values.push_back(element.get());
  ThrowOnError(*context.host().api,
               RequireOutputValues(context.host()).SetSequence(context.get(), index, values.data(), values.size()));
}

void ForwardInput(KernelContext& context, size_t input, size_t index) {
  const OrtApi& api = *context.host().api;
  const OrtValue* value = input < context.InputCount() ? context.InputValue(input) : nullptr;
  int is_tensor = 0;
  if (value != nullptr) ThrowOnError(api, api.IsTensor(value, &is_tensor));
  OwnedValue copy;
  if (is_tensor != 0) copy = CopyOf(context, ViewOf(context.host(), value));
  ThrowOnError(api,
               RequireOutputValues(context.host()).SetValue(context.get(), index, is_tensor != 0 ? copy.get() : value));
}

}  // namespace ortrun::cpu
