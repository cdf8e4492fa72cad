// SPDX-License-Identifier: Apache-2.0
#include "core/execution/value.h"

#include <span>
#include <utility>

#include "core/abi/allocator.h"
#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

/// Checks what comes from a caller and answers the number of elements.
size_t CheckTensor(ElementType type, const int64_t* shape, size_t rank) {
  Require(rank == 0 || shape != nullptr, "a shape of ", rank, " dimensions was given as a null pointer");
  for (size_t i = 0; i < rank; ++i)
    Require(shape[i] >= 0, "tried creating tensor with negative value in shape ", ShapeText(shape, rank));
  if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING && ElementBits(type) == 0)
    throw Error(ORT_NOT_IMPLEMENTED, Concat("tensor type ", static_cast<int>(type), " is not supported"));
  const size_t count = ElementCount(shape, rank);
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING)
    Require(count <= static_cast<size_t>(INT64_MAX) / sizeof(std::string), "a tensor of ", count,
            " strings is larger than memory can be");
  return count;
}

size_t BytesOf(ElementType type, size_t count) {
  return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING ? count * sizeof(std::string) : TensorBytes(type, count);
}

OrtStatus* CreateTensorAsOrtValue(OrtAllocator* allocator, const int64_t* shape, size_t shape_len,
                                  ONNXTensorElementDataType type, OrtValue** out) {
  return Guard({{"allocator", allocator}, {"out", out}}, [&] {
    CheckTensor(type, shape, shape_len);
    *out = new OrtValue(OrtValue::Tensor(type, shape, shape_len, Share(allocator)));
  });
}

void CheckRoom(ElementType type, size_t count, const void* data, size_t bytes) {
  const size_t needed = BytesOf(type, count);
  Require(bytes >= needed, "not enough space: expected ", needed, ", got ", bytes);
  Require(needed == 0 || data != nullptr, "p_data is null, but the shape needs ", needed, " bytes");
}

OrtStatus* CreateTensorWithDataAsOrtValue(const OrtMemoryInfo* info, void* p_data, size_t p_data_len,
                                          const int64_t* shape, size_t shape_len, ONNXTensorElementDataType type,
                                          OrtValue** out) {
  return Guard({{"info", info}, {"out", out}}, [&] {
    CheckRoom(type, CheckTensor(type, shape, shape_len), p_data, p_data_len);
    *out = new OrtValue(OrtValue::View(type, shape, shape_len, p_data, *info, nullptr));
  });
}

OrtStatus* CreateTensorWithDataAndDeleterAsOrtValue(OrtAllocator* deleter, void* p_data, size_t p_data_len,
                                                    const int64_t* shape, size_t shape_len,
                                                    ONNXTensorElementDataType type, OrtValue** out) {
  return Guard({{"deleter", deleter}, {"out", out}}, [&] {
    CheckRoom(type, CheckTensor(type, shape, shape_len), p_data, p_data_len);
    const OrtMemoryInfo* info = deleter->Info(deleter);
    Require(info != nullptr, "the deleter names no memory (its Info answers null)");
    auto value = std::make_unique<OrtValue>(OrtValue::View(type, shape, shape_len, p_data, *info, nullptr));
    // The data becomes ours only once nothing can fail any more.
    std::shared_ptr<void> owner(static_cast<void*>(nullptr),
                                [deleter, p_data](void*) { deleter->Free(deleter, p_data); });
    *value = OrtValue::View(type, shape, shape_len, p_data, *info, std::move(owner));
    *out = value.release();
  });
}

OrtStatus* IsTensor(const OrtValue* value, int* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = value->IsTensor() ? 1 : 0; });
}

OrtStatus* HasValue(const OrtValue* value, int* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = value->HasValue() ? 1 : 0; });
}

OrtStatus* NotATensor(const char* slot) noexcept {
  return MakeStatus(ORT_RUNTIME_EXCEPTION, Concat(slot, ": the value is no dense tensor"));
}

OrtStatus* GetTensorMutableData(OrtValue* value, void** out) {
  if (value == nullptr || out == nullptr) [[unlikely]]
    return NullArgument("GetTensorMutableData", value == nullptr ? "value" : "out");
  if (!value->IsTensor()) [[unlikely]]
    return NotATensor("GetTensorMutableData");
  *out = value->tensor().data;
  return nullptr;
}

