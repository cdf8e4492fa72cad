// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "python/src/arrays.h"
#include "python/src/errors.h"
#include "python/src/value.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

std::string TypeText(py::handle object) { return py::repr(py::type::handle_of(object)).cast<std::string>(); }

std::string MapText(ElementType key, ElementType value) {
  return std::string("map(") + ElementName(key) + ",tensor(" + ElementName(value) + "))";
}

/// Takes one Python object as an element of a type, or answers false where it is none.
struct Integer {
  using Type = int64_t;
  static bool Take(PyObject* object, int64_t& to) {
    if (!PyIndex_Check(object)) return false;
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(object));
    int overflow = 0;
    if (number) to = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    if (PyErr_Occurred()) PyErr_Clear();
    return number && overflow == 0;
  }
};

template <typename T>
struct Real {
  using Type = T;
  static bool Take(PyObject* object, T& to) {
    if (PyUnicode_Check(object) || PyBytes_Check(object) || PyComplex_Check(object) || !PyNumber_Check(object))
      return false;
    const double number = PyFloat_AsDouble(object);
    if (number == -1.0 && PyErr_Occurred()) {
      PyErr_Clear();
      return false;
    }
    to = static_cast<T>(number);
    return true;
  }
};

template <typename Element>
struct NumberColumn {
  static InputValue Make(const py::list& objects, ElementType type, py::handle* wrong) {
    const int64_t shape[] = {static_cast<int64_t>(py::len(objects))};
    auto tensor = NewTensor(CpuAllocator(), shape, type);
    void* data = nullptr;
    Check(Api().GetTensorMutableData(tensor.get(), &data));
    auto* to = static_cast<typename Element::Type*>(data);
    for (size_t i = 0; i < py::len(objects); ++i) {
      const py::object object = objects[i];
      if (Element::Take(object.ptr(), to[i])) continue;
      *wrong = PyList_GET_ITEM(objects.ptr(), static_cast<Py_ssize_t>(i));
      break;
    }
    return OwnedInput(std::move(tensor));
  }
};

InputValue TextColumn(const py::list& objects, py::handle* wrong) {
  const int64_t shape[] = {static_cast<int64_t>(py::len(objects))};
  auto tensor = NewTensor(CpuAllocator(), shape, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  for (size_t i = 0; i < py::len(objects); ++i) {
    const py::object object = objects[i];
    if (!PyUnicode_Check(object.ptr())) {
      *wrong = PyList_GET_ITEM(objects.ptr(), static_cast<Py_ssize_t>(i));
      break;
    }
    Py_ssize_t length = 0;
    const char* text = PyUnicode_AsUTF8AndSize(object.ptr(), &length);
    if (text == nullptr) throw py::error_already_set();
    char* buffer = nullptr;
    Check(Api().GetResizedStringTensorElementBuffer(tensor.get(), i, static_cast<size_t>(length), &buffer));
    if (length > 0) std::memcpy(buffer, text, static_cast<size_t>(length));
  }
  return OwnedInput(std::move(tensor));
}

/// The objects as a tensor of that type; `wrong` is set to the first that is none of it.
InputValue Column(const py::list& objects, ElementType type, py::handle* wrong) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return TextColumn(objects, wrong);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return NumberColumn<Integer>::Make(objects, type, wrong);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return NumberColumn<Real<float>>::Make(objects, type, wrong);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return NumberColumn<Real<double>>::Make(objects, type, wrong);
    default:
      throw std::runtime_error(std::string("maps with keys or values of type ") + ElementName(type) +
                               " cannot be given as a dict; give an OrtValue");
  }
}

}  // namespace

InputValue MapFromDict(const py::dict& dict, const ValueType* expected) {
  if (expected != nullptr && (expected->kind != ONNX_TYPE_MAP || expected->inner == nullptr))
    throw StatusError(ORT_INVALID_ARGUMENT,
                      "Unexpected input data type. Actual: a dict, expected: " + expected->Text());
  const py::list keys(dict.attr("keys")());
  const py::list values(dict.attr("values")());
  ElementType key_type = expected != nullptr ? expected->element : ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  const ElementType value_type = expected != nullptr ? expected->inner->element : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  if (py::len(keys) > 0) {
    const py::object first = keys[0];
    const bool text = PyUnicode_Check(first.ptr());
    if (!text && !PyIndex_Check(first.ptr()))
      throw std::runtime_error("Key type must be int or string (not " + TypeText(first) + ")" +
                               (expected != nullptr ? ": the model takes " + expected->Text() : ""));
    const ElementType actual = text ? ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING : ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    if (expected != nullptr && actual != key_type)
      throw StatusError(ORT_INVALID_ARGUMENT, "Unexpected input data type. Actual: (" + MapText(actual, value_type) +
                                                  ") , expected: (" + expected->Text() + ")");
    key_type = actual;
  }
  const std::string takes = expected != nullptr ? expected->Text() : MapText(key_type, value_type);
  py::handle wrong;
  std::vector<InputValue> parts;
  parts.push_back(Column(keys, key_type, &wrong));
  if (wrong)
    throw std::runtime_error("Unexpected key type " + TypeText(wrong) + " of key " +
                             py::repr(wrong).cast<std::string>() + ", it cannot be a key of " + takes);
  parts.push_back(Column(values, value_type, &wrong));
  if (wrong)
    throw std::runtime_error("Unexpected value type " + TypeText(wrong) + " of value " +
                             py::repr(wrong).cast<std::string>() + ", it cannot be a value of " + takes);
  return Compose(ONNX_TYPE_MAP, parts);
}

}  // namespace ortrun::python
