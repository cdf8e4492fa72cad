// SPDX-License-Identifier: Apache-2.0
#include "python/src/tools.h"

#include <pybind11/stl/filesystem.h>
#include <filesystem>

#include "ortrun/tools.h"
#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/session.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

template <typename Function>
Function Find(const char* name) {
  const OrtExperimentalFnPtr found = Api().GetExperimentalFunction(name);
  if (found == nullptr) {
    throw StatusError(ORT_NOT_IMPLEMENTED, std::string("the runtime ") + RuntimePath() + " (version " +
                                               ApiBase().GetVersionString() + ") does not offer " + name);
  }
  return reinterpret_cast<Function>(found);
}

std::string ListProviders() {
  const auto function = Find<OrtrunListProvidersFn>(ORTRUN_LIST_PROVIDERS);
  OrtEnv* environment = Environment();
  const ReleaseGil released;
  char* json = nullptr;
  Check(function(environment, CpuAllocator(), &json));
  return TakeText(json);
}

std::string DescribeModel(const std::filesystem::path& path) {
  const auto function = Find<OrtrunDescribeModelFn>(ORTRUN_DESCRIBE_MODEL);
  OrtEnv* environment = Environment();
  const ReleaseGil released;
  char* json = nullptr;
  Check(function(environment, path.c_str(), CpuAllocator(), &json));
  return TakeText(json);
}

using SessionFunction = OrtStatus* (*)(const OrtSession*, OrtAllocator*, char**);

std::string AskSession(const Session& session, const char* name) {
  const auto function = Find<SessionFunction>(name);
  OrtSession* handle = session.get();
  const ReleaseGil released;
  char* json = nullptr;
  Check(function(handle, CpuAllocator(), &json));
  return TakeText(json);
}

}  // namespace

void DefineTools(py::module_& parent) {
  py::module_ m =
      parent.def_submodule("ortrun_tools", "What ortrun tells beyond the interface of ONNX Runtime, as JSON.");
  m.def("list_providers", &ListProviders);
  m.def("describe_model", &DescribeModel);
  m.def("explain_session", [](const Session& session) { return AskSession(session, ORTRUN_EXPLAIN_SESSION); });
  m.def("session_counters", [](const Session& session) { return AskSession(session, ORTRUN_SESSION_COUNTERS); });
  m.def("runtime_path", [] { return RuntimePath(); });
  m.def("has", [](const std::string& name) { return Api().GetExperimentalFunction(name.c_str()) != nullptr; });
}

}  // namespace ortrun::python
