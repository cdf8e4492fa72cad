// SPDX-License-Identifier: Apache-2.0
// C.OrtValue and OrtValueVector.
#include <pybind11/stl.h>

#include "python/src/arrays.h"
#include "python/src/devices.h"
#include "python/src/dlpack.h"
#include "python/src/sparse.h"
#include "python/src/sub_byte.h"
#include "python/src/value.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

using Shape = std::vector<int64_t>;

ValuePtr Wrap(InputValue input) { return std::make_shared<Value>(std::move(input.made), std::move(input.owner)); }

py::object AsArray(py::handle object) {
  if (IsArray(object.ptr())) return py::reinterpret_borrow<py::object>(object);
  throw std::runtime_error("OrtValue: a numpy array is needed, not " +
                           py::str(py::type::handle_of(object)).cast<std::string>());
}

ValuePtr ValueFromArray(const py::object& object, const Device& device) {
  InputValue input = TensorFromArray(AsArray(object));
  if (device.is_cpu()) return Wrap(std::move(input));
  const TensorFacts facts = ReadTensorFacts(input.value);
  if (facts.element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    throw std::runtime_error("a tensor of strings can only be on the cpu");
  }
  auto copy = std::make_shared<Value>(NewTensor(AllocatorOf(device), facts.shape, facts.element));
  const OrtValue* from = input.value;
  OrtValue* to = copy->get();
  CopyTensors({&from, 1}, {&to, 1}, nullptr);
  return copy;
}

// The array's bytes taken as another type of the same size: bfloat16 kept as uint16, for example.
ValuePtr ValueFromArrayAs(const py::object& object, int onnx_type) {
  const ElementType type = FromUserType(py::int_(onnx_type));
  const py::object array = PlainArray(AsArray(object));
  const ArrayView view(array.ptr());
  const auto item_bits = array.attr("itemsize").cast<size_t>() * 8;
  const auto wanted_bits = static_cast<size_t>(ElementBits(type));
  if (wanted_bits != item_bits && !(IsSubByte(type) && item_bits == 8)) {
    throw std::runtime_error("the array has elements of " + std::to_string(item_bits) + " bits, tensor(" +
                             ElementName(type) + ") has " + std::to_string(wanted_bits));
  }
  const size_t bytes = ElementCount(view.shape()) * (item_bits / 8);
  auto made = Make<OrtValue>(Api().CreateTensorWithDataAsOrtValue, CpuMemory(), view.data(), bytes, view.shape().data(),
                             view.shape().size(), type);
  if (!view.writable()) MarkReadOnly(made.get());
  return std::make_shared<Value>(std::move(made), array);
}

ValuePtr Allocate(const Shape& shape, const py::object& type, OrtAllocator* allocator) {
  const ElementType element = FromUserType(type);
  PackedBytes(element, ElementCount(shape));  // throws for what cannot be
  return std::make_shared<Value>(NewTensor(allocator, shape, element));
}

Device DeviceOfTensor(const Value& value) {
  const OrtMemoryInfo* memory = nullptr;
  Check(Api().GetTensorMemoryInfo(value.get(), &memory));
  return DeviceOf(memory);
}

void RequireTensor(const Value& value, const char* what) {
  if (KindOf(value.get()) != ONNX_TYPE_TENSOR) {
    throw std::runtime_error(std::string(what) + " needs an OrtValue that holds a tensor");
  }
}

ValueType TypeOf(const Value& value) {
  return ReadType(Make<OrtTypeInfo>(Api().GetTypeInfo, static_cast<const OrtValue*>(value.get())).get());
}

bool HasValue(const Value& value) {
  int has_value = 0;
  Check(Api().HasValue(value.get(), &has_value));
  return has_value != 0;
}

size_t SizeInBytes(const Value& value) {
  RequireTensor(value, "tensor_size_in_bytes");
  const TensorFacts facts = ReadTensorFacts(value.get());
  if (facts.element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    throw std::runtime_error("tensor_size_in_bytes: a tensor of strings has no size in bytes");
  }
  size_t bytes = 0;
  Check(Api().GetTensorSizeInBytes(value.get(), &bytes));
  return bytes;
}

