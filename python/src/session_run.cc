// SPDX-License-Identifier: Apache-2.0
// The way of one run: what depends on the session alone was found when it was initialized.
#include <boost/container/small_vector.hpp>
#include <string_view>

#include "python/src/arrays.h"
#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/session.h"
#include "python/src/sub_byte.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

constexpr size_t kFew = 16;
template <typename T>
using SmallVector = boost::container::small_vector<T, kFew>;

bool Fits(const ValueType& type, ElementType element, std::span<const int64_t> shape) {
  if (element != type.element) return false;
  if (!type.has_shape || type.shape.empty()) return true;  // what is declared as a scalar may have any rank
  if (shape.size() != type.shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (type.shape[i] >= 0 && type.shape[i] != shape[i]) return false;
  }
  return true;
}

bool Fits(const ValueType& type, const OrtValue* value) {
  if (!type.is_tensor()) return true;  // the runtime checks the rest
  if (KindOf(value) != ONNX_TYPE_TENSOR) return false;
  const TensorFacts facts = ReadTensorFacts(value);
  return Fits(type, facts.element, facts.shape);
}

// One input of a run; false when it is not what the model takes.
bool Convert(const NodeArg& arg, PyObject* object, InputValue& input) {
  if (arg.type.is_tensor() && IsArray(object)) {
    const ArrayView view(object);
    const ElementType element = FromNumpy(view.descr());
    if (!Fits(arg.type, element, view.shape())) return false;
    if (view.plain() && NumpyNumber(element) >= 0 && element != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      const size_t bytes = PackedBytes(element, ElementCount(view.shape()));
      input.made = Make<OrtValue>(Api().CreateTensorWithDataAsOrtValue, CpuMemory(), view.data(), bytes,
                                  view.shape().data(), view.shape().size(), element);
      input.value = input.made.get();
      input.owner = py::reinterpret_borrow<py::object>(object);  // another thread may change the feed meanwhile
      return true;
    }
  }
  input = FromPython(object, &arg.type);
  return Fits(arg.type, input.value);
}

// Fills the parallel lists from the feed; answers whether all that is there is well. `complete`: no required input is
// missing.
template <typename Names, typename Pointers, typename Values>
bool FillFeed(const Session& session, size_t required, const py::dict& feed, Names& names, Pointers& pointers,
              Values& values, bool& complete) {
  PyObject *key = nullptr, *object = nullptr;
  Py_ssize_t position = 0;
  size_t found = 0;
  const size_t num_inputs = session.inputs().size();
  while (PyDict_Next(feed.ptr(), &position, &key, &object)) {
    if (!PyUnicode_Check(key)) return false;
    const Py_ssize_t index = session.FeedIndex(key);
    if (index < 0) return false;
    const NodeArg& arg = session.FeedArg(static_cast<size_t>(index));
    if (object == Py_None && arg.type.optional) continue;  // an optional input that is not given
    const py::object held = py::reinterpret_borrow<py::object>(object);
    if (object == Py_None || !Convert(arg, object, values.emplace_back())) return false;
    names.push_back(arg.name.c_str());
    pointers.push_back(values.back().value);
    if (static_cast<size_t>(index) < num_inputs && !arg.type.optional) ++found;
  }
  complete = found == required;
  return true;
}

py::object TakeOutput(const NodeArg& arg, OrtValue*& raw) {
  Owned<OrtValue> value(std::exchange(raw, nullptr));
  if (value != nullptr && arg.type.is_tensor() && NumpyNumber(arg.type.element) >= 0 &&
      arg.type.element != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    const TensorFacts facts = ReadTensorFacts(value.get());
    void* data = nullptr;
    Check(Api().GetTensorMutableData(value.get(), &data));
    PyObject* capsule = PyCapsule_New(value.get(), nullptr, [](PyObject* self) {
      Api().ReleaseValue(static_cast<OrtValue*>(PyCapsule_GetPointer(self, nullptr)));
    });
    if (capsule == nullptr) throw py::error_already_set();
    static_cast<void>(value.release());
    return ArrayOver(NumpyDescr(facts.element), facts.shape, data, py::reinterpret_steal<py::object>(capsule));
  }
  return ToPython(std::move(value));
}

// Outputs of a run that are released when converting one of them fails.
struct Outputs {
  SmallVector<OrtValue*> values;
  ~Outputs() {
    for (OrtValue* value : values) {
      if (value != nullptr) Api().ReleaseValue(value);
    }
  }
};

void CallRun(OrtSession* session, const RunOptions* options, const char* const* names, const OrtValue* const* inputs,
             size_t num_inputs, const char* const* output_names, size_t num_outputs, OrtValue** outputs) {
  OrtStatus* status = nullptr;
  {
    const ReleaseGil released;
    status = Api().Run(session, options ? options->handle.get() : nullptr, names, inputs, num_inputs, output_names,
                       num_outputs, outputs);
  }
  Check(status);
}

}  // namespace

