// SPDX-License-Identifier: Apache-2.0
#include "python/src/errors.h"

#include <array>

namespace py = pybind11;

namespace ortrun::python {
namespace {

struct ErrorClass {
  OrtErrorCode code;
  const char* status_name;
  const char* class_name;
};

constexpr std::array kErrorClasses{
    ErrorClass{ORT_FAIL, "FAIL", "Fail"},
    ErrorClass{ORT_INVALID_ARGUMENT, "INVALID_ARGUMENT", "InvalidArgument"},
    ErrorClass{ORT_NO_SUCHFILE, "NO_SUCHFILE", "NoSuchFile"},
    ErrorClass{ORT_NO_MODEL, "NO_MODEL", "NoModel"},
    ErrorClass{ORT_ENGINE_ERROR, "ENGINE_ERROR", "EngineError"},
    ErrorClass{ORT_RUNTIME_EXCEPTION, "RUNTIME_EXCEPTION", "RuntimeException"},
    ErrorClass{ORT_INVALID_PROTOBUF, "INVALID_PROTOBUF", "InvalidProtobuf"},
    ErrorClass{ORT_MODEL_LOADED, "MODEL_LOADED", "ModelLoaded"},
    ErrorClass{ORT_NOT_IMPLEMENTED, "NOT_IMPLEMENTED", "NotImplemented"},
    ErrorClass{ORT_INVALID_GRAPH, "INVALID_GRAPH", "InvalidGraph"},
    ErrorClass{ORT_EP_FAIL, "EP_FAIL", "EPFail"},
    ErrorClass{ORT_MODEL_LOAD_CANCELED, "MODEL_LOAD_CANCELED", "ModelLoadCanceled"},
    ErrorClass{ORT_MODEL_REQUIRES_COMPILATION, "MODEL_REQUIRES_COMPILATION", "ModelRequiresCompilation"},
    ErrorClass{ORT_NOT_FOUND, "NOT_FOUND", "NotFound"},
    ErrorClass{ORT_DEVICE_RESET, "DEVICE_RESET", "DeviceReset"},
};

// Never released: exceptions may be raised until the interpreter is gone.
std::array<PyObject*, kErrorClasses.size()> classes{};

size_t IndexOf(OrtErrorCode code) {
  for (size_t i = 0; i < kErrorClasses.size(); ++i) {
    if (kErrorClasses[i].code == code) return i;
  }
  return 0;
}

}  // namespace

std::string FormatStatus(OrtErrorCode code, const std::string& message) {
  return "[ONNXRuntimeError] : " + std::to_string(static_cast<int>(code)) + " : " +
         kErrorClasses[IndexOf(code)].status_name + " : " + message;
}

void DefineErrors(py::module_& m) {
  const auto module_name = m.attr("__name__").cast<std::string>();
  for (size_t i = 0; i < kErrorClasses.size(); ++i) {
    const std::string full_name = module_name + "." + kErrorClasses[i].class_name;
    classes[i] = PyErr_NewException(full_name.c_str(), PyExc_Exception, nullptr);
    if (classes[i] == nullptr) throw py::error_already_set();
    m.attr(kErrorClasses[i].class_name) = py::reinterpret_borrow<py::object>(classes[i]);
  }
  py::register_local_exception_translator([](std::exception_ptr pending) {  // NOLINT: the type of the hook
    try {
      if (pending) std::rethrow_exception(pending);
    } catch (const StatusError& error) {
      py::set_error(classes[IndexOf(error.code())], FormatStatus(error.code(), error.what()).c_str());
    }
  });
}

}  // namespace ortrun::python
