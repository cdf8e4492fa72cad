// SPDX-License-Identifier: Apache-2.0
#include "python/src/dlpack.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "python/src/devices.h"
#include "python/src/gil.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

// The layout that DLPack fixes.
enum DlDeviceType : int32_t { kDlCpu = 1, kDlCuda = 2, kDlCudaHost = 3, kDlRocm = 10 };
enum DlTypeCode : uint8_t { kDlInt = 0, kDlUint = 1, kDlFloat = 2, kDlBfloat = 4, kDlComplex = 5, kDlBool = 6 };

struct DlTensor {
  void* data;
  int32_t device_type;
  int32_t device_id;
  int32_t rank;
  uint8_t type_code;
  uint8_t type_bits;
  uint16_t type_lanes;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};

struct DlManaged {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManaged*);
};

struct DlManagedVersioned {
  uint32_t major;
  uint32_t minor;
  void* context;
  void (*deleter)(DlManagedVersioned*);
  uint64_t flags;
  DlTensor tensor;
};

struct DlType {
  ElementType element;
  uint8_t code;
  uint8_t bits;
};

constexpr DlType kTypes[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, kDlFloat, 32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, kDlFloat, 64},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, kDlFloat, 16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, kDlBfloat, 16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, kDlInt, 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, kDlInt, 16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, kDlInt, 32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, kDlInt, 64},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, kDlUint, 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, kDlUint, 16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, kDlUint, 32},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, kDlUint, 64},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, kDlBool, 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64, kDlComplex, 64},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128, kDlComplex, 128},
};

constexpr const char* kFresh = "dltensor";
constexpr const char* kFreshVersioned = "dltensor_versioned";
constexpr int kMaxRank = 1024;

// What the deleter of an exported tensor frees. It may run on any thread.
struct Export {
  DlManaged managed{};
  std::vector<int64_t> shape;
  PyObject* value = nullptr;
};

void ReleaseExport(DlManaged* managed) {
  auto* made = static_cast<Export*>(managed->context);
  if (InterpreterLives()) {
    const HoldGil held;
    Py_XDECREF(made->value);
  }
  delete made;
}

ElementType ElementOf(const DlTensor& tensor) {
  if (tensor.type_lanes == 1) {
    for (const DlType& type : kTypes) {
      if (type.code == tensor.type_code && type.bits == tensor.type_bits) return type.element;
    }
  }
  throw std::runtime_error("from_dlpack: the element type (code " + std::to_string(tensor.type_code) + ", " +
                           std::to_string(tensor.type_bits) + " bits) has no ONNX element type");
}

bool IsRowMajor(const DlTensor& tensor) {
  if (tensor.strides == nullptr) return true;
  int64_t expected = 1;
  for (int32_t i = tensor.rank - 1; i >= 0; --i) {
    if (tensor.shape[i] == 0) return true;
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

Owned<OrtValue> Import(const DlTensor& tensor) {
  if (tensor.rank < 0 || tensor.rank > kMaxRank || (tensor.rank > 0 && tensor.shape == nullptr)) {
    throw std::runtime_error("from_dlpack: the tensor's rank or shape is not valid");
  }
  if (!IsRowMajor(tensor)) {
    throw std::runtime_error("from_dlpack: the tensor is not contiguous; make it so first (`.contiguous()` in torch)");
  }
  const ElementType element = ElementOf(tensor);
  const std::span<const int64_t> shape(tensor.shape, static_cast<size_t>(tensor.rank));
  const size_t bytes = PackedBytes(element, ElementCount(shape));
  void* data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  Owned<OrtMemoryInfo> made;
  const OrtMemoryInfo* memory = CpuMemory();
  if (tensor.device_type != kDlCpu && tensor.device_type != kDlCudaHost) {
    const bool nvidia = tensor.device_type == kDlCuda;
    const Device device{OrtMemoryInfoDeviceType_GPU, OrtDeviceMemoryType_DEFAULT, nvidia ? kVendorNvidia : kVendorAmd,
                        tensor.device_id};
    memory = MemoryOf(device);
  }
  return Make<OrtValue>(Api().CreateTensorWithDataAsOrtValue, memory, data, bytes, shape.data(), shape.size(), element);
}

constexpr uint64_t kDlReadOnly = 1;  // of the flags

bool MayWrite(const DlManaged&) { return true; }
bool MayWrite(const DlManagedVersioned& managed) { return (managed.flags & kDlReadOnly) == 0; }

// Takes the tensor out of its capsule; the object that comes back calls the producer's deleter.
template <typename Managed>
ValuePtr Take(const py::object& capsule, const char* fresh_name, const char* used_name) {
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule.ptr(), fresh_name));
  if (managed == nullptr) throw py::error_already_set();
  auto value = Import(managed->tensor);
  if (!MayWrite(*managed)) MarkReadOnly(value.get());
  if (PyCapsule_SetName(capsule.ptr(), used_name) != 0) throw py::error_already_set();
  py::capsule keeper(managed, [](void* pointer) {
    auto* taken = static_cast<Managed*>(pointer);
    if (taken->deleter) taken->deleter(taken);
  });
  return std::make_shared<Value>(std::move(value), std::move(keeper));
}

}  // namespace

