// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

TypeInfo InputType(const Message& type) {
  return Made<TypeInfo>(api.SessionGetInputTypeInfo, SessionFrom(IdentityModel(type)).get(), 0u);
}

TEST(TypeInfo, OfATensorWithAFreeDimension) {
  const TypeInfo type = InputType(TensorType(kFloat, {"N", 2}));
  EXPECT_EQ(Get<ONNXType>(api.GetOnnxTypeFromTypeInfo, type.get()), ONNX_TYPE_TENSOR);
  const auto* info = Get<const OrtTensorTypeAndShapeInfo*>(api.CastTypeInfoToTensorInfo, type.get());
  ASSERT_NE(info, nullptr);
  EXPECT_TRUE(api.TensorTypeAndShape_HasShape(info));
  ASSERT_EQ(Get<size_t>(api.GetDimensionsCount, info), 2u);
  int64_t dimensions[2] = {};
  const char* names[2] = {};
  ASSERT_TRUE(Ok(api.GetDimensions(info, dimensions, 2)));
  ASSERT_TRUE(Ok(api.GetSymbolicDimensions(info, names, 2)));
  EXPECT_EQ(dimensions[0], -1);
  EXPECT_EQ(dimensions[1], 2);
  EXPECT_STREQ(names[0], "N");
  EXPECT_STREQ(names[1], "");
  size_t count = 0;
  EXPECT_TRUE(Fails(api.GetTensorShapeElementCount(info, &count), ORT_FAIL));
  const char* denotation = nullptr;
  size_t length = 1;
  ASSERT_TRUE(Ok(api.GetDenotationFromTypeInfo(type.get(), &denotation, &length)));
  EXPECT_EQ(length, 0u);
}

TEST(TypeInfo, OfASequence) {
  const TypeInfo type = InputType(SequenceType(TensorType(kInt64, {"N"})));
  EXPECT_EQ(Get<ONNXType>(api.GetOnnxTypeFromTypeInfo, type.get()), ONNX_TYPE_SEQUENCE);
  EXPECT_EQ(Get<const OrtTensorTypeAndShapeInfo*>(api.CastTypeInfoToTensorInfo, type.get()), nullptr);
  EXPECT_EQ(Get<const OrtMapTypeInfo*>(api.CastTypeInfoToMapTypeInfo, type.get()), nullptr);
  const auto* sequence = Get<const OrtSequenceTypeInfo*>(api.CastTypeInfoToSequenceTypeInfo, type.get());
  ASSERT_NE(sequence, nullptr);
  const auto element = Made<TypeInfo>(api.GetSequenceElementType, sequence);
  const auto* info = Get<const OrtTensorTypeAndShapeInfo*>(api.CastTypeInfoToTensorInfo, element.get());
  EXPECT_EQ(Get<ONNXTensorElementDataType>(api.GetTensorElementType, info), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
}

TEST(TypeInfo, OfAMapValue) {
  std::vector<int64_t> labels = {1};
  std::vector<float> numbers = {2};
  const Value keys = TensorOver(labels, {1});
  const Value values = TensorOver(numbers, {1});
  const OrtValue* parts[] = {keys.get(), values.get()};
  const auto map = Made<Value>(api.CreateValue, parts, 2u, ONNX_TYPE_MAP);
  const auto type = Made<TypeInfo>(api.GetTypeInfo, map.get());
  const auto* info = Get<const OrtMapTypeInfo*>(api.CastTypeInfoToMapTypeInfo, type.get());
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(Get<ONNXTensorElementDataType>(api.GetMapKeyType, info), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
  EXPECT_NE(Made<TypeInfo>(api.GetMapValueType, info), nullptr);
}

TEST(TensorInfo, IsMadeAndRead) {
  const auto info = Made<TensorInfo>(api.CreateTensorTypeAndShapeInfo);
  EXPECT_FALSE(api.TensorTypeAndShape_HasShape(info.get()));
  const int64_t shape[] = {4, 5};
  ASSERT_TRUE(Ok(api.SetTensorElementType(info.get(), ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE)));
  ASSERT_TRUE(Ok(api.SetDimensions(info.get(), shape, 2)));
  const char* names[] = {"rows", nullptr};
  ASSERT_TRUE(Ok(api.SetSymbolicDimensions(info.get(), names, 2)));
  EXPECT_EQ(Get<ONNXTensorElementDataType>(api.GetTensorElementType, info.get()), ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE);
  EXPECT_EQ(Get<size_t>(api.GetTensorShapeElementCount, info.get()), 20u);
  const char* read[2] = {};
  ASSERT_TRUE(Ok(api.GetSymbolicDimensions(info.get(), read, 2)));
  EXPECT_STREQ(read[0], "rows");
  EXPECT_TRUE(Fails(api.SetDimensions(info.get(), nullptr, 2), ORT_INVALID_ARGUMENT));
  EXPECT_TRUE(Fails(api.GetDimensions(info.get(), nullptr, 2), ORT_INVALID_ARGUMENT));
}

}  // namespace
}  // namespace ortrun::abi_testing
