// SPDX-License-Identifier: Apache-2.0
// SessionIOBinding: inputs and outputs bound to memory before a run.
#include <pybind11/stl.h>

#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/session.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

using Shape = std::vector<int64_t>;

class Binding {
 public:
  explicit Binding(py::object session_object)
      : session_(std::move(session_object)), binding_(Make<OrtIoBinding>(Api().CreateIoBinding, session().get())) {}

  void BindInputArray(const std::string& name, const py::object& array) {
    const NodeArg& arg = InputArg(name);
    InputValue input = FromPython(array, &arg.type);
    Check(Api().BindInput(binding_.get(), name.c_str(), input.value));
    Keep(inputs_, name, Holder(std::move(input), array));
  }

  void BindInputMemory(const std::string& name, const Device& device, const py::object& type, const Shape& shape,
                       uintptr_t pointer) {
    InputArg(name);
    const auto value = ValueOver(device, type, shape, pointer);
    Check(Api().BindInput(binding_.get(), name.c_str(), value.get()));
  }

  void BindInputValue(const std::string& name, const ValuePtr& value) {
    InputArg(name);
    Check(Api().BindInput(binding_.get(), name.c_str(), value->get()));
    Keep(inputs_, name, py::cast(value));
  }

  void BindOutputMemory(const std::string& name, const Device& device, const py::object& type, const Shape& shape,
                        uintptr_t pointer) {
    has_run_ = false;
    const auto value = ValueOver(device, type, shape, pointer);
    Check(Api().BindOutput(binding_.get(), name.c_str(), value.get()));
  }

  void BindOutputDevice(const std::string& name, const Device& device) {
    has_run_ = false;
    Check(Api().BindOutputToDevice(binding_.get(), name.c_str(), MemoryOf(device)));
    outputs_.attr("pop")(name, py::none());
  }

  void BindOutputValue(const std::string& name, const ValuePtr& value) {
    has_run_ = false;
    Check(Api().BindOutput(binding_.get(), name.c_str(), value->get()));
    Keep(outputs_, name, py::cast(value));
  }

  void ClearInputs() {
    Api().ClearBoundInputs(binding_.get());
    inputs_.clear();
  }

  void ClearOutputs() {
    has_run_ = false;
    Api().ClearBoundOutputs(binding_.get());
    outputs_.clear();
  }

  void SynchronizeInputs() {
    const ReleaseGil released;
    Check(Api().SynchronizeBoundInputs(binding_.get()));
  }

  void SynchronizeOutputs() {
    const ReleaseGil released;
    Check(Api().SynchronizeBoundOutputs(binding_.get()));
  }

  ValueVector Outputs() const {
    OrtValue** values = nullptr;
    size_t count = 0;
    ValueVector result;
    if (!has_run_) return result;  // what is bound has no content yet
    Check(Api().GetBoundOutputValues(binding_.get(), CpuAllocator(), &values, &count));
    for (size_t i = 0; i < count; ++i) {
      // A value in memory of Python's keeps that memory alive.
      result.values.push_back(std::make_shared<Value>(Owned<OrtValue>(values[i]), outputs_));
    }
    if (values != nullptr) Check(Api().AllocatorFree(CpuAllocator(), values));
    return result;
  }

  py::list OutputsOnCpu() const {
    py::list result;
    for (const ValuePtr& value : Outputs().values) result.append(ToPython(value));
    return result;
  }

  // A failing provider is told apart, so that the session can fall back; other errors are RuntimeError.
  void Run(const Session& on, const RunOptions* options) {
    OrtStatus* raw = nullptr;
    OrtSession* handle = on.get();
    {
      const ReleaseGil released;
      raw = Api().RunWithBinding(handle, options ? options->handle.get() : nullptr, binding_.get());
    }
    const Owned<OrtStatus> status(raw);
    if (status == nullptr) {
      has_run_ = true;
      return;
    }
    const OrtErrorCode code = Api().GetErrorCode(raw);
    if (code == ORT_EP_FAIL) throw StatusError(code, Api().GetErrorMessage(raw));
    throw std::runtime_error(std::string("Error in execution: ") + Api().GetErrorMessage(raw));
  }

 private:
  Session& session() const { return session_.cast<Session&>(); }

  const NodeArg& InputArg(const std::string& name) const {
    const Py_ssize_t index = session().FeedIndex(py::str(name).ptr());
    if (index >= 0) return session().FeedArg(static_cast<size_t>(index));
    std::vector<std::string> known;
    for (const NodeArg& arg : session().inputs()) known.push_back(arg.name);
    throw std::runtime_error("the model has no input '" + name + "'" + Hint(name, known));
  }

  static Owned<OrtValue> ValueOver(const Device& device, const py::object& type, const Shape& shape,
                                   uintptr_t pointer) {
    const ElementType element = FromUserType(type);
    if (element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      throw std::runtime_error("memory of strings cannot be bound; bind an OrtValue or an array instead");
    }
    const size_t bytes = PackedBytes(element, ElementCount(shape));
    if (pointer == 0 && bytes > 0) throw std::runtime_error("buffer_ptr is 0, there is no memory to bind");
    return Make<OrtValue>(Api().CreateTensorWithDataAsOrtValue, MemoryOf(device), reinterpret_cast<void*>(pointer),
                          bytes, shape.data(), shape.size(), element);
  }

  static py::object Holder(InputValue input, const py::object& array) {
    if (input.made == nullptr) return array;
    return py::cast(std::make_shared<Value>(std::move(input.made), std::move(input.owner)));
  }

  static void Keep(py::dict& kept, const std::string& name, py::object object) {
    kept[py::str(name)] = std::move(object);
  }

  py::object session_;
  py::dict inputs_;  // what is bound stays alive
  py::dict outputs_;
  Owned<OrtIoBinding> binding_;
  bool has_run_ = false;
};

}  // namespace

void DefineBinding(py::module_& m) {
  py::class_<Binding>(m, "SessionIOBinding", "Inputs and outputs of a session bound to memory.")
      .def(py::init([](py::object session) {
        session.cast<Session&>();
        return std::make_unique<Binding>(std::move(session));
      }))
      .def("bind_input", &Binding::BindInputArray)
      .def("bind_input", &Binding::BindInputMemory)
      .def("bind_ortvalue_input", &Binding::BindInputValue)
      .def("bind_output", &Binding::BindOutputMemory)
      .def("bind_output", &Binding::BindOutputDevice)
      .def("bind_ortvalue_output", &Binding::BindOutputValue)
      .def("clear_binding_inputs", &Binding::ClearInputs)
      .def("clear_binding_outputs", &Binding::ClearOutputs)
      .def("synchronize_inputs", &Binding::SynchronizeInputs)
      .def("synchronize_outputs", &Binding::SynchronizeOutputs)
      .def("get_outputs", &Binding::Outputs)
      .def("copy_outputs_to_cpu", &Binding::OutputsOnCpu);
  py::object(m.attr("InferenceSession")).attr("run_with_iobinding") = py::cpp_function(
      [](const Session& self, Binding& binding, const RunOptions* options) { binding.Run(self, options); },
      py::is_method(m.attr("InferenceSession")), py::name("run_with_iobinding"), py::arg("io_binding"),
      py::arg("run_options") = nullptr);
}

}  // namespace ortrun::python
