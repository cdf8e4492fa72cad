// SPDX-License-Identifier: Apache-2.0
#include "python/src/type_info.h"

#include <pybind11/stl.h>

#include "python/src/api.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

void ReadTensor(const OrtTypeInfo* info, ValueType& type) {
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  Check(Api().CastTypeInfoToTensorInfo(info, &tensor));
  if (tensor == nullptr) return;
  Check(Api().GetTensorElementType(tensor, &type.element));
  type.has_shape = Api().TensorTypeAndShape_HasShape(tensor);
  size_t rank = 0;
  Check(Api().GetDimensionsCount(tensor, &rank));
  type.shape.resize(rank);
  if (rank == 0) return;
  Check(Api().GetDimensions(tensor, type.shape.data(), rank));
  std::vector<const char*> names(rank, nullptr);
  Check(Api().GetSymbolicDimensions(tensor, names.data(), rank));
  for (const char* name : names) type.names.emplace_back(name ? name : "");
}

std::shared_ptr<ValueType> TakeType(OrtTypeInfo* info) {
  const Owned<OrtTypeInfo> owned(info);
  return std::make_shared<ValueType>(ReadType(info));
}

}  // namespace

ValueType ReadType(const OrtTypeInfo* info) {
  ValueType type;
  Check(Api().GetOnnxTypeFromTypeInfo(info, &type.kind));
  OrtTypeInfo* inner = nullptr;
  switch (type.kind) {
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR:
      ReadTensor(info, type);
      break;
    case ONNX_TYPE_SEQUENCE: {
      const OrtSequenceTypeInfo* sequence = nullptr;
      Check(Api().CastTypeInfoToSequenceTypeInfo(info, &sequence));
      Check(Api().GetSequenceElementType(sequence, &inner));
      type.inner = TakeType(inner);
      break;
    }
    case ONNX_TYPE_MAP: {
      const OrtMapTypeInfo* map = nullptr;
      Check(Api().CastTypeInfoToMapTypeInfo(info, &map));
      Check(Api().GetMapKeyType(map, &type.element));
      Check(Api().GetMapValueType(map, &inner));
      type.inner = TakeType(inner);
      break;
    }
    case ONNX_TYPE_OPTIONAL: {
      const OrtOptionalTypeInfo* optional = nullptr;
      Check(Api().CastTypeInfoToOptionalTypeInfo(info, &optional));
      Check(Api().GetOptionalContainedTypeInfo(optional, &inner));
      type = *TakeType(inner);
      type.optional = true;
      break;
    }
    default:
      break;
  }
  return type;
}

std::string ValueType::Text() const {
  std::string text;
  switch (kind) {
    case ONNX_TYPE_TENSOR:
      text = std::string("tensor(") + ElementName(element) + ")";
      break;
    case ONNX_TYPE_SPARSETENSOR:
      text = std::string("sparse_tensor(") + ElementName(element) + ")";
      break;
    case ONNX_TYPE_SEQUENCE:
      text = "seq(" + (inner ? inner->Text() : "") + ")";
      break;
    case ONNX_TYPE_MAP:
      text = std::string("map(") + ElementName(element) + "," + (inner ? inner->Text() : "") + ")";
      break;
    case ONNX_TYPE_OPAQUE:
      text = "opaque()";
      break;
    default:
      text = "unknown";
      break;
  }
  return optional ? "optional(" + text + ")" : text;
}

py::list ValueType::Shape() const {
  py::list result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] >= 0) {
      result.append(shape[i]);
    } else if (i < names.size() && !names[i].empty()) {
      result.append(names[i]);
    } else {
      result.append(py::none());
    }
  }
  return result;
}

void DefineNodeArg(py::module_& m) {
  py::class_<NodeArg>(m, "NodeArg", "Name, type and shape of an input or output of a model.")
      .def_property_readonly(
          "name", [](const NodeArg& self) { return self.name; }, "node name")
      .def_property_readonly(
          "type", [](const NodeArg& self) { return self.type.Text(); }, "node type")
      .def_property_readonly(
          "shape", [](const NodeArg& self) { return self.type.Shape(); },
          "node shape (assuming the node holds a tensor)")
      .def("__str__", [](const NodeArg& self) {
        return "NodeArg(name='" + self.name + "', type='" + self.type.Text() +
               "', shape=" + py::repr(self.type.Shape()).cast<std::string>() + ")";
      });
}

}  // namespace ortrun::python
