// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "python/src/arrays.h"
#include "python/src/gil.h"
#include "python/src/sparse.h"
#include "python/src/sub_byte.h"
#include "python/src/value.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

py::object CapsuleOf(Owned<OrtValue> value) {
  PyObject* capsule = PyCapsule_New(value.get(), nullptr, [](PyObject* self) {
    Api().ReleaseValue(static_cast<OrtValue*>(PyCapsule_GetPointer(self, nullptr)));
  });
  if (capsule == nullptr) throw py::error_already_set();
  static_cast<void>(value.release());
  return py::reinterpret_steal<py::object>(capsule);
}

py::object StringArray(const OrtValue* tensor, std::span<const int64_t> shape) {
  const size_t count = ElementCount(shape);
  py::object array = NewArray(NumpyDescr(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING), shape);
  if (count == 0) return array;
  size_t bytes = 0;
  Check(Api().GetStringTensorDataLength(tensor, &bytes));
  std::string content(bytes, '\0');
  std::vector<size_t> offsets(count + 1, bytes);
  Check(Api().GetStringTensorContent(tensor, content.data(), bytes, offsets.data(), count));
  auto** elements = static_cast<PyObject**>(ArrayView(array.ptr()).data());
  for (size_t i = 0; i < count; ++i) {
    PyObject* text = PyUnicode_DecodeUTF8(content.data() + offsets[i],
                                          static_cast<Py_ssize_t>(offsets[i + 1] - offsets[i]), nullptr);
    if (text == nullptr) throw py::error_already_set();
    Py_XSETREF(elements[i], text);
  }
  return array;
}

py::object UnpackedArray(void* data, const TensorFacts& facts) {
  py::object array = NewArray(NumpyDescr(facts.element), facts.shape);
  UnpackSubBytes(facts.element, static_cast<const uint8_t*>(data), ElementCount(facts.shape),
                 static_cast<uint8_t*>(ArrayView(array.ptr()).data()));
  return array;
}

Owned<OrtValue> CopyToCpu(const OrtValue* tensor, const TensorFacts& facts) {
  auto copy = NewTensor(CpuAllocator(), facts.shape, facts.element);
  const OrtValue* from = tensor;
  OrtValue* to = copy.get();
  CopyTensors({&from, 1}, {&to, 1}, nullptr);
  return copy;
}

// `base` makes the object that keeps the value alive, only where the array uses the value's memory.
template <typename Base>
py::object TensorToArray(OrtValue* value, const TensorFacts& facts, Base base) {
  if (facts.element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return StringArray(value, facts.shape);
  void* data = nullptr;
  Check(Api().GetTensorMutableData(value, &data));
  if (IsSubByte(facts.element)) return UnpackedArray(data, facts);
  py::object array = ArrayOver(NumpyDescr(facts.element), facts.shape, data, base());
  if (IsReadOnly(value)) array.attr("setflags")(py::arg("write") = false);
  return array;
}

py::list SequenceToList(const OrtValue* sequence) {
  size_t count = 0;
  Check(Api().GetValueCount(sequence, &count));
  py::list result;
  for (size_t i = 0; i < count; ++i) {
    result.append(ToPython(Make<OrtValue>(Api().GetValue, sequence, static_cast<int>(i), CpuAllocator())));
  }
  return result;
}

py::dict MapToDict(const OrtValue* map) {
  const py::object keys = ToPython(Make<OrtValue>(Api().GetValue, map, 0, CpuAllocator()));
  const py::object values = ToPython(Make<OrtValue>(Api().GetValue, map, 1, CpuAllocator()));
  return py::dict(py::module_::import("builtins").attr("zip")(keys.attr("tolist")(), values.attr("tolist")()));
}

bool IsEmptyOptional(const OrtValue* value) {
  int has_value = 1;
  Check(Api().HasValue(value, &has_value));
  return has_value == 0;
}

py::object NonTensorToPython(const OrtValue* value, ONNXType kind) {
  if (kind == ONNX_TYPE_SEQUENCE) return SequenceToList(value);
  if (kind == ONNX_TYPE_MAP) return MapToDict(value);
  return {};
}

// Sparse tensors have a class of their own; other kinds stay values.
py::object Wrapped(ValuePtr value, ONNXType kind) {
  if (kind == ONNX_TYPE_SPARSETENSOR) return py::cast(SparseTensor{std::move(value)});
  return py::cast(std::move(value));
}

}  // namespace

