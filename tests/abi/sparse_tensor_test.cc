// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

class SparseTensor : public testing::Test {
 protected:
  Value New() const {
    return Made<Value>(api.CreateSparseTensorAsOrtValue, DefaultAllocator(), dense, 2u,
                       ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  }
  static std::vector<int64_t> Indices(const OrtValue* value, OrtSparseIndicesFormat format) {
    size_t count = 0;
    const void* indices = nullptr;
    EXPECT_TRUE(Ok(api.GetSparseTensorIndices(value, format, &count, &indices)));
    const auto* first = static_cast<const int64_t*>(indices);
    return {first, first + count};
  }

  const int64_t dense[2] = {3, 3};
  const int64_t values_shape[1] = {2};
  std::vector<float> values = {5, 6};
};

TEST_F(SparseTensor, OfCoordinates) {
  const Value value = New();
  const int64_t indices[] = {1, 8};
  ASSERT_TRUE(Ok(api.FillSparseTensorCoo(value.get(), CpuMemory(), values_shape, 1, values.data(), indices, 2)));
  EXPECT_EQ(Get<int>(api.IsSparseTensor, value.get()), 1);
  EXPECT_EQ(Get<int>(api.IsTensor, value.get()), 0);
  EXPECT_EQ(Get<OrtSparseFormat>(api.GetSparseTensorFormat, value.get()), ORT_SPARSE_COO);
  EXPECT_EQ(ShapeOf(value.get()), (std::vector<int64_t>{3, 3}));
  const auto* held = static_cast<const float*>(Get<const void*>(api.GetSparseTensorValues, value.get()));
  EXPECT_EQ(held[0], 5);
  EXPECT_EQ(held[1], 6);
  EXPECT_EQ(Indices(value.get(), ORT_SPARSE_COO_INDICES), (std::vector<int64_t>{1, 8}));
  size_t count = 0;
  const void* none = nullptr;
  EXPECT_TRUE(Fails(api.GetSparseTensorIndices(value.get(), ORT_SPARSE_CSR_INNER_INDICES, &count, &none),
                    ORT_INVALID_ARGUMENT, "format"));
  EXPECT_TRUE(Fails(api.FillSparseTensorCoo(value.get(), CpuMemory(), values_shape, 1, values.data(), indices, 2),
                    ORT_INVALID_ARGUMENT, "already"));
}

TEST_F(SparseTensor, OfCompressedRows) {
  const Value value = New();
  const int64_t inner[] = {1, 2};
  const int64_t outer[] = {0, 1, 1, 2};
  EXPECT_TRUE(
      Fails(api.FillSparseTensorCsr(value.get(), CpuMemory(), values_shape, 1, values.data(), inner, 2, outer, 3),
            ORT_INVALID_ARGUMENT, "outer"));
  ASSERT_TRUE(
      Ok(api.FillSparseTensorCsr(value.get(), CpuMemory(), values_shape, 1, values.data(), inner, 2, outer, 4)));
  EXPECT_EQ(Indices(value.get(), ORT_SPARSE_CSR_INNER_INDICES), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Indices(value.get(), ORT_SPARSE_CSR_OUTER_INDICES), (std::vector<int64_t>{0, 1, 1, 2}));
}

TEST_F(SparseTensor, OverDataOfTheCaller) {
  const auto value = Made<Value>(api.CreateSparseTensorWithValuesAsOrtValue, CpuMemory(), values.data(), dense, 2u,
                                 values_shape, 1u, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  int64_t indices[] = {0, 0, 2, 2};
  ASSERT_TRUE(Ok(api.UseCooIndices(value.get(), indices, 4)));
  EXPECT_EQ(Get<const void*>(api.GetSparseTensorValues, value.get()), values.data());
  const auto info = Made<TensorInfo>(api.GetSparseTensorIndicesTypeShape, value.get(), ORT_SPARSE_COO_INDICES);
  EXPECT_EQ(Get<ONNXTensorElementDataType>(api.GetTensorElementType, info.get()), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
  EXPECT_EQ(Get<size_t>(api.GetDimensionsCount, info.get()), 2u);
}

TEST_F(SparseTensor, OfBlocks) {
  const Value value = New();
  const int64_t block_values[] = {1, 1, 2};
  const int64_t indices_shape[] = {2, 1};
  const int32_t indices[] = {0, 1};
  ASSERT_TRUE(Ok(api.FillSparseTensorBlockSparse(value.get(), CpuMemory(), block_values, 3, values.data(),
                                                 indices_shape, 2, indices)));
  EXPECT_EQ(Get<OrtSparseFormat>(api.GetSparseTensorFormat, value.get()), ORT_SPARSE_BLOCK_SPARSE);
}

TEST_F(SparseTensor, OfStrings) {
  const auto value = Made<Value>(api.CreateSparseTensorAsOrtValue, DefaultAllocator(), dense, 2u,
                                 ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  const char* texts[] = {"five", "six"};
  const int64_t indices[] = {1, 8};
  ASSERT_TRUE(Ok(api.FillSparseTensorCoo(value.get(), CpuMemory(), values_shape, 1, texts, indices, 2)));
  EXPECT_EQ(Get<size_t>(api.GetStringTensorDataLength, value.get()), 7u);
  std::string second(3, '\0');
  ASSERT_TRUE(Ok(api.GetStringTensorElement(value.get(), 3, 1, second.data())));
  EXPECT_EQ(second, "six");
}

TEST_F(SparseTensor, IsNoDenseTensor) {
  const Value value = New();
  void* data = nullptr;
  EXPECT_TRUE(Fails(api.GetTensorMutableData(value.get(), &data), ORT_RUNTIME_EXCEPTION));
  const Value tensor = TensorOver(values, {2});
  OrtSparseFormat format{};
  EXPECT_TRUE(Fails(api.GetSparseTensorFormat(tensor.get(), &format), ORT_INVALID_ARGUMENT, "sparse"));
}

}  // namespace
}  // namespace ortrun::abi_testing