std::pair<int, int> DlpackDevice(const OrtValue* tensor) {
  const OrtMemoryInfo* memory = nullptr;
  Check(Api().GetTensorMemoryInfo(tensor, &memory));
  const Device device = DeviceOf(memory);
  if (device.type == OrtMemoryInfoDeviceType_CPU) return {kDlCpu, 0};
  if (device.type == OrtMemoryInfoDeviceType_GPU) {
    return {device.vendor == kVendorAmd ? kDlRocm : kDlCuda, device.id};
  }
  throw std::runtime_error("DLPack has no number for the device " + DeviceName(device) + " of this value");
}

py::object ToDlpack(const ValuePtr& value) {
  if (KindOf(value->get()) != ONNX_TYPE_TENSOR) throw std::runtime_error("only tensors can be given through DLPack");
  const TensorFacts facts = ReadTensorFacts(value->get());
  const auto* type =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const DlType& t) { return t.element == facts.element; });
  if (type == std::end(kTypes)) {
    throw std::runtime_error(std::string("DLPack has no type for tensor(") + ElementName(facts.element) + ")");
  }
  auto made = std::make_unique<Export>();
  made->shape.assign(facts.shape.begin(), facts.shape.end());
  DlTensor& tensor = made->managed.tensor;
  Check(Api().GetTensorMutableData(value->get(), &tensor.data));
  std::tie(tensor.device_type, tensor.device_id) = DlpackDevice(value->get());
  tensor.rank = static_cast<int32_t>(made->shape.size());
  tensor.type_code = type->code;
  tensor.type_bits = type->bits;
  tensor.type_lanes = 1;
  tensor.shape = made->shape.data();
  made->value = py::cast(value).release().ptr();
  made->managed.context = made.get();
  made->managed.deleter = &ReleaseExport;
  PyObject* capsule = PyCapsule_New(&made->managed, kFresh, [](PyObject* self) {
    // A taker renames the capsule and calls the deleter itself.
    if (!PyCapsule_IsValid(self, kFresh)) return;
    auto* managed = static_cast<DlManaged*>(PyCapsule_GetPointer(self, kFresh));
    managed->deleter(managed);
  });
  if (capsule == nullptr) {
    Py_DECREF(made->value);
    throw py::error_already_set();
  }
  static_cast<void>(made.release());  // the capsule owns it
  return py::reinterpret_steal<py::object>(capsule);
}

ValuePtr ValueFromDlpack(py::handle object) {
  py::object capsule = py::reinterpret_borrow<py::object>(object);
  if (!PyCapsule_CheckExact(object.ptr())) {
    if (!py::hasattr(object, "__dlpack__")) {
      throw py::type_error("from_dlpack expected an object with __dlpack__ or a DLPack capsule, not " +
                           py::repr(py::type::of(object)).cast<std::string>());
    }
    capsule = object.attr("__dlpack__")();
  }
  if (PyCapsule_IsValid(capsule.ptr(), kFresh)) return Take<DlManaged>(capsule, kFresh, "used_dltensor");
  if (PyCapsule_IsValid(capsule.ptr(), kFreshVersioned)) {
    return Take<DlManagedVersioned>(capsule, kFreshVersioned, "used_dltensor_versioned");
  }
  throw py::type_error("from_dlpack expected a capsule named 'dltensor'; a capsule can be used only once");
}

}  // namespace ortrun::python
