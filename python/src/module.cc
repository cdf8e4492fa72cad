// SPDX-License-Identifier: Apache-2.0
// onnxruntime.capi.onnxruntime_pybind11_state.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "core/base/nearest.h"
#include "python/src/api.h"
#include "python/src/devices.h"
#include "python/src/enums.h"
#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/logging.h"
#include "python/src/lora.h"
#include "python/src/options.h"
#include "python/src/session.h"
#include "python/src/sparse.h"
#include "python/src/tools.h"
#include "python/src/type_info.h"
#include "python/src/value.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

// Programs ask whether a name is in this list; the order is that of ONNX Runtime.
constexpr const char* kKnownProviders[] = {
    "TensorrtExecutionProvider", "CUDAExecutionProvider",    "MIGraphXExecutionProvider", "OpenVINOExecutionProvider",
    "DnnlExecutionProvider",     "VitisAIExecutionProvider", "QNNExecutionProvider",      "NnapiExecutionProvider",
    "VSINPUExecutionProvider",   "JsExecutionProvider",      "CoreMLExecutionProvider",   "DmlExecutionProvider",
    "RknpuExecutionProvider",    "WebNNExecutionProvider",   "WebGpuExecutionProvider",   "XnnpackExecutionProvider",
    "CANNExecutionProvider",     "AzureExecutionProvider",   "CPUExecutionProvider"};

std::vector<std::string> AvailableProviders() {
  Environment();  // providers are discovered when it is made
  const ReleaseGil released;
  char** names = nullptr;
  int count = 0;
  Check(Api().GetAvailableProviders(&names, &count));
  std::vector<std::string> result(names, names + count);
  Check(Api().ReleaseAvailableProviders(names, count));
  // Providers of libraries that the program registered.
  for (const OrtEpDevice* device : EpDevices()) {
    const std::string name = Api().EpDevice_EpName(device);
    if (std::find(result.begin(), result.end(), name) == result.end()) result.push_back(name);
  }
  return result;
}

std::vector<std::string> AllProviders() {
  std::vector<std::string> result(std::begin(kKnownProviders), std::end(kKnownProviders));
  const std::vector<std::string> available = AvailableProviders();
  for (auto name = available.rbegin(); name != available.rend(); ++name) {
    if (std::find(result.begin(), result.end(), *name) == result.end()) result.insert(result.begin(), *name);
  }
  return result;
}

// "GPU" where a provider serves one, as programs that pick a device expect.
std::string DeviceKind() {
  for (const OrtEpDevice* device : EpDevices()) {
    if (Api().HardwareDevice_Type(Api().EpDevice_Device(device)) == OrtHardwareDeviceType_GPU) return "GPU";
  }
  return "CPU";
}

void DefineFunctions(py::module_& m) {
  m.def(
      "get_version_string", [] { return std::string(ApiBase().GetVersionString()); }, "The runtime's version.");
  m.def(
      "get_build_info", [] { return std::string(Api().GetBuildInfoString()); }, "How the runtime was built.");
  m.def("get_device", &DeviceKind, "Return the device used to compute the prediction (CPU, GPU)");
  m.def("get_available_providers", &AvailableProviders,
        "Return list of available Execution Providers in this installed version. The order of elements represents the "
        "default priority order of Execution Providers from highest to lowest.");
  m.def("get_all_providers", &AllProviders,
        "Return list of Execution Providers that this version can know. The order of elements represents the default "
        "priority order of Execution Providers from highest to lowest.");
  m.def("has_collective_ops", [] { return false; });
  m.def(
      "enable_telemetry_events", [] {}, "Succeeds; this runtime has no telemetry.");
  m.def(
      "disable_telemetry_events", [] {}, "Succeeds; this runtime has no telemetry.");
  m.def(
      "set_global_thread_pool_sizes",
      [](int intra, int inter) {
        if (intra < 0 || inter < 0) throw std::runtime_error("thread pool sizes cannot be negative");
        SetGlobalThreadPools({intra, inter});
      },
      "Makes one pool for all sessions with use_per_session_threads = False. Call it before anything else.",
      py::arg("intra_op_num_threads") = 0, py::arg("inter_op_num_threads") = 0);
  m.def("nearest_name", &Nearest, "The nearest of the known names, '' when none is near.");
}

}  // namespace
}  // namespace ortrun::python

PYBIND11_MODULE(onnxruntime_pybind11_state, m) {
  using namespace ortrun::python;  // NOLINT: the macro opens a function outside the namespace
  m.doc() = "The runtime's C interface for Python.";
  LoadRuntime();
  DefineErrors(m);
  DefineEnums(m);
  DefineLogging(m);
  DefineNodeArg(m);
  DefineDevices(m);
  DefineEpDevices(m);
  DefineValue(m);
  DefineSparseTensor(m);
  DefineLoraAdapter(m);
  DefineSessionOptions(m);
  DefineRunOptions(m);
  DefineSession(m);
  DefineModelMetadata(m);
  DefineBinding(m);
  DefineTools(m);
  DefineFunctions(m);
  py::module_::import("atexit").attr("register")(py::cpp_function(&WaitForAsyncRuns));
}
