// SPDX-License-Identifier: Apache-2.0
// Dense tensors, string tensors, sequences and maps.

#include <cstring>

#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

TEST(Tensor, OfTheAllocator) {
  const int64_t shape[] = {2, 3};
  const auto value =
      Made<Value>(api.CreateTensorAsOrtValue, DefaultAllocator(), shape, 2u, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  EXPECT_EQ(Get<int>(api.IsTensor, value.get()), 1);
  EXPECT_EQ(Get<int>(api.HasValue, value.get()), 1);
  EXPECT_EQ(Get<ONNXType>(api.GetValueType, value.get()), ONNX_TYPE_TENSOR);
  EXPECT_EQ(Get<size_t>(api.GetTensorSizeInBytes, value.get()), 24u);
  EXPECT_EQ(ShapeOf(value.get()), (std::vector<int64_t>{2, 3}));
  auto* data = static_cast<float*>(Get<void*>(api.GetTensorMutableData, value.get()));
  for (int i = 0; i < 6; ++i) data[i] = static_cast<float>(i);
  const int64_t place[] = {1, 2};
  EXPECT_EQ(*static_cast<float*>(Get<void*>(api.TensorAt, value.get(), place, 2u)), 5.0f);
  const int64_t outside[] = {2, 0};
  void* none = nullptr;
  EXPECT_TRUE(Fails(api.TensorAt(value.get(), outside, 2, &none), ORT_INVALID_ARGUMENT, "location"));
  EXPECT_TRUE(Fails(api.TensorAt(value.get(), place, 1, &none), ORT_INVALID_ARGUMENT, "dimensions"));
}

TEST(Tensor, OverDataOfTheCaller) {
  std::vector<float> data = {1, 2, 3};
  const Value value = TensorOver(data, {3});
  EXPECT_EQ(Get<void*>(api.GetTensorMutableData, value.get()), data.data());
  EXPECT_EQ(
      Get<int>(api.CompareMemoryInfo, Get<const OrtMemoryInfo*>(api.GetTensorMemoryInfo, value.get()), CpuMemory()), 0);
  ONNXTensorElementDataType type{};
  const int64_t* shape = nullptr;
  size_t rank = 0;
  ASSERT_TRUE(Ok(api.GetTensorElementTypeAndShapeDataReference(value.get(), &type, &shape, &rank)));
  EXPECT_EQ(type, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  ASSERT_EQ(rank, 1u);
  EXPECT_EQ(shape[0], 3);
}

TEST(Tensor, AScalarHasNoDimensions) {
  std::vector<float> data = {7};
  const Value value = TensorOver(data, {});
  EXPECT_TRUE(ShapeOf(value.get()).empty());
  EXPECT_EQ(DataOf<float>(value.get()), data);
}

TEST(Tensor, RefusesShapesThatCannotBe) {
  std::vector<float> data(4);
  OrtValue* made = nullptr;
  const auto make = [&](const std::vector<int64_t>& shape, ONNXTensorElementDataType type) {
    return api.CreateTensorWithDataAsOrtValue(CpuMemory(), data.data(), data.size() * sizeof(float), shape.data(),
                                              shape.size(), type, &made);
  };
  EXPECT_TRUE(Fails(make({-1}, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT), ORT_INVALID_ARGUMENT, "negative"));
  EXPECT_TRUE(Fails(make({5}, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT), ORT_INVALID_ARGUMENT, "not enough space"));
  EXPECT_TRUE(Fails(make({INT64_MAX, 2}, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT), ORT_INVALID_ARGUMENT));
  EXPECT_TRUE(Fails(make({int64_t{1} << 62}, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT), ORT_INVALID_ARGUMENT));
  EXPECT_TRUE(Fails(make({4}, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED), ORT_NOT_IMPLEMENTED, "type 0"));
  const int64_t huge = int64_t{1} << 60;
  OrtStatus* status =
      api.CreateTensorAsOrtValue(DefaultAllocator(), &huge, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &made);
  EXPECT_NE(status, nullptr);
  api.ReleaseStatus(status);
  EXPECT_EQ(made, nullptr);
}

TEST(StringTensor, ReadsWhatWasWritten) {
  const Value value = StringTensor({"alpha", "", "gamma"});
  EXPECT_EQ(StringsOf(value.get()), (std::vector<std::string>{"alpha", "", "gamma"}));
  ASSERT_EQ(Get<size_t>(api.GetStringTensorDataLength, value.get()), 10u);
  std::string content(10, '\0');
  size_t offsets[3] = {};
  ASSERT_TRUE(Ok(api.GetStringTensorContent(value.get(), content.data(), content.size(), offsets, 3)));
  EXPECT_EQ(content, "alphagamma");
  EXPECT_EQ(offsets[0], 0u);
  EXPECT_EQ(offsets[1], 5u);
  EXPECT_EQ(offsets[2], 5u);
}

TEST(StringTensor, ChangesOneElement) {
  const Value value = StringTensor({"a", "b"});
  ASSERT_TRUE(Ok(api.FillStringTensorElement(value.get(), "changed", 1)));
  char* buffer = nullptr;
  ASSERT_TRUE(Ok(api.GetResizedStringTensorElementBuffer(value.get(), 0, 3, &buffer)));
  std::memcpy(buffer, "new", 3);
  EXPECT_EQ(StringsOf(value.get()), (std::vector<std::string>{"new", "changed"}));
}

TEST(StringTensor, ChecksIndicesAndRoom) {
  const Value value = StringTensor({"alpha", "b"});
  size_t length = 0;
  EXPECT_TRUE(Fails(api.GetStringTensorElementLength(value.get(), 2, &length), ORT_INVALID_ARGUMENT, "index 2"));
  EXPECT_TRUE(Fails(api.FillStringTensorElement(value.get(), "x", 2), ORT_INVALID_ARGUMENT, "index 2"));
  char small[2];
  EXPECT_TRUE(Fails(api.GetStringTensorElement(value.get(), 2, 0, small), ORT_FAIL, "too small"));
  const char* one[] = {"x"};
  EXPECT_TRUE(Fails(api.FillStringTensor(value.get(), one, 1), ORT_INVALID_ARGUMENT));
  const char* with_null[] = {"x", nullptr};
  EXPECT_TRUE(Fails(api.FillStringTensor(value.get(), with_null, 2), ORT_INVALID_ARGUMENT, "null"));
  std::vector<float> numbers = {1};
  const Value tensor = TensorOver(numbers, {1});
  EXPECT_TRUE(Fails(api.GetStringTensorDataLength(tensor.get(), &length), ORT_FAIL, "string"));
}

class Containers : public testing::Test {
 protected:
  OrtStatus* Make(const std::vector<const OrtValue*>& parts, ONNXType kind) {
    return api.CreateValue(parts.data(), parts.size(), kind, &made);
  }
  void TearDown() override { api.ReleaseValue(made); }

  std::vector<float> numbers = {1, 2};
  std::vector<int64_t> labels = {7, 8};
  const Value values = TensorOver(numbers, {2});
  const Value keys = TensorOver(labels, {2});
  OrtValue* made = nullptr;
};

TEST_F(Containers, ASequenceKeepsItsElements) {
  ASSERT_TRUE(Ok(Make({values.get(), values.get(), values.get()}, ONNX_TYPE_SEQUENCE)));
  EXPECT_EQ(Get<size_t>(api.GetValueCount, made), 3u);
  EXPECT_EQ(DataOf<float>(Made<Value>(api.GetValue, made, 2, DefaultAllocator()).get()), numbers);
  OrtValue* none = nullptr;
  EXPECT_TRUE(Fails(api.GetValue(made, 3, DefaultAllocator(), &none), ORT_FAIL, "index 3"));
  EXPECT_TRUE(Fails(api.GetValue(made, -1, DefaultAllocator(), &none), ORT_FAIL, "index -1"));
}

TEST_F(Containers, AMapIsKeysAndValues) {
  ASSERT_TRUE(Ok(Make({keys.get(), values.get()}, ONNX_TYPE_MAP)));
  EXPECT_EQ(Get<size_t>(api.GetValueCount, made), 2u);
  EXPECT_EQ(DataOf<int64_t>(Made<Value>(api.GetValue, made, 0, DefaultAllocator()).get()), labels);
  EXPECT_EQ(DataOf<float>(Made<Value>(api.GetValue, made, 1, DefaultAllocator()).get()), numbers);
}

TEST_F(Containers, RefuseWhatDoesNotFit) {
  std::vector<float> three = {1, 2, 3};
  const Value longer = TensorOver(three, {3});
  EXPECT_TRUE(Fails(Make({}, ONNX_TYPE_SEQUENCE), ORT_INVALID_ARGUMENT));
  EXPECT_TRUE(Fails(Make({values.get(), keys.get()}, ONNX_TYPE_SEQUENCE), ORT_FAIL, "same data type"));
  EXPECT_TRUE(Fails(Make({keys.get()}, ONNX_TYPE_MAP), ORT_FAIL, "2"));
  EXPECT_TRUE(Fails(Make({keys.get(), longer.get()}, ONNX_TYPE_MAP), ORT_FAIL, "unequal"));
  EXPECT_TRUE(Fails(Make({values.get(), values.get()}, ONNX_TYPE_MAP), ORT_FAIL, "Keys"));
  EXPECT_TRUE(Fails(Make({values.get()}, ONNX_TYPE_TENSOR), ORT_FAIL, "sequence or map"));
  EXPECT_TRUE(Fails(Make({nullptr}, ONNX_TYPE_SEQUENCE), ORT_INVALID_ARGUMENT, "element 0"));
}

TEST_F(Containers, HaveNoTensorData) {
  ASSERT_TRUE(Ok(Make({values.get()}, ONNX_TYPE_SEQUENCE)));
  void* data = nullptr;
  EXPECT_TRUE(Fails(api.GetTensorMutableData(made, &data), ORT_RUNTIME_EXCEPTION, "tensor"));
  const void* constant = nullptr;
  EXPECT_TRUE(Fails(api.GetTensorData(made, &constant), ORT_RUNTIME_EXCEPTION, "tensor"));
  OrtTensorTypeAndShapeInfo* info = nullptr;
  EXPECT_TRUE(Fails(api.GetTensorTypeAndShape(made, &info), ORT_FAIL, "tensor"));
  size_t size = 0;
  EXPECT_TRUE(Fails(api.GetTensorSizeInBytes(made, &size), ORT_INVALID_ARGUMENT, "tensor"));
  EXPECT_TRUE(Fails(api.GetValueCount(values.get(), &size), ORT_FAIL, "sequence or map"));
  EXPECT_EQ(Get<int>(api.IsTensor, made), 0);
  EXPECT_EQ(Get<int>(api.IsSparseTensor, made), 0);
}

}  // namespace
}  // namespace ortrun::abi_testing
