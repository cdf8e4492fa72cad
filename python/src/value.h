// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of the runtime (tensors, sequences, maps, optionals) and their Python forms. Everything here needs the GIL.

#include <pybind11/pybind11.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "python/src/api.h"
#include "python/src/element_types.h"
#include "python/src/type_info.h"

namespace ortrun::python {

/// What Python calls C.OrtValue: a value of the runtime and the Python object whose memory it uses, if any.
class Value {
 public:
  explicit Value(Owned<OrtValue> handle, pybind11::object memory_owner = {})
      : memory_owner_(std::move(memory_owner)), handle_(std::move(handle)) {}

  OrtValue* get() const { return handle_.get(); }
  const pybind11::object& memory_owner() const { return memory_owner_; }

 private:
  pybind11::object memory_owner_;  // outlives the handle
  Owned<OrtValue> handle_;
};

using ValuePtr = std::shared_ptr<Value>;

/// What Python calls OrtValueVector.
struct ValueVector {
  std::vector<ValuePtr> values;
};

/// A value for one run: either made for it (`made`), or one that a Python object owns. `owner` keeps the memory alive.
struct InputValue {
  OrtValue* value = nullptr;
  Owned<OrtValue> made;
  pybind11::object owner;
};

/// A value made for one run; `owner` keeps memory that it uses alive.
InputValue OwnedInput(Owned<OrtValue> made, pybind11::object owner = {});

/// A sequence or map over values, which it keeps alive.
InputValue Compose(ONNXType kind, std::vector<InputValue>& parts);

/// A map from a dict. The keys must be what the model's map has, int64 (whatever Python takes as an index) or str, and
/// the values of its type; nothing is converted that would change it. Throws InvalidArgument for a map of other keys,
/// RuntimeError for keys or values that no map has, both naming what the model takes. Without `expected` the first key
/// decides, and the values are float.
InputValue MapFromDict(const pybind11::dict& dict, const ValueType* expected);

/// A tensor over the memory of a numpy array, without a copy where the array is plain; strings and sub-byte types are
/// copied. Throws std::runtime_error for types without an ONNX type.
InputValue TensorFromArray(pybind11::handle array);

/// A value of any kind from numpy arrays, lists, dicts, OrtValues and objects with __dlpack__ or __array__.
/// `expected` says what an empty list or a plain number list becomes; nullptr where nothing is known.
InputValue FromPython(pybind11::handle object, const ValueType* expected);

/// The C.OrtValue inside a C.OrtValue or an onnxruntime.OrtValue; nullptr for anything else.
ValuePtr AsValue(pybind11::handle object);

/// numpy array, list, dict, or None for an empty optional. Tensors on the CPU are not copied: the array keeps the value
/// alive. Tensors elsewhere are copied to the CPU.
pybind11::object ToPython(Owned<OrtValue> value);
pybind11::object ToPython(const ValuePtr& value);

/// A tensor whose memory the runtime makes.
Owned<OrtValue> NewTensor(OrtAllocator* allocator, std::span<const int64_t> shape, ElementType type);

/// Element type and shape, read in place: the span lives as long as the value. For tensors only.
struct TensorFacts {
  ElementType element;
  std::span<const int64_t> shape;
};
TensorFacts ReadTensorFacts(const OrtValue* value);

ONNXType KindOf(const OrtValue* value);
bool IsOnCpu(const OrtValue* tensor);

/// Copies between tensors of any memories with the providers' data transfers.
void CopyTensors(std::span<const OrtValue* const> from, std::span<OrtValue* const> to, OrtSyncStream* stream);

void DefineValue(pybind11::module_& m);

}  // namespace ortrun::python