OrtStatus* GetTensorData(const OrtValue* value, const void** out) {
  if (value == nullptr || out == nullptr) [[unlikely]]
    return NullArgument("GetTensorData", value == nullptr ? "value" : "out");
  if (!value->IsTensor()) [[unlikely]]
    return NotATensor("GetTensorData");
  *out = value->tensor().data;
  return nullptr;
}

OrtStatus* GetTensorElementTypeAndShapeDataReference(const OrtValue* value, ONNXTensorElementDataType* elem_type,
                                                     const int64_t** shape_data, size_t* shape_data_count) {
  if (value == nullptr || elem_type == nullptr || shape_data == nullptr || shape_data_count == nullptr) [[unlikely]]
    return NullArgument("GetTensorElementTypeAndShapeDataReference", value == nullptr ? "value" : "output");
  if (!value->IsTensor() && value->kind() != ONNX_TYPE_SPARSETENSOR) [[unlikely]]
    return MakeStatus(ORT_INVALID_ARGUMENT, "GetTensorElementTypeAndShapeDataReference: the value is no tensor");
  *elem_type = value->tensor().type;
  *shape_data = value->tensor().shape;
  *shape_data_count = value->tensor().rank;
  return nullptr;
}

OrtStatus* GetTensorSizeInBytes(const OrtValue* ort_value, size_t* size) {
  return Guard({{"ort_value", ort_value}, {"size", size}}, [&] {
    Require(ort_value->IsTensor(), "OrtValue is expected to contain a tensor");
    Require(!ort_value->IsString(), "String tensors are not supported by this API");
    *size = ort_value->bytes();
  });
}

OrtStatus* GetTensorMemoryInfo(const OrtValue* value, const OrtMemoryInfo** mem_info) {
  return Guard({{"value", value}, {"mem_info", mem_info}}, [&] {
    if (!value->IsTensor() && value->kind() != ONNX_TYPE_SPARSETENSOR)
      throw Error(ORT_RUNTIME_EXCEPTION, "GetTensorMemoryInfo: the value is no tensor");
    *mem_info = &value->memory();
  });
}

OrtStatus* TensorAt(OrtValue* value, const int64_t* location_values, size_t location_values_count, void** out) {
  return Guard({{"value", value}, Array("location_values", location_values, location_values_count), {"out", out}}, [&] {
    Require(value->IsTensor(), "TensorAt: the value is no dense tensor");
    const OrtrunTensor& tensor = value->tensor();
    Require(!value->IsString(), "this API does not support strings");
    const size_t bits = ElementBits(tensor.type);
    Require(bits % 8 == 0, "TensorAt: elements of ", ElementTypeName(tensor.type), " are packed and have no address");
    Require(location_values_count == tensor.rank, "location dimensions do not match shape size");
    size_t offset = 0;
    for (size_t i = 0; i < tensor.rank; ++i) {
      Require(location_values[i] >= 0 && location_values[i] < tensor.shape[i], "invalid location range");
      offset = offset * static_cast<size_t>(tensor.shape[i]) + static_cast<size_t>(location_values[i]);
    }
    *out = static_cast<char*>(tensor.data) + offset * (bits / 8);
  });
}

OrtStatus* GetValueType(const OrtValue* value, ONNXType* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = value->kind(); });
}

bool IsMapKey(ElementType type) {
  return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
}

OrtValue MakeSequence(std::span<const OrtValue* const> in) {
  const OrtValue& first = *in.front();
  for (const OrtValue* element : in) {
    if (element->kind() != ONNX_TYPE_TENSOR && element->kind() != ONNX_TYPE_MAP)
      throw Error(ORT_FAIL, "a sequence holds tensors or maps");
    if (element->kind() != first.kind() || (first.IsTensor() && element->type() != first.type()))
      throw Error(ORT_FAIL,
                  "Sequences must have tensors of the same data type. There was at least one tensor in the input that "
                  "was different.");
    if (first.kind() == ONNX_TYPE_MAP && (element->elements()[0].type() != first.elements()[0].type() ||
                                          element->elements()[1].type() != first.elements()[1].type()))
      throw Error(ORT_FAIL, "Sequences must have maps of the same type.");
  }
  std::vector<OrtValue> elements;
  elements.reserve(in.size());
  for (const OrtValue* element : in) elements.push_back(*element);
  return OrtValue::Sequence(std::move(elements));
}

