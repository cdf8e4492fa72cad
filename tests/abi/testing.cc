// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

using Status = Handle<OrtStatus, &OrtApi::ReleaseStatus>;

testing::AssertionResult Described(const OrtStatus* status) {
  if (status == nullptr) return testing::AssertionFailure() << "the call succeeded";
  return testing::AssertionFailure() << "code " << api.GetErrorCode(status) << ": " << api.GetErrorMessage(status);
}

}  // namespace

testing::AssertionResult Ok(OrtStatus* status) {
  const Status held(status);
  return status == nullptr ? testing::AssertionSuccess() : Described(status);
}

testing::AssertionResult Fails(OrtStatus* status, OrtErrorCode code, std::string_view part) {
  const Status held(status);
  const bool as_expected = status != nullptr && api.GetErrorCode(status) == code &&
                           std::string_view(api.GetErrorMessage(status)).find(part) != std::string_view::npos;
  if (as_expected) return testing::AssertionSuccess();
  return Described(status) << ", expected code " << code << " and '" << part << "'";
}

OrtEnv* Env() {
  static const auto env = Made<Environment>(api.CreateEnv, ORT_LOGGING_LEVEL_WARNING, "abi_test");
  return env.get();
}

OrtAllocator* DefaultAllocator() { return Get<OrtAllocator*>(api.GetAllocatorWithDefaultOptions); }

const OrtMemoryInfo* CpuMemory() {
  static const auto memory = Made<MemoryInfo>(api.CreateCpuMemoryInfo, OrtDeviceAllocator, OrtMemTypeDefault);
  return memory.get();
}

Session SessionFrom(std::string_view model, const OrtSessionOptions* options) {
  return Made<Session>(api.CreateSessionFromArray, Env(), model.data(), model.size(), options);
}

Value StringTensor(const std::vector<const char*>& texts) {
  const auto count = static_cast<int64_t>(texts.size());
  auto value =
      Made<Value>(api.CreateTensorAsOrtValue, DefaultAllocator(), &count, 1u, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  EXPECT_TRUE(Ok(api.FillStringTensor(value.get(), texts.data(), texts.size())));
  return value;
}

std::vector<int64_t> ShapeOf(const OrtValue* value) {
  const auto info = Made<TensorInfo>(api.GetTensorTypeAndShape, value);
  std::vector<int64_t> shape(Get<size_t>(api.GetDimensionsCount, info.get()));
  EXPECT_TRUE(Ok(api.GetDimensions(info.get(), shape.data(), shape.size())));
  return shape;
}

std::vector<std::string> StringsOf(const OrtValue* value) {
  const auto info = Made<TensorInfo>(api.GetTensorTypeAndShape, value);
  std::vector<std::string> texts(Get<size_t>(api.GetTensorShapeElementCount, info.get()));
  for (size_t i = 0; i < texts.size(); ++i) {
    texts[i].resize(Get<size_t>(api.GetStringTensorElementLength, value, i));
    EXPECT_TRUE(Ok(api.GetStringTensorElement(value, texts[i].size(), i, texts[i].data())));
  }
  return texts;
}

}  // namespace ortrun::abi_testing
