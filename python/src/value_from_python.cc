// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "python/src/arrays.h"
#include "python/src/dlpack.h"
#include "python/src/empty_sequence.h"
#include "python/src/errors.h"
#include "python/src/sparse.h"
#include "python/src/sub_byte.h"
#include "python/src/value.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

// bytes go in as they are; everything else as the UTF-8 of its str().
void FillString(OrtValue* tensor, size_t index, PyObject* element) {
  py::object text;
  const char* data = nullptr;
  Py_ssize_t length = 0;
  if (PyBytes_Check(element)) {
    char* bytes = nullptr;
    if (PyBytes_AsStringAndSize(element, &bytes, &length) != 0) throw py::error_already_set();
    data = bytes;
  } else {
    text = PyUnicode_Check(element) ? py::reinterpret_borrow<py::object>(element)
                                    : py::object(py::str(py::handle(element)));
    data = PyUnicode_AsUTF8AndSize(text.ptr(), &length);
    if (data == nullptr) throw py::error_already_set();
  }
  char* buffer = nullptr;
  Check(Api().GetResizedStringTensorElementBuffer(tensor, index, static_cast<size_t>(length), &buffer));
  if (length > 0) std::memcpy(buffer, data, static_cast<size_t>(length));
}

Owned<OrtValue> StringTensor(py::handle array) {
  const py::object objects = py::reinterpret_borrow<py::object>(array).attr("astype")("O");
  const py::object flat = PlainArray(objects);
  const ArrayView view(flat.ptr());
  auto tensor = NewTensor(CpuAllocator(), view.shape(), ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  auto* const* elements = static_cast<PyObject* const*>(view.data());
  const size_t count = ElementCount(view.shape());
  for (size_t i = 0; i < count; ++i) FillString(tensor.get(), i, elements[i] ? elements[i] : Py_None);
  return tensor;
}

Owned<OrtValue> PackedTensor(const ArrayView& view, ElementType type) {
  auto tensor = NewTensor(CpuAllocator(), view.shape(), type);
  void* data = nullptr;
  Check(Api().GetTensorMutableData(tensor.get(), &data));
  PackSubBytes(type, static_cast<const uint8_t*>(view.data()), ElementCount(view.shape()), static_cast<uint8_t*>(data));
  return tensor;
}

InputValue Own(Owned<OrtValue> made, py::object owner = {}) {
  InputValue result;
  result.value = made.get();
  result.made = std::move(made);
  result.owner = std::move(owner);
  return result;
}

Owned<OrtValue> Compose(ONNXType kind, std::span<const InputValue> parts) {
  std::vector<const OrtValue*> values;
  values.reserve(parts.size());
  for (const InputValue& part : parts) values.push_back(part.value);
  return Make<OrtValue>(Api().CreateValue, values.data(), values.size(), kind);
}

py::object Owners(std::vector<InputValue>& parts) {
  py::list owners;
  for (InputValue& part : parts) {
    if (part.owner) owners.append(std::move(part.owner));
  }
  return owners;
}

InputValue SequenceFromList(py::handle list, const ValueType* expected) {
  std::vector<InputValue> parts;
  const ValueType* element = expected ? expected->inner.get() : nullptr;
  for (const py::handle item : py::reinterpret_borrow<py::list>(list)) {
    InputValue part = FromPython(item, element);
    if (element && element->is_tensor() && part.value && ReadTensorFacts(part.value).element != element->element) {
      throw std::runtime_error("element " + std::to_string(parts.size()) + " of the sequence is tensor(" +
                               ElementName(ReadTensorFacts(part.value).element) + "), the model takes " +
                               element->Text());
    }
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return Own(EmptySequence(element ? element->element : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT));
  auto made = Compose(ONNX_TYPE_SEQUENCE, parts);
  return Own(std::move(made), Owners(parts));
}

py::object ArrayOf(const py::object& list, ElementType type) {
  return py::module_::import("numpy").attr("array")(list, NumpyDescr(type));
}

InputValue MapFromDict(const py::dict& dict, const ValueType* expected) {
  const bool typed = expected && expected->kind == ONNX_TYPE_MAP && expected->inner;
  const py::list keys(dict.attr("keys")());
  const py::list values(dict.attr("values")());
  const bool text_keys = py::len(keys) > 0 && PyUnicode_Check(py::object(keys[0]).ptr());
  const ElementType key_type = typed       ? expected->element
                               : text_keys ? ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING
                                           : ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  std::vector<InputValue> parts;
  parts.push_back(TensorFromArray(ArrayOf(keys, key_type)));
  parts.push_back(
      TensorFromArray(ArrayOf(values, typed ? expected->inner->element : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)));
  auto made = Compose(ONNX_TYPE_MAP, parts);
  return Own(std::move(made), Owners(parts));
}

std::runtime_error CannotHandle(py::handle object) {
  return std::runtime_error("Unable to handle object of type " +
                            py::str(py::type::handle_of(object)).cast<std::string>() +
                            "; give a numpy array, a list, an OrtValue or an object with __dlpack__");
}

}  // namespace

Owned<OrtValue> NewTensor(OrtAllocator* allocator, std::span<const int64_t> shape, ElementType type) {
  return Make<OrtValue>(Api().CreateTensorAsOrtValue, allocator, shape.data(), shape.size(), type);
}

InputValue TensorFromArray(py::handle array) {
  const ElementType type = FromNumpy(ArrayView(array.ptr()).descr());
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return Own(StringTensor(array));
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) {
    throw std::runtime_error("numpy type " + py::str(array.attr("dtype")).cast<std::string>() +
                             " has no ONNX element type; convert the array with astype()");
  }
  py::object plain = PlainArray(array);
  const ArrayView view(plain.ptr());
  if (IsSubByte(type)) return Own(PackedTensor(view, type));
  const auto shape = view.shape();
  const size_t bytes = PackedBytes(type, ElementCount(shape));
  auto tensor = Make<OrtValue>(Api().CreateTensorWithDataAsOrtValue, CpuMemory(), view.data(), bytes, shape.data(),
                               shape.size(), type);
  if (!view.writable()) MarkReadOnly(tensor.get());
  return Own(std::move(tensor), std::move(plain));
}

