// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "core/abi/allocator.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/value.h"

namespace ortrun::abi {
namespace {

constexpr ElementType kInt64 = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
constexpr ElementType kInt32 = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;

const SparseParts& Parts(const OrtValue& value) {
  Require(value.kind() == ONNX_TYPE_SPARSETENSOR && value.sparse() != nullptr, "the value is no sparse tensor");
  return *value.sparse();
}

SparseParts& PartsToFill(OrtValue& value) {
  const SparseParts& parts = Parts(value);
  Require(parts.format == ORT_SPARSE_UNDEFINED, "the sparse tensor already has its indices");
  return const_cast<SparseParts&>(parts);  // NOLINT: the value is the caller's to change
}

size_t CheckShape(const int64_t* shape, size_t rank, const char* what) {
  Require(rank == 0 || shape != nullptr, "the ", what, " shape is null");
  return ElementCount(shape, rank);
}

/// Copies dense CPU data into a tensor of the value's own.
OrtValue CopyOf(ElementType type, const int64_t* shape, size_t rank, const void* data) {
  const size_t count = CheckShape(shape, rank, "values");
  Require(count == 0 || data != nullptr, "the data of the sparse tensor are null");
  OrtValue copy = OrtValue::CpuTensor(type, shape, rank);
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    const auto* texts = static_cast<const char* const*>(data);
    for (size_t i = 0; i < count; ++i) copy.strings()[i] = texts[i] == nullptr ? "" : texts[i];
  } else if (count != 0) {
    std::memcpy(copy.tensor().data, data, copy.bytes());
  }
  return copy;
}

OrtValue ViewOf(ElementType type, std::vector<int64_t> shape, void* data) {
  Require(ElementCount(shape.data(), shape.size()) == 0 || data != nullptr, "the indices are null");
  return OrtValue::View(type, shape.data(), shape.size(), data, CpuMemoryInfo(), nullptr);
}

/// COO indices are linear (one per value) or coordinates (one row of two per value).
std::vector<int64_t> CooShape(size_t values, size_t indices) {
  Require(indices == values || indices == 2 * values, "a sparse tensor of ", values, " values has ", values, " or ",
          2 * values, " COO indices, not ", indices);
  const auto rows = static_cast<int64_t>(values);
  if (indices == values) return {rows};
  return {rows, 2};
}

void CheckCsr(const OrtValue& value, size_t values, size_t inner, size_t outer) {
  Require(value.tensor().rank == 2, "CSR needs a dense shape of two dimensions");
  Require(inner == values, "a CSR tensor of ", values, " values has as many inner indices, not ", inner);
  const auto rows = static_cast<size_t>(value.tensor().shape[0]);
  Require(outer == rows + 1 || (outer == 0 && values == 0), "a CSR tensor of ", rows, " rows has ", rows + 1,
          " outer indices, not ", outer);
}

void CheckSource(const OrtMemoryInfo& memory) {
  Require(memory.device.HostAccessible(), "sparse tensors are filled from memory that the CPU can read, not from '",
          memory.name, "'");
}

OrtStatus* IsSparseTensor(const OrtValue* value, int* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = value->kind() == ONNX_TYPE_SPARSETENSOR ? 1 : 0; });
}

void CheckElementType(ElementType type) {
  Require(type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING || ElementBits(type) >= 8, "a sparse tensor cannot have ",
          ElementTypeName(type), " elements");
}

OrtStatus* CreateSparseTensorAsOrtValue(OrtAllocator* allocator, const int64_t* dense_shape, size_t dense_shape_len,
                                        ONNXTensorElementDataType type, OrtValue** out) {
  return Guard({{"allocator", allocator}, {"out", out}}, [&] {
    CheckElementType(type);
    CheckShape(dense_shape, dense_shape_len, "dense");
    *out = new OrtValue(OrtValue::Sparse(type, dense_shape, dense_shape_len, std::make_shared<SparseParts>()));
  });
}

OrtStatus* CreateSparseTensorWithValuesAsOrtValue(const OrtMemoryInfo* info, void* p_data, const int64_t* dense_shape,
                                                  size_t dense_shape_len, const int64_t* values_shape,
                                                  size_t values_shape_len, ONNXTensorElementDataType type,
                                                  OrtValue** out) {
  return Guard({{"info", info}, {"out", out}}, [&] {
    CheckElementType(type);
    Require(type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,
            "strings cannot lie in memory of the caller: use CreateSparseTensorAsOrtValue and a Fill function");
    CheckShape(dense_shape, dense_shape_len, "dense");
    const size_t count = CheckShape(values_shape, values_shape_len, "values");
    Require(count == 0 || p_data != nullptr, "CreateSparseTensorWithValuesAsOrtValue: p_data is null");
    auto parts = std::make_shared<SparseParts>();
    parts->values = OrtValue::View(type, values_shape, values_shape_len, p_data, *info, nullptr);
    *out = new OrtValue(OrtValue::Sparse(type, dense_shape, dense_shape_len, std::move(parts)));
  });
}

