// SPDX-License-Identifier: Apache-2.0
#include "python/src/element_types.h"

#include <pybind11/numpy.h>

#include <array>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace py = pybind11;

namespace ortrun::python {
namespace {

using Numpy = py::detail::npy_api;
constexpr int kNumpyHalf = 23;

struct ElementRow {
  const char* name;         // in type texts
  int bits;                 // 0: not plain memory
  int numpy;                // -1: numpy has no such type
  const char* other_dtype;  // its name in ml_dtypes
};

// Indexed by the ONNX number.
constexpr std::array kElements{
    ElementRow{"undefined", 0, -1, nullptr},
    ElementRow{"float", 32, Numpy::NPY_FLOAT_, nullptr},
    ElementRow{"uint8", 8, Numpy::NPY_UBYTE_, nullptr},
    ElementRow{"int8", 8, Numpy::NPY_BYTE_, nullptr},
    ElementRow{"uint16", 16, Numpy::NPY_USHORT_, nullptr},
    ElementRow{"int16", 16, Numpy::NPY_SHORT_, nullptr},
    ElementRow{"int32", 32, Numpy::NPY_INT32_, nullptr},
    ElementRow{"int64", 64, Numpy::NPY_INT64_, nullptr},
    ElementRow{"string", 0, Numpy::NPY_OBJECT_, nullptr},
    ElementRow{"bool", 8, Numpy::NPY_BOOL_, nullptr},
    ElementRow{"float16", 16, kNumpyHalf, nullptr},
    ElementRow{"double", 64, Numpy::NPY_DOUBLE_, nullptr},
    ElementRow{"uint32", 32, Numpy::NPY_UINT32_, nullptr},
    ElementRow{"uint64", 64, Numpy::NPY_UINT64_, nullptr},
    ElementRow{"complex64", 64, Numpy::NPY_CFLOAT_, nullptr},
    ElementRow{"complex128", 128, Numpy::NPY_CDOUBLE_, nullptr},
    ElementRow{"bfloat16", 16, -1, "bfloat16"},
    ElementRow{"float8e4m3fn", 8, -1, "float8_e4m3fn"},
    ElementRow{"float8e4m3fnuz", 8, -1, "float8_e4m3fnuz"},
    ElementRow{"float8e5m2", 8, -1, "float8_e5m2"},
    ElementRow{"float8e5m2fnuz", 8, -1, "float8_e5m2fnuz"},
    ElementRow{"uint4", 4, -1, "uint4"},
    ElementRow{"int4", 4, -1, "int4"},
    ElementRow{"float4e2m1", 4, -1, "float4_e2m1fn"},
    ElementRow{"uint2", 2, -1, "uint2"},
    ElementRow{"int2", 2, -1, "int2"},
    ElementRow{"float8e8m0", 8, -1, "float8_e8m0fnu"},
};

const ElementRow& Row(ElementType type) {
  const auto index = static_cast<size_t>(type);
  return index < kElements.size() ? kElements[index] : kElements[0];
}

std::string_view LastName(const char* dotted) {
  const std::string_view text = dotted;
  const auto dot = text.rfind('.');
  return dot == std::string_view::npos ? text : text.substr(dot + 1);
}

}  // namespace

const char* ElementName(ElementType type) { return Row(type).name; }
int ElementBits(ElementType type) { return Row(type).bits; }
int NumpyNumber(ElementType type) { return Row(type).numpy; }

size_t PackedBytes(ElementType type, size_t count) {
  const auto bits = static_cast<size_t>(ElementBits(type));
  if (bits == 0) return 0;
  if (count > (std::numeric_limits<size_t>::max() - 7) / bits) {
    throw std::overflow_error("a tensor of " + std::to_string(count) + " elements does not fit in memory");
  }
  return (count * bits + 7) / 8;
}

size_t ElementCount(std::span<const int64_t> shape) {
  size_t count = 1;
  for (const int64_t dim : shape) {
    if (dim < 0) throw std::runtime_error("a dimension of a tensor's shape is negative: " + std::to_string(dim));
    if (__builtin_mul_overflow(count, static_cast<size_t>(dim), &count)) {
      throw std::runtime_error("the product of the shape's dimensions overflows");
    }
  }
  return count;
}

ElementType FromNumpy(PyObject* descr) {
  const int number = py::detail::array_descriptor_proxy(descr)->type_num;
  switch (number) {
    case Numpy::NPY_FLOAT_:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case Numpy::NPY_STRING_:
    case Numpy::NPY_UNICODE_:
    case Numpy::NPY_OBJECT_:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
    case Numpy::NPY_LONGLONG_:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case Numpy::NPY_ULONGLONG_:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64;
    case Numpy::NPY_VOID_:  // bytes of a fixed width, but no records
      return py::handle(descr).attr("names").is_none() ? ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING
                                                       : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    default:
      break;
  }
  for (size_t i = 1; i < kElements.size(); ++i) {
    if (kElements[i].numpy == number) return static_cast<ElementType>(i);
  }
  const auto* scalar = reinterpret_cast<PyTypeObject*>(py::detail::array_descriptor_proxy(descr)->typeobj);
  if (scalar == nullptr) return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  const std::string_view name = LastName(scalar->tp_name);
  if (name == "StringDType" || (name == "str" && number >= 2056)) return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
  for (size_t i = 1; i < kElements.size(); ++i) {
    if (kElements[i].other_dtype && name == kElements[i].other_dtype) return static_cast<ElementType>(i);
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

namespace {

/// Types whose number in onnx's TensorProto.DataType is not that of the C interface.
constexpr std::pair<ElementType, int> kRenumbered[] = {{ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0, 24},
                                                       {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2, 25},
                                                       {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2, 26}};

}  // namespace

int OnnxNumber(ElementType type) {
  for (const auto& [element, number] : kRenumbered)
    if (element == type) return number;
  return static_cast<int>(type);
}

ElementType FromUserType(py::handle type) {
  if (PyLong_Check(type.ptr()) && !PyBool_Check(type.ptr())) {
    const long number = PyLong_AsLong(type.ptr());
    if (number == -1 && PyErr_Occurred()) throw py::error_already_set();
    if (number <= 0 || static_cast<size_t>(number) >= kElements.size()) {
      throw std::runtime_error(std::to_string(number) + " is not the number of an ONNX element type (1 ... " +
                               std::to_string(kElements.size() - 1) + ")");
    }
    for (const auto& [element, onnx_number] : kRenumbered)
      if (onnx_number == number) return element;
    return static_cast<ElementType>(number);
  }
  PyObject* descr = nullptr;
  if (Numpy::get().PyArray_DescrConverter_(type.ptr(), &descr) == 0) throw py::error_already_set();
  const auto owned = py::reinterpret_steal<py::object>(descr);
  const ElementType element = FromNumpy(descr);
  if (element == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) {
    throw std::runtime_error("numpy type " + py::str(owned).cast<std::string>() + " has no ONNX element type");
  }
  return element;
}

py::object NumpyDescr(ElementType type) {
  const ElementRow& row = Row(type);
  if (row.numpy >= 0) return py::reinterpret_steal<py::object>(Numpy::get().PyArray_DescrFromType_(row.numpy));
  if (row.other_dtype) {
    try {
      return py::module_::import("numpy").attr("dtype")(py::module_::import("ml_dtypes").attr(row.other_dtype));
    } catch (py::error_already_set& error) {
      if (!error.matches(PyExc_ImportError) && !error.matches(PyExc_AttributeError)) throw;
    }
  }
  throw std::runtime_error(std::string("numpy has no type for ") + row.name +
                           "; install ml_dtypes (pip install ml_dtypes), or keep the result as an OrtValue "
                           "(run_with_ort_values) and hand it on through DLPack");
}

}  // namespace ortrun::python
