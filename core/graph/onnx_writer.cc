// SPDX-License-Identifier: Apache-2.0
#include "core/graph/onnx_writer.h"

#include <onnx/onnx_pb.h>

#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

void FillShape(const TensorType& tensor, onnx::TensorShapeProto& shape) {
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    auto* dim = shape.add_dim();
    if (tensor.dims[i] >= 0)
      dim->set_dim_value(tensor.dims[i]);
    else if (!tensor.symbols[i].empty())
      dim->set_dim_param(tensor.symbols[i]);
  }
}

}  // namespace

void FillType(const TypeInfo& type, onnx::TypeProto& proto) {
  switch (type.kind) {
    case ONNX_TYPE_TENSOR:
      proto.mutable_tensor_type()->set_elem_type(ToOnnxType(type.tensor.type));
      if (type.tensor.has_shape) FillShape(type.tensor, *proto.mutable_tensor_type()->mutable_shape());
      break;
    case ONNX_TYPE_SPARSETENSOR:
      proto.mutable_sparse_tensor_type()->set_elem_type(ToOnnxType(type.tensor.type));
      if (type.tensor.has_shape) FillShape(type.tensor, *proto.mutable_sparse_tensor_type()->mutable_shape());
      break;
    case ONNX_TYPE_SEQUENCE:
      FillType(type.sequence->element, *proto.mutable_sequence_type()->mutable_elem_type());
      break;
    case ONNX_TYPE_MAP:
      proto.mutable_map_type()->set_key_type(ToOnnxType(type.map->key));
      FillType(type.map->value, *proto.mutable_map_type()->mutable_value_type());
      break;
    case ONNX_TYPE_OPTIONAL:
      FillType(type.optional->contained, *proto.mutable_optional_type()->mutable_elem_type());
      break;
    default:
      break;
  }
}

void FillTensor(const Value& value, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(ToOnnxType(value.type()));
  const OrtrunTensor& tensor = value.tensor();
  for (size_t i = 0; i < tensor.rank; ++i) proto.add_dims(tensor.shape[i]);
  if (value.IsString()) {
    for (size_t i = 0; i < tensor.count; ++i) proto.add_string_data(value.strings()[i]);
    return;
  }
  if (tensor.data == nullptr && tensor.count != 0)
    throw Error(ORT_FAIL, Concat("the data of '", name, "' was packed by a kernel and is no longer held"));
  if (!value.memory().device.HostAccessible())
    throw Error(ORT_FAIL, Concat("the data of '", name, "' lies in the memory of a device"));
  proto.mutable_raw_data()->assign(static_cast<const char*>(tensor.data), tensor.count == 0 ? 0 : value.bytes());
}

void FillAttribute(const OrtOpAttr& attribute, onnx::AttributeProto& proto) {
  proto.set_name(attribute.name);
  switch (attribute.type) {
    case ORT_OP_ATTR_INT:
      proto.set_type(onnx::AttributeProto::INT);
      proto.set_i(attribute.i);
      break;
    case ORT_OP_ATTR_FLOAT:
      proto.set_type(onnx::AttributeProto::FLOAT);
      proto.set_f(attribute.f);
      break;
    case ORT_OP_ATTR_STRING:
      proto.set_type(onnx::AttributeProto::STRING);
      proto.set_s(attribute.s);
      break;
    case ORT_OP_ATTR_INTS:
      proto.set_type(onnx::AttributeProto::INTS);
      for (const int64_t value : attribute.ints) proto.add_ints(value);
      break;
    case ORT_OP_ATTR_FLOATS:
      proto.set_type(onnx::AttributeProto::FLOATS);
      for (const float value : attribute.floats) proto.add_floats(value);
      break;
    case ORT_OP_ATTR_STRINGS:
      proto.set_type(onnx::AttributeProto::STRINGS);
      for (const std::string& value : attribute.strings) proto.add_strings(value);
      break;
    case ORT_OP_ATTR_TENSOR:
      proto.set_type(onnx::AttributeProto::TENSOR);
      if (attribute.tensor != nullptr) FillTensor(*attribute.tensor, "", *proto.mutable_t());
      break;
    default:
      break;
  }
}

}  // namespace ortrun