ValuePtr AsValue(py::handle object) {
  if (py::isinstance<Value>(object)) return object.cast<ValuePtr>();
  if (py::isinstance<SparseTensor>(object)) return object.cast<const SparseTensor&>().value;
  for (const char* attribute : {"_ortvalue", "_tensor"}) {
    const py::object inner = py::getattr(object, attribute, py::none());
    if (py::isinstance<Value>(inner) || py::isinstance<SparseTensor>(inner)) return AsValue(inner);
  }
  return nullptr;
}

InputValue FromPython(py::handle object, const ValueType* expected) {
  if (IsArray(object.ptr())) return TensorFromArray(object);
  const bool wants_tensor = expected != nullptr && expected->kind == ONNX_TYPE_TENSOR;
  if (PyList_Check(object.ptr())) {
    if (!wants_tensor) return SequenceFromList(object, expected);
    return TensorFromArray(ArrayOf(py::reinterpret_borrow<py::object>(object), expected->element));
  }
  if (PyDict_Check(object.ptr())) return MapFromDict(py::reinterpret_borrow<py::dict>(object), expected);
  if (PyUnicode_Check(object.ptr()) || PyFloat_CheckExact(object.ptr()) || PyLong_Check(object.ptr()) ||
      object.is_none()) {
    throw CannotHandle(object);
  }
  if (const ValuePtr value = AsValue(object)) {
    InputValue result;
    result.value = value->get();
    result.owner = py::reinterpret_borrow<py::object>(object);
    return result;
  }
  if (py::hasattr(object, "__array__")) {
    return TensorFromArray(py::module_::import("numpy").attr("asarray")(object));
  }
  if (py::hasattr(object, "__dlpack__")) {
    const ValuePtr value = ValueFromDlpack(object);
    InputValue result;
    result.value = value->get();
    result.owner = py::cast(value);
    return result;
  }
  throw CannotHandle(object);
}

}  // namespace ortrun::python
