// SPDX-License-Identifier: Apache-2.0
#include <pybind11/stl.h>

#include "python/src/session.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

struct AssignedNode {
  std::string name, domain, op_type;
};

struct AssignedSubgraph {
  std::string ep_name;
  std::vector<AssignedNode> nodes;
};

std::vector<AssignedSubgraph> Assignment(const Session& session) {
  const OrtApi& api = Api();
  const OrtEpAssignedSubgraph* const* subgraphs = nullptr;
  size_t count = 0;
  Check(api.Session_GetEpGraphAssignmentInfo(session.get(), &subgraphs, &count));
  std::vector<AssignedSubgraph> result;
  const char* text = nullptr;
  for (size_t i = 0; i < count; ++i) {
    AssignedSubgraph subgraph;
    Check(api.EpAssignedSubgraph_GetEpName(subgraphs[i], &text));
    subgraph.ep_name = text;
    const OrtEpAssignedNode* const* nodes = nullptr;
    size_t num_nodes = 0;
    Check(api.EpAssignedSubgraph_GetNodes(subgraphs[i], &nodes, &num_nodes));
    for (size_t j = 0; j < num_nodes; ++j) {
      AssignedNode node;
      Check(api.EpAssignedNode_GetName(nodes[j], &text));
      node.name = text;
      Check(api.EpAssignedNode_GetDomain(nodes[j], &text));
      node.domain = text;
      Check(api.EpAssignedNode_GetOperatorType(nodes[j], &text));
      node.op_type = text;
      subgraph.nodes.push_back(std::move(node));
    }
    result.push_back(std::move(subgraph));
  }
  return result;
}

py::list MemoryInfos(const Session& session, size_t count,
                     OrtStatusPtr (*function)(const OrtSession*, const OrtMemoryInfo**, size_t)) {
  std::vector<const OrtMemoryInfo*> infos(count);
  Check(function(session.get(), infos.data(), count));
  const py::object keeper = py::cast(&session);
  py::list result;
  for (const OrtMemoryInfo* info : infos) {
    py::object object = py::cast(MemoryInfo{nullptr, info});
    py::detail::keep_alive_impl(object, keeper);  // the session owns what `info` points to
    result.append(std::move(object));
  }
  return result;
}

py::list InputDevices(const Session& session) {
  std::vector<const OrtEpDevice*> devices(session.inputs().size());
  Check(Api().SessionGetEpDeviceForInputs(session.get(), devices.data(), devices.size()));
  py::list result;
  for (const OrtEpDevice* device : devices) {
    result.append(device ? py::cast(EpDevice(device)) : py::object(py::none()));
  }
  return result;
}

std::string EndProfiling(const Session& session) {
  char* file = nullptr;
  Check(Api().SessionEndProfiling(session.get(), CpuAllocator(), &file));
  return TakeText(file);
}

uint64_t ProfilingStart(const Session& session) {
  uint64_t start = 0;
  Check(Api().SessionGetProfilingStartTimeNs(session.get(), &start));
  return start;
}

std::vector<std::string> ProviderNames(const Session& session) {
  std::vector<std::string> names;
  for (const ProviderChoice& choice : session.providers()) names.push_back(choice.name);
  return names;
}

py::dict ProviderOptions(const Session& session) {
  py::dict result;
  for (const ProviderChoice& choice : session.providers()) result[py::str(choice.name)] = py::cast(choice.options);
  return result;
}

void SetDynamicOptions(const Session& session, const StringMap& options) {
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : options) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  Check(Api().SetEpDynamicOptions(session.get(), keys.data(), values.data(), keys.size()));
}

ValuePtr AllocateForSession(const Session& session, const std::vector<int64_t>& shape, const py::object& type,
                            const Device& device) {
  const ElementType element = FromUserType(type);
  OrtAllocator* made = nullptr;
  Check(Api().CreateAllocator(session.get(), MemoryOf(device), &made));
  const std::shared_ptr<OrtAllocator> allocator(made, [](OrtAllocator* a) { Api().ReleaseAllocator(a); });
  // The tensor's memory goes back to the session's allocator, so the session stays.
  return std::make_shared<Value>(NewTensor(made, shape, element), py::cast(&session));
}

void DefineAssignment(py::module_& m) {
  py::class_<AssignedNode>(m, "OrtEpAssignedNode", "A node of the model that a provider runs.")
      .def_readonly("name", &AssignedNode::name)
      .def_readonly("domain", &AssignedNode::domain)
      .def_readonly("op_type", &AssignedNode::op_type);
  py::class_<AssignedSubgraph>(m, "OrtEpAssignedSubgraph", "Nodes that one provider runs together.")
      .def_readonly("ep_name", &AssignedSubgraph::ep_name)
      .def("get_nodes", [](const AssignedSubgraph& self) { return self.nodes; });
}

}  // namespace

void DefineSession(py::module_& m) {
  DefineAssignment(m);
  py::class_<Session>(m, "InferenceSession",
                      "A session of the runtime; onnxruntime.InferenceSession is made for programs.")
      .def(py::init([](const SessionOptions& options, py::object model, bool is_path, bool) {
             return std::make_unique<Session>(options, std::move(model), is_path);
           }),
           py::arg("options"), py::arg("model"), py::arg("is_path"), py::arg("read_config_from_model") = false)
      .def(
          "initialize_session",
          [](Session& self, const std::vector<std::string>& providers, const std::vector<StringMap>& options,
             const py::iterable& disabled_optimizers) {
            self.Initialize(providers, options, disabled_optimizers.cast<std::vector<std::string>>());
          },
          "Loads the model with these providers.", py::arg("providers"), py::arg("provider_options"),
          py::arg("disabled_optimizers") = py::tuple())
      .def("run", &Session::Run, py::arg("output_names"), py::arg("input_feed"), py::arg("run_options") = nullptr)
      .def("run_with_ort_values", &Session::RunWithValues, py::arg("input_feed"), py::arg("output_names"),
           py::arg("run_options") = nullptr)
      .def("run_with_ortvaluevector", &Session::RunWithVectors)
      .def("run_async", &RunAsync)
      .def("end_profiling", &EndProfiling)
      .def_property_readonly("get_profiling_start_time_ns", &ProfilingStart)
      .def("get_providers", &ProviderNames)
      .def("get_provider_options", &ProviderOptions)
      .def("get_provider_graph_assignment_info", &Assignment)
      .def("set_ep_dynamic_options", &SetDynamicOptions)
      .def("release_captured_graph",
           [](const Session& self, int id) { Check(Api().SessionReleaseCapturedGraph(self.get(), id)); })
      .def("create_ortvalue_from_shape_and_type", &AllocateForSession)
      .def("create_ortvalue_from_shape_and_onnx_type", &AllocateForSession)
      .def_property_readonly("session_options", [](const Session& self) { return SessionOptions(self.options()); })
      .def_property_readonly("inputs_meta", [](const Session& self) { return self.inputs(); })
      .def_property_readonly("outputs_meta", [](const Session& self) { return self.outputs(); })
      .def_property_readonly("overridable_initializers", [](const Session& self) { return self.overridable(); })
      .def_property_readonly("input_meminfos",
                             [](const Session& self) {
                               return MemoryInfos(self, self.inputs().size(), Api().SessionGetMemoryInfoForInputs);
                             })
      .def_property_readonly("output_meminfos",
                             [](const Session& self) {
                               return MemoryInfos(self, self.outputs().size(), Api().SessionGetMemoryInfoForOutputs);
                             })
      .def_property_readonly("input_epdevices", &InputDevices);
}

}  // namespace ortrun::python
