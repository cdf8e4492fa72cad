// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the C interface share: handles that release themselves, assertions on status, small tensors.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "onnxruntime_c_api.h"

namespace ortrun::abi_testing {

inline const OrtApi& api = *OrtGetApiBase()->GetApi(ORT_API_VERSION);

/// Owns an object of the interface and releases it with the slot kRelease.
template <typename T, void (*OrtApi::*kRelease)(T*)>
struct Release {
  void operator()(T* object) const { (api.*kRelease)(object); }
};
template <typename T, void (*OrtApi::*kRelease)(T*)>
using Handle = std::unique_ptr<T, Release<T, kRelease>>;

using Environment = Handle<OrtEnv, &OrtApi::ReleaseEnv>;
using Session = Handle<OrtSession, &OrtApi::ReleaseSession>;
using SessionOptions = Handle<OrtSessionOptions, &OrtApi::ReleaseSessionOptions>;
using RunOptions = Handle<OrtRunOptions, &OrtApi::ReleaseRunOptions>;
using Value = Handle<OrtValue, &OrtApi::ReleaseValue>;
using IoBinding = Handle<OrtIoBinding, &OrtApi::ReleaseIoBinding>;
using MemoryInfo = Handle<OrtMemoryInfo, &OrtApi::ReleaseMemoryInfo>;
using Allocator = Handle<OrtAllocator, &OrtApi::ReleaseAllocator>;
using TypeInfo = Handle<OrtTypeInfo, &OrtApi::ReleaseTypeInfo>;
using TensorInfo = Handle<OrtTensorTypeAndShapeInfo, &OrtApi::ReleaseTensorTypeAndShapeInfo>;
using ModelMetadata = Handle<OrtModelMetadata, &OrtApi::ReleaseModelMetadata>;
using CustomOpDomain = Handle<OrtCustomOpDomain, &OrtApi::ReleaseCustomOpDomain>;
using KeyValuePairs = Handle<OrtKeyValuePairs, &OrtApi::ReleaseKeyValuePairs>;

/// Success when the call succeeded; else its code and message. Takes the status.
testing::AssertionResult Ok(OrtStatus* status);

/// Success when the call failed with `code` and a message that holds `part`. Takes the status.
testing::AssertionResult Fails(OrtStatus* status, OrtErrorCode code, std::string_view part = "");

/// What a slot answers in its last parameter: auto session = Made<Session>(api.CreateSession, env, path, options).
/// Null, with a failure noted, when the call fails.
template <typename Made_, typename... Parameters, typename... Arguments>
Made_ Made(OrtStatus* (*slot)(Parameters...), Arguments&&... arguments) {
  typename Made_::pointer made = nullptr;
  EXPECT_TRUE(Ok(slot(arguments..., &made)));
  return Made_(made);
}

/// The same for numbers and pointers that nobody has to release.
template <typename Result, typename... Parameters, typename... Arguments>
Result Get(OrtStatus* (*slot)(Parameters...), Arguments&&... arguments) {
  Result result{};
  EXPECT_TRUE(Ok(slot(arguments..., &result)));
  return result;
}

/// A text from the default allocator, as a slot with the parameters (..., allocator, char** out) answers it.
template <typename... Parameters, typename... Arguments>
std::string Text(OrtStatus* (*slot)(Parameters...), Arguments&&... arguments);

/// The environment of all tests.
OrtEnv* Env();
OrtAllocator* DefaultAllocator();
const OrtMemoryInfo* CpuMemory();

Session SessionFrom(std::string_view model, const OrtSessionOptions* options = nullptr);

template <typename T>
constexpr ONNXTensorElementDataType kTypeOf = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
template <>
inline constexpr ONNXTensorElementDataType kTypeOf<float> = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
template <>
inline constexpr ONNXTensorElementDataType kTypeOf<int64_t> = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;

/// A tensor over the vector's memory, which must outlive it.
template <typename T>
Value TensorOver(std::vector<T>& data, const std::vector<int64_t>& shape) {
  return Made<Value>(api.CreateTensorWithDataAsOrtValue, CpuMemory(), data.data(), data.size() * sizeof(T),
                     shape.data(), shape.size(), kTypeOf<T>);
}

Value StringTensor(const std::vector<const char*>& texts);

std::vector<int64_t> ShapeOf(const OrtValue* value);
std::vector<std::string> StringsOf(const OrtValue* value);

template <typename T>
std::vector<T> DataOf(const OrtValue* value) {
  const auto info = Made<TensorInfo>(api.GetTensorTypeAndShape, value);
  EXPECT_EQ(Get<ONNXTensorElementDataType>(api.GetTensorElementType, info.get()), kTypeOf<T>);
  const auto count = Get<size_t>(api.GetTensorShapeElementCount, info.get());
  const auto* data = static_cast<const T*>(Get<const void*>(api.GetTensorData, value));
  return {data, data + count};
}

template <typename... Parameters, typename... Arguments>
std::string Text(OrtStatus* (*slot)(Parameters...), Arguments&&... arguments) {
  char* text = nullptr;
  EXPECT_TRUE(Ok(slot(arguments..., DefaultAllocator(), &text)));
  if (text == nullptr) return "";
  std::string copy = text;
  EXPECT_TRUE(Ok(api.AllocatorFree(DefaultAllocator(), text)));
  return copy;
}

}  // namespace ortrun::abi_testing
