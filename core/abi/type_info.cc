// SPDX-License-Identifier: Apache-2.0
#include "core/graph/type_info.h"

#include <algorithm>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/value.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateTensorTypeAndShapeInfo(OrtTensorTypeAndShapeInfo** out) {
  return Guard({{"out", out}}, [&] { *out = new OrtTensorTypeAndShapeInfo(); });
}

OrtStatus* SetTensorElementType(OrtTensorTypeAndShapeInfo* info, ONNXTensorElementDataType type) {
  return Guard({{"info", info}}, [&] { info->type = type; });
}

OrtStatus* SetDimensions(OrtTensorTypeAndShapeInfo* info, const int64_t* dim_values, size_t dim_count) {
  return Guard({{"info", info}}, [&] {
    Require(dim_count == 0 || dim_values != nullptr, "SetDimensions: argument 'dim_values' must not be null");
    info->dims.assign(dim_values, dim_values + dim_count);
    info->symbols.assign(dim_count, "");
    info->has_shape = true;
  });
}

OrtStatus* SetSymbolicDimensions(OrtTensorTypeAndShapeInfo* info, const char* dim_params[], size_t dim_params_length) {
  return Guard({{"info", info}}, [&] {
    Require(dim_params_length == 0 || dim_params != nullptr,
            "SetSymbolicDimensions: argument 'dim_params' must not be null");
    for (size_t i = 0; i < std::min(dim_params_length, info->symbols.size()); ++i)
      info->symbols[i] = dim_params[i] == nullptr ? "" : dim_params[i];
  });
}

OrtStatus* GetTensorElementType(const OrtTensorTypeAndShapeInfo* info, ONNXTensorElementDataType* out) {
  return Guard({{"info", info}, {"out", out}}, [&] { *out = info->type; });
}

OrtStatus* GetDimensionsCount(const OrtTensorTypeAndShapeInfo* info, size_t* out) {
  return Guard({{"info", info}, {"out", out}}, [&] { *out = info->dims.size(); });
}

OrtStatus* GetDimensions(const OrtTensorTypeAndShapeInfo* info, int64_t* dim_values, size_t dim_values_length) {
  return Guard({{"info", info}}, [&] {
    const size_t count = std::min(dim_values_length, info->dims.size());
    Require(count == 0 || dim_values != nullptr, "GetDimensions: argument 'dim_values' must not be null");
    std::copy_n(info->dims.begin(), count, dim_values);
  });
}

OrtStatus* GetSymbolicDimensions(const OrtTensorTypeAndShapeInfo* info, const char* dim_params[],
                                 size_t dim_params_length) {
  return Guard({{"info", info}}, [&] {
    const size_t count = std::min(dim_params_length, info->symbols.size());
    Require(count == 0 || dim_params != nullptr, "GetSymbolicDimensions: argument 'dim_params' must not be null");
    for (size_t i = 0; i < count; ++i) dim_params[i] = info->symbols[i].c_str();
  });
}

OrtStatus* GetTensorShapeElementCount(const OrtTensorTypeAndShapeInfo* info, size_t* out) {
  return Guard({{"info", info}, {"out", out}}, [&] {
    if (!info->has_shape) {
      *out = 0;
      return;
    }
    if (std::any_of(info->dims.begin(), info->dims.end(), [](int64_t dim) { return dim < 0; }))
      throw Error(ORT_FAIL, Concat("shape ", ShapeText(info->dims.data(), info->dims.size()),
                                   " has unknown dimensions and so no number of elements"));
    *out = ElementCount(info->dims.data(), info->dims.size());
  });
}

bool TensorTypeAndShape_HasShape(const OrtTensorTypeAndShapeInfo* info) noexcept {
  return info != nullptr && info->has_shape;
}

OrtStatus* GetTensorTypeAndShape(const OrtValue* value, OrtTensorTypeAndShapeInfo** out) {
  return Guard({{"value", value}, {"out", out}}, [&] {
    if (!value->IsTensor() && value->kind() != ONNX_TYPE_SPARSETENSOR)
      throw Error(ORT_FAIL, "GetTensorTypeAndShape: Argument is not a tensor");
    const OrtrunTensor& tensor = value->tensor();
    auto info = std::make_unique<OrtTensorTypeAndShapeInfo>();
    info->type = tensor.type;
    info->has_shape = true;
    info->dims.assign(tensor.shape, tensor.shape + tensor.rank);
    info->symbols.resize(tensor.rank);
    *out = info.release();
  });
}

OrtStatus* GetTypeInfo(const OrtValue* value, OrtTypeInfo** out) {
  return Guard({{"value", value}, {"out", out}},
               [&] { *out = value->HasValue() ? new OrtTypeInfo(value->TypeOf()) : nullptr; });
}

OrtStatus* GetOnnxTypeFromTypeInfo(const OrtTypeInfo* type_info, ONNXType* out) {
  return Guard({{"type_info", type_info}, {"out", out}}, [&] { *out = type_info->kind; });
}