OrtStatus* FillSparseTensorCoo(OrtValue* ort_value, const OrtMemoryInfo* data_mem_info, const int64_t* values_shape,
                               size_t values_shape_len, const void* values, const int64_t* indices_data,
                               size_t indices_num) {
  return Guard({{"ort_value", ort_value}, {"data_mem_info", data_mem_info}}, [&] {
    SparseParts& parts = PartsToFill(*ort_value);
    CheckSource(*data_mem_info);
    OrtValue copy = CopyOf(ort_value->type(), values_shape, values_shape_len, values);
    const std::vector<int64_t> shape = CooShape(copy.tensor().count, indices_num);
    parts.indices = {CopyOf(kInt64, shape.data(), shape.size(), indices_data)};
    parts.values = std::move(copy);
    parts.format = ORT_SPARSE_COO;
  });
}

OrtStatus* FillSparseTensorCsr(OrtValue* ort_value, const OrtMemoryInfo* data_mem_info, const int64_t* values_shape,
                               size_t values_shape_len, const void* values, const int64_t* inner_indices_data,
                               size_t inner_indices_num, const int64_t* outer_indices_data, size_t outer_indices_num) {
  return Guard({{"ort_value", ort_value}, {"data_mem_info", data_mem_info}}, [&] {
    SparseParts& parts = PartsToFill(*ort_value);
    CheckSource(*data_mem_info);
    OrtValue copy = CopyOf(ort_value->type(), values_shape, values_shape_len, values);
    CheckCsr(*ort_value, copy.tensor().count, inner_indices_num, outer_indices_num);
    const auto inner = static_cast<int64_t>(inner_indices_num);
    const auto outer = static_cast<int64_t>(outer_indices_num);
    parts.indices = {CopyOf(kInt64, &inner, 1, inner_indices_data), CopyOf(kInt64, &outer, 1, outer_indices_data)};
    parts.values = std::move(copy);
    parts.format = ORT_SPARSE_CSRC;
  });
}

OrtStatus* FillSparseTensorBlockSparse(OrtValue* ort_value, const OrtMemoryInfo* data_mem_info,
                                       const int64_t* values_shape, size_t values_shape_len, const void* values,
                                       const int64_t* indices_shape_data, size_t indices_shape_len,
                                       const int32_t* indices_data) {
  return Guard({{"ort_value", ort_value}, {"data_mem_info", data_mem_info}}, [&] {
    SparseParts& parts = PartsToFill(*ort_value);
    CheckSource(*data_mem_info);
    OrtValue copy = CopyOf(ort_value->type(), values_shape, values_shape_len, values);
    CheckShape(indices_shape_data, indices_shape_len, "indices");
    parts.indices = {CopyOf(kInt32, indices_shape_data, indices_shape_len, indices_data)};
    parts.values = std::move(copy);
    parts.format = ORT_SPARSE_BLOCK_SPARSE;
  });
}

OrtStatus* UseCooIndices(OrtValue* ort_value, int64_t* indices_data, size_t indices_num) {
  return Guard({{"ort_value", ort_value}}, [&] {
    SparseParts& parts = PartsToFill(*ort_value);
    parts.indices = {ViewOf(kInt64, CooShape(parts.values.tensor().count, indices_num), indices_data)};
    parts.format = ORT_SPARSE_COO;
  });
}

OrtStatus* UseCsrIndices(OrtValue* ort_value, int64_t* inner_data, size_t inner_num, int64_t* outer_data,
                         size_t outer_num) {
  return Guard({{"ort_value", ort_value}}, [&] {
    SparseParts& parts = PartsToFill(*ort_value);
    CheckCsr(*ort_value, parts.values.tensor().count, inner_num, outer_num);
    parts.indices = {ViewOf(kInt64, {static_cast<int64_t>(inner_num)}, inner_data),
                     ViewOf(kInt64, {static_cast<int64_t>(outer_num)}, outer_data)};
    parts.format = ORT_SPARSE_CSRC;
  });
}

