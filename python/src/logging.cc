// SPDX-License-Identifier: Apache-2.0
#include "python/src/logging.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

#include "python/src/api.h"
#include "python/src/gil.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

std::atomic<int> default_severity = ORT_LOGGING_LEVEL_WARNING;
PyObject* callback = nullptr;  // guarded by the GIL
std::atomic<bool> has_callback = false;
thread_local bool inside_callback = false;

void WriteToStandardError(OrtLoggingLevel severity, const char* logid, const char* location, const char* message) {
  constexpr char kLetters[] = "VIWEF";
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto nanoseconds =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count() % 1'000'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char time_text[32];
  std::strftime(time_text, sizeof(time_text), "%Y-%m-%d %H:%M:%S", &local);
  const char letter = kLetters[severity >= 0 && severity <= 4 ? severity : 2];
  std::fprintf(stderr, "%s.%09lld [%c:onnxruntime:%s, %s] %s\n", time_text, static_cast<long long>(nanoseconds), letter,
               logid ? logid : "", location ? location : "", message ? message : "");
}

py::str Text(const char* text) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      text ? text : "", static_cast<Py_ssize_t>(std::char_traits<char>::length(text ? text : "")), "replace"));
}

// Answers false where the message still has to be written.
bool CallPython(OrtLoggingLevel severity, const char* category, const char* logid, const char* location,
                const char* message) {
  const bool known_to_python = PyGILState_GetThisThreadState() != nullptr;
  if (!has_callback || inside_callback || !known_to_python || !InterpreterLives()) return false;
  const HoldGil held;
  if (callback == nullptr) return false;
  const auto function = py::reinterpret_borrow<py::object>(callback);
  inside_callback = true;
  bool done = false;
  try {
    function(static_cast<int>(severity), Text(category), Text(logid), Text(location), Text(message));
    done = true;
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable(function);
  }
  inside_callback = false;
  return done;
}

int CheckedSeverity(int severity) {
  if (severity < ORT_LOGGING_LEVEL_VERBOSE || severity > ORT_LOGGING_LEVEL_FATAL) {
    throw std::runtime_error("Invalid logging severity " + std::to_string(severity) +
                             "; use 0 (verbose), 1 (info), 2 (warning), 3 (error) or 4 (fatal)");
  }
  return severity;
}

void SetSeverity(int severity) {
  default_severity = CheckedSeverity(severity);
  if (EnvironmentExists()) {
    Check(Api().UpdateEnvWithCustomLogLevel(Environment(), static_cast<OrtLoggingLevel>(severity)));
  }
}

void SetCallback(const py::object& function, int severity) {
  CheckedSeverity(severity);
  if (!function.is_none() && !PyCallable_Check(function.ptr())) {
    throw std::runtime_error("set_default_logger_callback: the callback must be callable or None, not " +
                             py::repr(function).cast<std::string>());
  }
  if (!function.is_none()) SetSeverity(severity);
  PyObject* old = callback;
  callback = function.is_none() ? nullptr : function.inc_ref().ptr();
  has_callback = callback != nullptr;
  Py_XDECREF(old);
}

}  // namespace

int DefaultSeverity() { return default_severity; }

void LogMessage(void*, OrtLoggingLevel severity, const char* category, const char* logid, const char* code_location,
                const char* message) {
  if (!CallPython(severity, category, logid, code_location, message)) {
    WriteToStandardError(severity, logid, code_location, message);
  }
}

void DefineLogging(py::module_& m) {
  m.def(
      "set_default_logger_severity", &SetSeverity,
      "Sets the severity from which messages are written, of the environment and of sessions made afterwards that have "
      "none of their own. 0:Verbose, 1:Info, 2:Warning, 3:Error, 4:Fatal");
  m.def(
      "set_default_logger_verbosity", [](int) {}, "Has no effect here: verbose messages have no sub-levels.");
  m.def("set_default_logger_callback", &SetCallback, py::arg("callback"), py::arg("severity") = 2,
        "Sends messages of the runtime to callback(severity, category, logid, code_location, message); None sends them "
        "to standard error again. Messages of threads that Python does not know go to standard error.");
}

}  // namespace ortrun::python
