// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ortrun/error.h"
#include "ortrun/host.h"

namespace ortrun {

/// A tensor that a kernel reads while it is made: a constant input or a tensor attribute. Borrowed from the host.
struct ConstantTensor {
  const void* data = nullptr;
  std::vector<int64_t> shape;
  size_t count = 0;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  const OrtValue* value = nullptr;

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

/// A tensor attribute. The memory is the holder's, so it may be kept beyond the constructor.
struct OwnedTensor {
  std::shared_ptr<OrtValue> value;
  ConstantTensor view;
};

/// What is known of a node when its kernel is made: attributes, constant inputs, names and types.
/// Valid only during the kernel's constructor. Attribute getters without a default throw when the node lacks it.
class KernelInfo {
 public:
  KernelInfo(const Host& host, const OrtKernelInfo* info) : host_(host), info_(info) {}

  const Host& host() const { return host_; }
  const OrtKernelInfo* get() const { return info_; }

  bool HasAttribute(const char* name) const;
  int64_t Int(const char* name) const;
  int64_t Int(const char* name, int64_t otherwise) const;
  float Float(const char* name) const;
  float Float(const char* name, float otherwise) const;
  std::string String(const char* name) const;
  std::string String(const char* name, const char* otherwise) const;
  std::vector<int64_t> Ints(const char* name) const;         ///< empty when absent
  std::vector<float> Floats(const char* name) const;         ///< empty when absent
  std::vector<std::string> Strings(const char* name) const;  ///< empty when absent

  std::optional<OwnedTensor> TensorAttribute(const char* name) const;  ///< nothing when absent

  size_t InputCount() const;
  size_t OutputCount() const;
  std::string NodeName() const;
  std::string OperatorType() const;
  int SinceVersion() const;

  /// The value of an input that is a constant initialiser, or nothing.
  std::optional<ConstantTensor> ConstantInput(size_t index) const;

  /// Element type and shape of an input; unknown dimensions are -1. Nothing when omitted, no tensor or unranked.
  struct TensorType {
    ONNXTensorElementDataType type;
    std::vector<int64_t> shape;
    bool has_shape;
  };
  std::optional<TensorType> InputType(size_t index) const;
  std::optional<TensorType> OutputType(size_t index) const;

 private:
  template <typename T, typename Get>
  std::vector<T> Array(const char* name, Get get) const;
  std::optional<TensorType> ReadType(OrtStatus* status, OrtTypeInfo* type) const;
  template <typename Get>
  std::string Text(Get get) const;