py::dict AsFeedDict(const py::object& feed) {
  if (PyDict_Check(feed.ptr())) return py::reinterpret_borrow<py::dict>(feed);
  if (!PyMapping_Check(feed.ptr()) || !py::hasattr(feed, "keys")) {
    throw py::type_error("input_feed must be a dict of input names and values, not " +
                         py::repr(py::type::of(feed)).cast<std::string>());
  }
  return py::dict(feed);
}

void Feed::Add(const Session& session, const py::dict& feed) {
  values.reserve(py::len(feed));
  if (!FillFeed(session, session.required_inputs_, feed, names, pointers, values, complete)) {
    ExplainFeed(session, feed);
    throw StatusError(ORT_INVALID_ARGUMENT, "the inputs do not fit the model");
  }
}

py::list Session::Run(const py::object& output_names, const py::object& feed_object, const RunOptions* options) {
  OrtSession* session = get();
  const py::dict feed = AsFeedDict(feed_object);
  SmallVector<const char*> names;
  SmallVector<const OrtValue*> pointers;
  SmallVector<InputValue> values;
  bool complete = false;
  if (!FillFeed(*this, required_inputs_, feed, names, pointers, values, complete)) {
    ExplainFeed(*this, feed);
    throw StatusError(ORT_INVALID_ARGUMENT, "the inputs do not fit the model");
  }
  SmallVector<const char*> wanted_names;
  SmallVector<const NodeArg*> wanted;
  if (output_names.is_none()) {
    for (const NodeArg& arg : outputs_) wanted.push_back(&arg);
  } else {
    for (const size_t index : WantedOutputs(output_names)) wanted.push_back(&outputs_[index]);
  }
  for (const NodeArg* arg : wanted) wanted_names.push_back(arg->name.c_str());
  Outputs outputs;
  outputs.values.resize(wanted.size(), nullptr);
  CallWithMissing(*this, feed, complete, [&] {
    CallRun(session, options, names.data(), pointers.data(), pointers.size(), wanted_names.data(), wanted_names.size(),
            outputs.values.data());
  });
  py::list result(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    PyList_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i),
                    TakeOutput(*wanted[i], outputs.values[i]).release().ptr());
  }
  return result;
}

ValueVector Session::RunWithValues(const py::dict& feed_dict, const py::object& output_names,
                                   const RunOptions* options) {
  OrtSession* session = get();
  Feed feed;
  feed.Add(*this, feed_dict);
  const std::vector<size_t> wanted = WantedOutputs(output_names);
  std::vector<const char*> wanted_names;
  for (const size_t index : wanted) wanted_names.push_back(outputs_[index].name.c_str());
  Outputs outputs;
  outputs.values.resize(wanted.size(), nullptr);
  CallWithMissing(*this, feed_dict, feed.complete, [&] {
    CallRun(session, options, feed.names.data(), feed.pointers.data(), feed.pointers.size(), wanted_names.data(),
            wanted_names.size(), outputs.values.data());
  });
  ValueVector result;
  for (OrtValue*& value : outputs.values) {
    result.values.push_back(std::make_shared<Value>(Owned<OrtValue>(std::exchange(value, nullptr))));
  }
  return result;
}

void Session::RunWithVectors(const RunOptions* options, const std::vector<std::string>& feed_names,
                             const ValueVector& feeds, const std::vector<std::string>& fetch_names,
                             ValueVector& fetches, const std::vector<Device>& fetch_devices) {
  OrtSession* session = get();
  if (feed_names.size() != feeds.values.size()) {
    throw std::runtime_error("run_with_ortvaluevector: as many feeds as feed names are needed");
  }
  const bool given = !fetches.values.empty();
  if (given && fetches.values.size() != fetch_names.size()) {
    throw std::runtime_error("run_with_ortvaluevector: fetches must be empty or as many as the fetch names");
  }
  auto binding = Make<OrtIoBinding>(Api().CreateIoBinding, session);
  for (size_t i = 0; i < feed_names.size(); ++i) {
    Check(Api().BindInput(binding.get(), feed_names[i].c_str(), feeds.values[i]->get()));
  }
  for (size_t i = 0; i < fetch_names.size(); ++i) {
    const char* name = fetch_names[i].c_str();
    if (given && fetches.values[i]->get() != nullptr) {
      Check(Api().BindOutput(binding.get(), name, fetches.values[i]->get()));
    } else {
      Check(Api().BindOutputToDevice(binding.get(), name,
                                     MemoryOf(i < fetch_devices.size() ? fetch_devices[i] : Device())));
    }
  }
  OrtStatus* status = nullptr;
  {
    const ReleaseGil released;
    status = Api().RunWithBinding(session, options ? options->handle.get() : nullptr, binding.get());
  }
  Check(status);
  if (given) return;
  OrtValue** made = nullptr;
  size_t count = 0;
  Check(Api().GetBoundOutputValues(binding.get(), CpuAllocator(), &made, &count));
  for (size_t i = 0; i < count; ++i) fetches.values.push_back(std::make_shared<Value>(Owned<OrtValue>(made[i])));
  if (made != nullptr) Check(Api().AllocatorFree(CpuAllocator(), made));
}

}  // namespace ortrun::python