void CopyInto(const Value& target, const OrtValue* source) {
  RequireTensor(target, "update_inplace");
  if (ElementCount(ReadTensorFacts(source).shape) != ElementCount(ReadTensorFacts(target.get()).shape)) {
    throw std::runtime_error("update_inplace: the given data has another number of elements than the OrtValue");
  }
  OrtValue* to = target.get();
  CopyTensors({&source, 1}, {&to, 1}, nullptr);
}

// numpy converts to the value's type first, so that an array of another type keeps its meaning.
void UpdateFromArray(const Value& target, const py::object& array) {
  RequireTensor(target, "update_inplace");
  const ElementType element = ReadTensorFacts(target.get()).element;
  const ElementType given = FromNumpy(ArrayView(AsArray(array).ptr()).descr());
  const bool convert = given != element && NumpyNumber(element) >= 0;
  const InputValue source = TensorFromArray(convert ? array.attr("astype")(NumpyDescr(element)) : array);
  CopyInto(target, source.value);
}

const ValuePtr& At(const ValueVector& vector, size_t index) {
  if (index >= vector.values.size()) throw py::index_error("OrtValueVector: no element " + std::to_string(index));
  return vector.values[index];
}

// Wraps memory of other libraries' tensors; the caller keeps them alive, and so does the vector.
void PushBatch(ValueVector& vector, const py::sequence& tensors, const std::vector<uintptr_t>& pointers,
               const py::sequence& types, const std::vector<Shape>& shapes, const std::vector<Device>& devices) {
  const size_t count = pointers.size();
  if (py::len(tensors) != count || py::len(types) != count || shapes.size() != count || devices.size() != count) {
    throw std::runtime_error("push_back_batch: all lists must have the same length");
  }
  for (size_t i = 0; i < count; ++i) {
    const ElementType element = FromUserType(types[i]);
    const size_t bytes = PackedBytes(element, ElementCount(shapes[i]));
    auto made =
        Make<OrtValue>(Api().CreateTensorWithDataAsOrtValue, MemoryOf(devices[i]), reinterpret_cast<void*>(pointers[i]),
                       bytes, shapes[i].data(), shapes[i].size(), element);
    vector.values.push_back(std::make_shared<Value>(std::move(made), py::object(tensors[i])));
  }
}

