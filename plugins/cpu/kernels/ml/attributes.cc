// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/ml/attributes.h"

#include <memory>

namespace ortrun::cpu {

std::vector<std::string> ReadStrings(const Host& host, const OrtValue* value, size_t count) {
  std::vector<std::string> strings;
  if (count == 0) return strings;
  const OrtApi& api = *host.api;
  size_t bytes = 0;
  ThrowOnError(api, api.GetStringTensorDataLength(value, &bytes));
  std::vector<char> text(bytes);
  std::vector<size_t> offsets(count);
  ThrowOnError(api, api.GetStringTensorContent(value, text.data(), bytes, offsets.data(), count));
  strings.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t end = i + 1 < count ? offsets[i + 1] : bytes;
    strings.emplace_back(text.data() + offsets[i], end - offsets[i]);
  }
  return strings;
}

std::optional<TensorAttribute> ReadTensorAttribute(const KernelInfo& info, const char* name) {
  const OrtApi& api = *info.host().api;
  OrtAllocator* allocator = nullptr;
  ThrowOnError(api, api.GetAllocatorWithDefaultOptions(&allocator));
  OrtValue* raw = nullptr;
  if (OrtStatus* status = api.KernelInfoGetAttribute_tensor(info.get(), name, allocator, &raw)) {
    api.ReleaseStatus(status);  // the node lacks it
    return std::nullopt;
  }
  const auto release = [&api](OrtValue* value) { api.ReleaseValue(value); };
  const std::unique_ptr<OrtValue, decltype(release)> value(raw, release);
  const ConstantTensor tensor = ReadTensor(info.host(), raw);
  TensorAttribute result;
  result.type = tensor.type;
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    result.strings = ReadStrings(info.host(), raw, tensor.count);
    return result;
  }
  DispatchType<NumbersAndHalf>(tensor.type, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* from = tensor.as<T>();
    for (size_t i = 0; i < tensor.count; ++i) {
      result.numbers.push_back(static_cast<double>(from[i]));
      if constexpr (std::is_same_v<T, int64_t>) result.integers.push_back(from[i]);
    }
  });
  return result;
}

}  // namespace ortrun::cpu