OrtStatus* GetDenotationFromTypeInfo(const OrtTypeInfo* type_info, const char** const denotation, size_t* len) {
  return Guard({{"type_info", type_info}, {"denotation", denotation}, {"len", len}}, [&] {
    *denotation = type_info->denotation.c_str();
    *len = type_info->denotation.size();
  });
}

// The casts answer a part of the type info, which keeps owning it; null when it is of another kind.
OrtStatus* CastTypeInfoToTensorInfo(const OrtTypeInfo* type_info, const OrtTensorTypeAndShapeInfo** out) {
  return Guard({{"type_info", type_info}, {"out", out}}, [&] {
    const bool tensor = type_info->kind == ONNX_TYPE_TENSOR || type_info->kind == ONNX_TYPE_SPARSETENSOR;
    *out = tensor ? &type_info->tensor : nullptr;
  });
}

OrtStatus* CastTypeInfoToMapTypeInfo(const OrtTypeInfo* type_info, const OrtMapTypeInfo** out) {
  return Guard({{"type_info", type_info}, {"out", out}}, [&] { *out = type_info->map.get(); });
}

OrtStatus* CastTypeInfoToSequenceTypeInfo(const OrtTypeInfo* type_info, const OrtSequenceTypeInfo** out) {
  return Guard({{"type_info", type_info}, {"out", out}}, [&] { *out = type_info->sequence.get(); });
}

OrtStatus* CastTypeInfoToOptionalTypeInfo(const OrtTypeInfo* type_info, const OrtOptionalTypeInfo** out) {
  return Guard({{"type_info", type_info}, {"out", out}}, [&] { *out = type_info->optional.get(); });
}

OrtStatus* GetMapKeyType(const OrtMapTypeInfo* map_type_info, ONNXTensorElementDataType* out) {
  return Guard({{"map_type_info", map_type_info}, {"out", out}}, [&] { *out = map_type_info->key; });
}

OrtStatus* GetMapValueType(const OrtMapTypeInfo* map_type_info, OrtTypeInfo** type_info) {
  return Guard({{"map_type_info", map_type_info}, {"type_info", type_info}},
               [&] { *type_info = new OrtTypeInfo(map_type_info->value); });
}

OrtStatus* GetSequenceElementType(const OrtSequenceTypeInfo* sequence_type_info, OrtTypeInfo** type_info) {
  return Guard({{"sequence_type_info", sequence_type_info}, {"type_info", type_info}},
               [&] { *type_info = new OrtTypeInfo(sequence_type_info->element); });
}

OrtStatus* GetOptionalContainedTypeInfo(const OrtOptionalTypeInfo* optional_type_info, OrtTypeInfo** out) {
  return Guard({{"optional_type_info", optional_type_info}, {"out", out}},
               [&] { *out = new OrtTypeInfo(optional_type_info->contained); });
}

}  // namespace

void FillTypeInfo(OrtApi& api) {
  api.CreateTensorTypeAndShapeInfo = CreateTensorTypeAndShapeInfo;
  api.SetTensorElementType = SetTensorElementType;
  api.SetDimensions = SetDimensions;
  api.SetSymbolicDimensions = SetSymbolicDimensions;
  api.GetTensorElementType = GetTensorElementType;
  api.GetDimensionsCount = GetDimensionsCount;
  api.GetDimensions = GetDimensions;
  api.GetSymbolicDimensions = GetSymbolicDimensions;
  api.GetTensorShapeElementCount = GetTensorShapeElementCount;
  api.TensorTypeAndShape_HasShape = TensorTypeAndShape_HasShape;
  api.GetTensorTypeAndShape = GetTensorTypeAndShape;
  api.GetTypeInfo = GetTypeInfo;
  api.GetOnnxTypeFromTypeInfo = GetOnnxTypeFromTypeInfo;
  api.GetDenotationFromTypeInfo = GetDenotationFromTypeInfo;
  api.CastTypeInfoToTensorInfo = CastTypeInfoToTensorInfo;
  api.CastTypeInfoToMapTypeInfo = CastTypeInfoToMapTypeInfo;
  api.CastTypeInfoToSequenceTypeInfo = CastTypeInfoToSequenceTypeInfo;
  api.CastTypeInfoToOptionalTypeInfo = CastTypeInfoToOptionalTypeInfo;
  api.GetMapKeyType = GetMapKeyType;
  api.GetMapValueType = GetMapValueType;
  api.GetSequenceElementType = GetSequenceElementType;
  api.GetOptionalContainedTypeInfo = GetOptionalContainedTypeInfo;
  api.ReleaseTypeInfo = Delete<OrtTypeInfo>;
  api.ReleaseTensorTypeAndShapeInfo = Delete<OrtTensorTypeAndShapeInfo>;
  // Both only ever stand inside a type info, which keeps owning them.
  api.ReleaseMapTypeInfo = [](OrtMapTypeInfo*) {};
  api.ReleaseSequenceTypeInfo = [](OrtSequenceTypeInfo*) {};
}

}  // namespace ortrun::abi
