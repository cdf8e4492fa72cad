// SPDX-License-Identifier: Apache-2.0
#pragma once

// Errors of the runtime and the Python exception classes that users of ONNX Runtime catch.

#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>

#include "onnxruntime_c_api.h"

namespace ortrun::python {

/// A status of the C interface. In Python: the class of its code, with the text
/// "[ONNXRuntimeError] : CODE : NAME : message" that clients search for.
class StatusError : public std::runtime_error {
 public:
  StatusError(OrtErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  OrtErrorCode code() const { return code_; }

 private:
  OrtErrorCode code_;
};

/// "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : message".
std::string FormatStatus(OrtErrorCode code, const std::string& message);

void DefineErrors(pybind11::module_& m);

}  // namespace ortrun::python