  Host host_;
  const OrtKernelInfo* info_;
};

/// Reads element type, shape and data of a dense CPU tensor.
inline ConstantTensor ReadTensor(const Host& host, const OrtValue* value) {
  const OrtApi& api = *host.api;
  ConstantTensor tensor;
  tensor.value = value;
  const int64_t* shape = nullptr;
  size_t rank = 0;
  ThrowOnError(api, api.GetTensorElementTypeAndShapeDataReference(value, &tensor.type, &shape, &rank));
  tensor.shape.assign(shape, shape + rank);
  tensor.count = 1;
  for (int64_t dim : tensor.shape) tensor.count *= static_cast<size_t>(dim);
  if (tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) ThrowOnError(api, api.GetTensorData(value, &tensor.data));
  return tensor;
}

inline bool KernelInfo::HasAttribute(const char* name) const {
  const OrtApi& api = *host_.api;
  // The C interface has no "has": ask for each kind with an empty buffer and see whether any answers.
  const auto answers = [&](OrtStatus* status) {
    const bool ok = status == nullptr;
    if (!ok) api.ReleaseStatus(status);
    return ok;
  };
  float number = 0;
  int64_t integer = 0;
  size_t size = 0;
  return answers(api.KernelInfoGetAttribute_int64(info_, name, &integer)) ||
         answers(api.KernelInfoGetAttribute_float(info_, name, &number)) ||
         answers(api.KernelInfoGetAttribute_string(info_, name, nullptr, &size)) ||
         answers(api.KernelInfoGetAttributeArray_int64(info_, name, nullptr, &size)) ||
         answers(api.KernelInfoGetAttributeArray_float(info_, name, nullptr, &size));
}

inline int64_t KernelInfo::Int(const char* name) const {
  int64_t value = 0;
  ThrowOnError(*host_.api, host_.api->KernelInfoGetAttribute_int64(info_, name, &value));
  return value;
}

inline int64_t KernelInfo::Int(const char* name, int64_t otherwise) const {
  int64_t value = 0;
  OrtStatus* status = host_.api->KernelInfoGetAttribute_int64(info_, name, &value);
  if (status == nullptr) return value;
  host_.api->ReleaseStatus(status);
  return otherwise;
}

inline float KernelInfo::Float(const char* name) const {
  float value = 0;
  ThrowOnError(*host_.api, host_.api->KernelInfoGetAttribute_float(info_, name, &value));
  return value;
}

inline float KernelInfo::Float(const char* name, float otherwise) const {
  float value = 0;
  OrtStatus* status = host_.api->KernelInfoGetAttribute_float(info_, name, &value);
  if (status == nullptr) return value;
  host_.api->ReleaseStatus(status);
  return otherwise;
}

template <typename Get>
std::string KernelInfo::Text(Get get) const {
  size_t size = 0;
  ThrowOnError(*host_.api, get(nullptr, &size));
  std::string text(size, '\0');
  if (size == 0) return text;
  ThrowOnError(*host_.api, get(text.data(), &size));
  text.resize(size - 1);  // the size counts the final zero
  return text;
}

inline std::string KernelInfo::String(const char* name) const {
  return Text(
      [&](char* out, size_t* size) { return host_.api->KernelInfoGetAttribute_string(info_, name, out, size); });
}

inline std::string KernelInfo::String(const char* name, const char* otherwise) const {
  size_t size = 0;
  OrtStatus* status = host_.api->KernelInfoGetAttribute_string(info_, name, nullptr, &size);
  if (status == nullptr) return String(name);
  host_.api->ReleaseStatus(status);
  return otherwise;
}

template <typename T, typename Get>
std::vector<T> KernelInfo::Array(const char* name, Get get) const {
  size_t count = 0;
  OrtStatus* status = get(info_, name, nullptr, &count);
  if (status != nullptr) {
    host_.api->ReleaseStatus(status);
    return {};
  }
  std::vector<T> values(count);
  if (count != 0) ThrowOnError(*host_.api, get(info_, name, values.data(), &count));
  return values;
}

inline std::vector<int64_t> KernelInfo::Ints(const char* name) const {
  return Array<int64_t>(name, host_.api->KernelInfoGetAttributeArray_int64);
}

inline std::vector<float> KernelInfo::Floats(const char* name) const {
  return Array<float>(name, host_.api->KernelInfoGetAttributeArray_float);
}

inline std::vector<std::string> KernelInfo::Strings(const char* name) const {
  const OrtApi& api = *host_.api;
  OrtAllocator* allocator = nullptr;
  ThrowOnError(api, api.GetAllocatorWithDefaultOptions(&allocator));
  char** texts = nullptr;
  size_t count = 0;
  OrtStatus* status = api.KernelInfoGetAttributeArray_string(info_, name, allocator, &texts, &count);
  if (status != nullptr) {
    api.ReleaseStatus(status);
    return {};
  }
  std::vector<std::string> values(texts, texts + count);
  for (size_t i = 0; i < count; ++i) allocator->Free(allocator, texts[i]);
  if (texts != nullptr) allocator->Free(allocator, texts);
  return values;
}

inline std::optional<OwnedTensor> KernelInfo::TensorAttribute(const char* name) const {
  const OrtApi& api = *host_.api;
  OrtAllocator* allocator = nullptr;
  ThrowOnError(api, api.GetAllocatorWithDefaultOptions(&allocator));
  OrtValue* value = nullptr;
  OrtStatus* status = api.KernelInfoGetAttribute_tensor(info_, name, allocator, &value);
  if (status != nullptr) {
    api.ReleaseStatus(status);
    return std::nullopt;
  }
  OwnedTensor tensor;
  tensor.value = std::shared_ptr<OrtValue>(value, [&api](OrtValue* owned) { api.ReleaseValue(owned); });
  tensor.view = ReadTensor(host_, value);
  return tensor;
}

inline size_t KernelInfo::InputCount() const {
  size_t count = 0;
  ThrowOnError(*host_.api, host_.api->KernelInfo_GetInputCount(info_, &count));
  return count;
}

inline size_t KernelInfo::OutputCount() const {
  size_t count = 0;
  ThrowOnError(*host_.api, host_.api->KernelInfo_GetOutputCount(info_, &count));
  return count;
}

inline std::string KernelInfo::NodeName() const {
  return Text([&](char* out, size_t* size) { return host_.api->KernelInfo_GetNodeName(info_, out, size); });
}

inline std::string KernelInfo::OperatorType() const {
  return Text([&](char* out, size_t* size) { return host_.api->KernelInfo_GetOperatorType(info_, out, size); });
}

inline int KernelInfo::SinceVersion() const {
  int version = 0;
  ThrowOnError(*host_.api, host_.api->KernelInfo_GetOperatorSinceVersion(info_, &version));
  return version;
}

inline std::optional<ConstantTensor> KernelInfo::ConstantInput(size_t index) const {
  if (index >= InputCount()) return std::nullopt;
  int is_constant = 0;
  const OrtValue* value = nullptr;
  ThrowOnError(*host_.api, host_.api->KernelInfoGetConstantInput_tensor(info_, index, &is_constant, &value));
  if (is_constant == 0 || value == nullptr) return std::nullopt;
  return ReadTensor(host_, value);
}

inline std::optional<KernelInfo::TensorType> KernelInfo::ReadType(OrtStatus* status, OrtTypeInfo* type) const {
  const OrtApi& api = *host_.api;
  if (status != nullptr) {  // an omitted optional input has no type
    api.ReleaseStatus(status);
    return std::nullopt;
  }
  std::optional<TensorType> result;
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  status = api.CastTypeInfoToTensorInfo(type, &tensor);
  if (status == nullptr && tensor != nullptr) {
    TensorType found{};
    size_t rank = 0;
    status = api.GetTensorElementType(tensor, &found.type);
    found.has_shape = api.TensorTypeAndShape_HasShape(tensor);
    if (status == nullptr && found.has_shape) {
      status = api.GetDimensionsCount(tensor, &rank);
      found.shape.resize(rank);
      if (status == nullptr) status = api.GetDimensions(tensor, found.shape.data(), rank);
    }
    if (status == nullptr) result = std::move(found);
  }
  if (status != nullptr) api.ReleaseStatus(status);
  api.ReleaseTypeInfo(type);
  return result;
}

inline std::optional<KernelInfo::TensorType> KernelInfo::InputType(size_t index) const {
  if (index >= InputCount()) return std::nullopt;
  OrtTypeInfo* type = nullptr;
  OrtStatus* status = host_.api->KernelInfo_GetInputTypeInfo(info_, index, &type);
  return ReadType(status, type);
}

inline std::optional<KernelInfo::TensorType> KernelInfo::OutputType(size_t index) const {
  if (index >= OutputCount()) return std::nullopt;
  OrtTypeInfo* type = nullptr;
  OrtStatus* status = host_.api->KernelInfo_GetOutputTypeInfo(info_, index, &type);
  return ReadType(status, type);
}

}  // namespace ortrun