OrtValue MakeMap(std::span<const OrtValue* const> in) {
  if (in.size() != 2) throw Error(ORT_FAIL, "For map type num_values MUST be 2");
  const OrtValue& keys = *in[0];
  const OrtValue& values = *in[1];
  if (!keys.IsTensor() || !values.IsTensor()) throw Error(ORT_FAIL, "Keys and values of a map must be tensors.");
  if (keys.tensor().rank > 1 || values.tensor().rank > 1)
    throw Error(ORT_FAIL, "Either the key tensor or the value tensor has NumDimensions > 1");
  if (keys.tensor().count != values.tensor().count)
    throw Error(ORT_FAIL, "Key and value tensors have unequal number of elements.");
  if (!IsMapKey(keys.type()))
    throw Error(ORT_FAIL, Concat("Keys of a map are int64 or string, not ", ElementTypeName(keys.type())));
  return OrtValue::Map(keys, values);
}

OrtStatus* CreateValue(const OrtValue* const* in, size_t num_values, ONNXType value_type, OrtValue** out) {
  return Guard({{"in", in}, {"out", out}}, [&] {
    if (num_values == 0) throw Error(ORT_FAIL, "Number of values should be at least 1.");
    const std::span<const OrtValue* const> values(in, num_values);
    for (size_t i = 0; i < num_values; ++i) Require(values[i] != nullptr, "CreateValue: element ", i, " is null");
    if (value_type != ONNX_TYPE_SEQUENCE && value_type != ONNX_TYPE_MAP)
      throw Error(ORT_FAIL, "Input is not of type sequence or map.");
    *out = new OrtValue(value_type == ONNX_TYPE_SEQUENCE ? MakeSequence(values) : MakeMap(values));
  });
}

const std::vector<OrtValue>& Elements(const OrtValue& value) {
  if (value.kind() != ONNX_TYPE_SEQUENCE && value.kind() != ONNX_TYPE_MAP)
    throw Error(ORT_FAIL, "Input is not of type sequence or map.");
  return value.elements();
}

OrtStatus* GetValueCount(const OrtValue* value, size_t* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = Elements(*value).size(); });
}

OrtStatus* GetValue(const OrtValue* value, int index, OrtAllocator* allocator, OrtValue** out) {
  // The answer shares the element's data, so the allocator has nothing to do.
  return Guard({{"value", value}, {"allocator", allocator}, {"out", out}}, [&] {
    const std::vector<OrtValue>& elements = Elements(*value);
    if (index < 0 || static_cast<size_t>(index) >= elements.size())
      throw Error(ORT_FAIL, value->kind() == ONNX_TYPE_MAP ? "Invalid index requested for map type."
                                                           : Concat("index ", index, " is outside the sequence of ",
                                                                    elements.size(), " elements"));
    *out = new OrtValue(elements[static_cast<size_t>(index)]);
  });
}

}  // namespace

void FillValue(OrtApi& api) {
  api.CreateTensorAsOrtValue = CreateTensorAsOrtValue;
  api.CreateTensorWithDataAsOrtValue = CreateTensorWithDataAsOrtValue;
  api.CreateTensorWithDataAndDeleterAsOrtValue = CreateTensorWithDataAndDeleterAsOrtValue;
  api.IsTensor = IsTensor;
  api.HasValue = HasValue;
  api.GetTensorMutableData = GetTensorMutableData;
  api.GetTensorData = GetTensorData;
  api.GetTensorElementTypeAndShapeDataReference = GetTensorElementTypeAndShapeDataReference;
  api.GetTensorSizeInBytes = GetTensorSizeInBytes;
  api.GetTensorMemoryInfo = GetTensorMemoryInfo;
  api.TensorAt = TensorAt;
  api.GetValueType = GetValueType;
  api.CreateValue = CreateValue;
  api.GetValueCount = GetValueCount;
  api.GetValue = GetValue;
  api.CreateOpaqueValue = NotImplemented<"OrtApi::CreateOpaqueValue">();
  api.GetOpaqueValue = NotImplemented<"OrtApi::GetOpaqueValue">();
  api.ReleaseValue = Delete<OrtValue>;
}

}  // namespace ortrun::abi