void DefineOrtValue(py::module_& m) {
  py::class_<Value, ValuePtr>(m, "OrtValue", "A value of the runtime: a tensor, a sequence, a map or an optional.")
      .def_static("ortvalue_from_numpy", &ValueFromArray)
      .def_static("ortvalue_from_numpy_with_onnx_type", &ValueFromArrayAs)
      .def_static("ortvalue_from_shape_and_type",
                  [](const Shape& shape, const py::object& type, const Device& device) {
                    return Allocate(shape, type, AllocatorOf(device));
                  })
      .def_static("ortvalue_from_shape_and_onnx_type",
                  [](const Shape& shape, int type, const Device& device) {
                    return Allocate(shape, py::int_(type), AllocatorOf(device));
                  })
      .def_static("ortvalue_from_shape_and_type_for_memory_info",
                  [](const Shape& shape, const py::object& type, const MemoryInfo& memory) {
                    return Allocate(shape, type, AllocatorOf(memory.info));
                  })
      .def_static("ortvalue_from_shape_and_onnx_type_for_memory_info",
                  [](const Shape& shape, int type, const MemoryInfo& memory) {
                    return Allocate(shape, py::int_(type), AllocatorOf(memory.info));
                  })
      .def_static(
          "from_dlpack", [](const py::object& data) { return ValueFromDlpack(data); }, py::arg("data"))
      .def("to_dlpack", [](const ValuePtr& self) { return ToDlpack(self); })
      .def(
          "__dlpack__", [](const ValuePtr& self, const py::object&) { return ToDlpack(self); },
          py::arg("stream") = py::none())
      .def("__dlpack_device__",
           [](const Value& self) {
             RequireTensor(self, "__dlpack_device__");
             return DlpackDevice(self.get());
           })
      .def("data_ptr",
           [](const Value& self) {
             RequireTensor(self, "data_ptr");
             void* data = nullptr;
             Check(Api().GetTensorMutableData(self.get(), &data));
             return reinterpret_cast<uintptr_t>(data);
           })
      .def("device_name",
           [](const Value& self) {
             if (KindOf(self.get()) == ONNX_TYPE_SPARSETENSOR) return std::string("cpu");
             RequireTensor(self, "device_name");
             return DeviceName(DeviceOfTensor(self));
           })
      .def("shape",
           [](const Value& self) {
             if (KindOf(self.get()) == ONNX_TYPE_SPARSETENSOR) return SparseType(self.get()).shape;
             RequireTensor(self, "shape");
             const auto shape = ReadTensorFacts(self.get()).shape;
             return Shape(shape.begin(), shape.end());
           })
      .def("data_type", [](const Value& self) { return TypeOf(self).Text(); })
      .def("element_type",
           [](const Value& self) {
             const ValueType type = TypeOf(self);
             return OnnxNumber(type.inner ? type.inner->element : type.element);
           })
      .def("has_value", &HasValue)
      .def("is_tensor", [](const Value& self) { return KindOf(self.get()) == ONNX_TYPE_TENSOR; })
      .def("is_sparse_tensor", [](const Value& self) { return KindOf(self.get()) == ONNX_TYPE_SPARSETENSOR; })
      .def("is_tensor_sequence",
           [](const Value& self) {
             const ValueType type = TypeOf(self);
             return type.kind == ONNX_TYPE_SEQUENCE && type.inner && type.inner->kind == ONNX_TYPE_TENSOR;
           })
      .def("numpy",
           [](const ValuePtr& self) {
             RequireTensor(*self, "numpy");
             return ToPython(self);
           })
      .def("tensor_size_in_bytes", &SizeInBytes)
      .def("update_inplace", [](const Value& self, const Value& source) { CopyInto(self, source.get()); })
      .def("update_inplace", &UpdateFromArray);
}

}  // namespace

void DefineValue(py::module_& m) {
  DefineOrtValue(m);
  py::class_<ValueVector>(m, "OrtValueVector", "A list of values that is handed on without converting its elements.")
      .def(py::init<>())
      .def("push_back", [](ValueVector& self, const ValuePtr& value) { self.values.push_back(value); })
      .def(
          "push_back",
          [](ValueVector& self, const py::object& capsule, bool) { self.values.push_back(ValueFromDlpack(capsule)); },
          "Takes a DLPack tensor.", py::arg(), py::arg("is_bool_tensor") = false)
      .def("push_back_batch", &PushBatch)
      .def("reserve", [](ValueVector& self, size_t count) { self.values.reserve(count); })
      .def("shrink_to_fit", [](ValueVector& self) { self.values.shrink_to_fit(); })
      .def("__len__", [](const ValueVector& self) { return self.values.size(); })
      .def("__iter__", [](const ValueVector& self) { return py::iter(py::cast(self.values)); })
      .def("__getitem__", [](const ValueVector& self, size_t index) { return At(self, index); })
      .def("element_type_at", [](const ValueVector& self,
                                 size_t index) { return OnnxNumber(ReadTensorFacts(At(self, index)->get()).element); })
      .def("dlpack_at", [](const ValueVector& self, size_t index) { return ToDlpack(At(self, index)); })
      .def(
          "to_dlpacks",
          [](const ValueVector& self, const py::object& to_tensor) {
            py::list result;
            for (const ValuePtr& value : self.values) {
              result.append(to_tensor.is_none() ? ToDlpack(value) : to_tensor(ToDlpack(value)));
            }
            return result;
          },
          "DLPack capsules of all values, or what `to_tensor` makes of each.");
}

}  // namespace ortrun::python