OrtStatus* UseBlockSparseIndices(OrtValue* ort_value, const int64_t* indices_shape, size_t indices_shape_len,
                                 int32_t* indices_data) {
  return Guard({{"ort_value", ort_value}}, [&] {
    SparseParts& parts = PartsToFill(*ort_value);
    CheckShape(indices_shape, indices_shape_len, "indices");
    parts.indices = {ViewOf(kInt32, {indices_shape, indices_shape + indices_shape_len}, indices_data)};
    parts.format = ORT_SPARSE_BLOCK_SPARSE;
  });
}

OrtStatus* GetSparseTensorFormat(const OrtValue* ort_value, OrtSparseFormat* out) {
  return Guard({{"ort_value", ort_value}, {"out", out}}, [&] { *out = Parts(*ort_value).format; });
}

OrtTensorTypeAndShapeInfo* NewInfo(const OrtValue& tensor) {
  return new OrtTensorTypeAndShapeInfo(tensor.TypeOf().tensor);
}

OrtStatus* GetSparseTensorValuesTypeAndShape(const OrtValue* ort_value, OrtTensorTypeAndShapeInfo** out) {
  return Guard({{"ort_value", ort_value}, {"out", out}}, [&] { *out = NewInfo(Parts(*ort_value).values); });
}

OrtStatus* GetSparseTensorValues(const OrtValue* ort_value, const void** out) {
  return Guard({{"ort_value", ort_value}, {"out", out}}, [&] {
    const OrtValue& values = Parts(*ort_value).values;
    Require(!values.IsString(), "Use GetStringTensor*() API to retrieve strings");
    *out = values.tensor().data;
  });
}

const OrtValue& IndicesOf(const OrtValue& value, OrtSparseIndicesFormat format) {
  const SparseParts& parts = Parts(value);
  const bool csr = format == ORT_SPARSE_CSR_INNER_INDICES || format == ORT_SPARSE_CSR_OUTER_INDICES;
  const OrtSparseFormat wanted = csr                                ? ORT_SPARSE_CSRC
                                 : format == ORT_SPARSE_COO_INDICES ? ORT_SPARSE_COO
                                                                    : ORT_SPARSE_BLOCK_SPARSE;
  Require(parts.format == wanted && format <= ORT_SPARSE_BLOCK_SPARSE_INDICES, "the sparse tensor has format ",
          static_cast<int>(parts.format), ", so no indices of format ", static_cast<int>(format));
  return parts.indices[format == ORT_SPARSE_CSR_OUTER_INDICES ? 1 : 0];
}

OrtStatus* GetSparseTensorIndicesTypeShape(const OrtValue* ort_value, OrtSparseIndicesFormat indices_format,
                                           OrtTensorTypeAndShapeInfo** out) {
  return Guard({{"ort_value", ort_value}, {"out", out}},
               [&] { *out = NewInfo(IndicesOf(*ort_value, indices_format)); });
}

OrtStatus* GetSparseTensorIndices(const OrtValue* ort_value, OrtSparseIndicesFormat indices_format, size_t* num_indices,
                                  const void** indices) {
  return Guard({{"ort_value", ort_value}, {"num_indices", num_indices}, {"indices", indices}}, [&] {
    const OrtrunTensor& found = IndicesOf(*ort_value, indices_format).tensor();
    *num_indices = found.count;
    *indices = found.data;
  });
}

}  // namespace

void FillSparseTensor(OrtApi& api) {
  api.IsSparseTensor = IsSparseTensor;
  api.CreateSparseTensorAsOrtValue = CreateSparseTensorAsOrtValue;
  api.CreateSparseTensorWithValuesAsOrtValue = CreateSparseTensorWithValuesAsOrtValue;
  api.FillSparseTensorCoo = FillSparseTensorCoo;
  api.FillSparseTensorCsr = FillSparseTensorCsr;
  api.FillSparseTensorBlockSparse = FillSparseTensorBlockSparse;
  api.UseCooIndices = UseCooIndices;
  api.UseCsrIndices = UseCsrIndices;
  api.UseBlockSparseIndices = UseBlockSparseIndices;
  api.GetSparseTensorFormat = GetSparseTensorFormat;
  api.GetSparseTensorValuesTypeAndShape = GetSparseTensorValuesTypeAndShape;
  api.GetSparseTensorValues = GetSparseTensorValues;
  api.GetSparseTensorIndicesTypeShape = GetSparseTensorIndicesTypeShape;
  api.GetSparseTensorIndices = GetSparseTensorIndices;
}

}  // namespace ortrun::abi
