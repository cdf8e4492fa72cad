// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where messages of the runtime go: standard error, or a Python function.

#include <pybind11/pybind11.h>

#include "onnxruntime_c_api.h"

namespace ortrun::python {

/// The environment's logging function. Any thread may call it, with or without the GIL. Messages of threads that Python
/// does not know go to standard error: waiting there for the GIL could stop a thread that its holder waits for.
void LogMessage(void* param, OrtLoggingLevel severity, const char* category, const char* logid,
                const char* code_location, const char* message);

/// 0 verbose ... 4 fatal; 2 unless set.
int DefaultSeverity();

void DefineLogging(pybind11::module_& m);

}  // namespace ortrun::python