ONNXType KindOf(const OrtValue* value) {
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  Check(Api().GetValueType(value, &kind));
  return kind;
}

TensorFacts ReadTensorFacts(const OrtValue* value) {
  TensorFacts facts{};
  const int64_t* dims = nullptr;
  size_t rank = 0;
  Check(Api().GetTensorElementTypeAndShapeDataReference(value, &facts.element, &dims, &rank));
  facts.shape = {dims, rank};
  return facts;
}

bool IsOnCpu(const OrtValue* tensor) {
  const OrtMemoryInfo* memory = nullptr;
  Check(Api().GetTensorMemoryInfo(tensor, &memory));
  OrtMemoryInfoDeviceType device = OrtMemoryInfoDeviceType_CPU;
  Api().MemoryInfoGetDeviceType(memory, &device);
  return device == OrtMemoryInfoDeviceType_CPU ||
         Api().MemoryInfoGetDeviceMemType(memory) == OrtDeviceMemoryType_HOST_ACCESSIBLE;
}

namespace {

bool HoldsStrings(const OrtValue* tensor) {
  return ReadTensorFacts(tensor).element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
}

// No provider is needed for what the CPU reads and writes itself.
void CopyOnCpu(const OrtValue* from, OrtValue* to) {
  size_t from_bytes = 0, to_bytes = 0;
  Check(Api().GetTensorSizeInBytes(from, &from_bytes));
  Check(Api().GetTensorSizeInBytes(to, &to_bytes));
  if (from_bytes != to_bytes) {
    throw std::runtime_error("a tensor of " + std::to_string(from_bytes) + " bytes cannot be copied into one of " +
                             std::to_string(to_bytes));
  }
  const void* source = nullptr;
  void* target = nullptr;
  Check(Api().GetTensorData(from, &source));
  Check(Api().GetTensorMutableData(to, &target));
  if (from_bytes > 0) std::memmove(target, source, from_bytes);
}

}  // namespace

void CopyTensors(std::span<const OrtValue* const> from, std::span<OrtValue* const> to, OrtSyncStream* stream) {
  if (from.size() == 1 && IsOnCpu(from[0]) && IsOnCpu(to[0]) && !HoldsStrings(from[0]) && !IsReadOnly(to[0]))
    return CopyOnCpu(from[0], to[0]);
  OrtEnv* environment = Environment();
  const ReleaseGil released;
  Check(Api().CopyTensors(environment, from.data(), to.data(), stream, from.size()));
}

py::object ToPython(Owned<OrtValue> value) {
  if (value == nullptr || IsEmptyOptional(value.get())) return py::none();
  const ONNXType kind = KindOf(value.get());
  if (kind != ONNX_TYPE_TENSOR) {
    if (py::object plain = NonTensorToPython(value.get(), kind)) return plain;
    return Wrapped(std::make_shared<Value>(std::move(value)), kind);
  }
  if (!IsOnCpu(value.get())) value = CopyToCpu(value.get(), ReadTensorFacts(value.get()));
  OrtValue* tensor = value.get();
  return TensorToArray(tensor, ReadTensorFacts(tensor), [&] { return CapsuleOf(std::move(value)); });
}

py::object ToPython(const ValuePtr& value) {
  OrtValue* raw = value->get();
  if (raw == nullptr || IsEmptyOptional(raw)) return py::none();
  const ONNXType kind = KindOf(raw);
  if (kind != ONNX_TYPE_TENSOR) {
    if (py::object plain = NonTensorToPython(raw, kind)) return plain;
    return Wrapped(value, kind);
  }
  const TensorFacts facts = ReadTensorFacts(raw);
  if (!IsOnCpu(raw)) return ToPython(CopyToCpu(raw, facts));
  return TensorToArray(raw, facts, [&] { return py::cast(value); });
}

}  // namespace ortrun::python
