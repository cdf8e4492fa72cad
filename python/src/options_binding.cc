// SPDX-License-Identifier: Apache-2.0
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "python/src/devices.h"
#include "python/src/lora.h"
#include "python/src/options.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

void DefineProperties(py::class_<SessionOptions>& c) {
  c.def_readwrite("enable_cpu_mem_arena", &SessionOptions::enable_cpu_mem_arena,
                  "Keep memory of the CPU for later runs. Default is true.")
      .def_readwrite("enable_mem_pattern", &SessionOptions::enable_mem_pattern,
                     "Lay the values of a run out in one block, planned once for each set of input shapes; False: each "
                     "takes memory "
                     "as it is made. Default is true.")
      .def_readwrite("enable_mem_reuse", &SessionOptions::enable_mem_reuse,
                     "Let values take the memory of others that nobody reads any more, or whose data they are under "
                     "another shape. "
                     "False: no two values of a run share memory. Default is true.")
      .def_readwrite("enable_profiling", &SessionOptions::enable_profiling,
                     "Write a profile of this session; see end_profiling. Default is false.")
      .def_readwrite("profile_file_prefix", &SessionOptions::profile_file_prefix,
                     "How the profile's file name begins; the time is appended.")
      .def_readwrite("optimized_model_filepath", &SessionOptions::optimized_model_filepath,
                     "Where to write the optimized model; nothing is written when empty. With the config entry "
                     "'ortrun.save.onnxruntime_operators_only' set to '1' it keeps to operators that ONNX Runtime "
                     "has.")
      .def_readwrite("graph_optimization_level", &SessionOptions::graph_optimization_level,
                     "Which passes rewrite the graph. Default is all.")
      .def_readwrite("execution_mode", &SessionOptions::execution_mode,
                     "Has no effect here: nodes run one after another in either mode, since each has all threads of "
                     "the session for its own work.")
      .def_readwrite("execution_order", &SessionOptions::execution_order,
                     "Has no effect here: nodes run in the order of the model, sorted so that each follows those that "
                     "it needs.")
      .def_readwrite("intra_op_num_threads", &SessionOptions::intra_op_num_threads,
                     "Threads that share the work of a node. 0: as many as this process may use.")
      .def_readwrite("inter_op_num_threads", &SessionOptions::inter_op_num_threads,
                     "Has no effect here: nodes run one after another, and intra_op_num_threads says how many threads "
                     "share the work of each.")
      .def_readwrite("log_severity_level", &SessionOptions::log_severity_level,
                     "0:Verbose, 1:Info, 2:Warning, 3:Error, 4:Fatal; -1: the default logger's level.")
      .def_readwrite("log_verbosity_level", &SessionOptions::log_verbosity_level,
                     "Has no effect here: verbose messages have no sub-levels.")
      .def_readwrite("logid", &SessionOptions::logid, "What messages of this session are marked with.")
      .def_readwrite("use_deterministic_compute", &SessionOptions::use_deterministic_compute,
                     "Has no effect here: kernels have one way to compute each result, with or without it.")
      .def_readwrite("use_per_session_threads", &SessionOptions::use_per_session_threads,
                     "False: use the global pool of set_global_thread_pool_sizes. Default is true.");
}

void DefineMethods(py::class_<SessionOptions>& c) {
  c.def("add_session_config_entry", &SessionOptions::AddConfigEntry, "Sets one configuration entry.")
      .def("get_session_config_entry", &SessionOptions::ConfigEntry, "The value of a configuration entry.")
      .def(
          "add_free_dimension_override_by_name",
          [](SessionOptions& self, const std::string& name, int64_t size) { self.AddFreeDimension(name, size, false); },
          "Fixes a named dimension of the inputs.")
      .def(
          "add_free_dimension_override_by_denotation",
          [](SessionOptions& self, const std::string& name, int64_t size) { self.AddFreeDimension(name, size, true); },
          "Fixes the dimensions with a denotation.")
      .def(
          "register_custom_ops_library",
          [](SessionOptions& self, const std::filesystem::path& path) { self.RegisterCustomOps(path.string()); },
          "Loads a library of custom operators.")
      .def(
          "add_initializer", &SessionOptions::AddInitializer,
          "Replaces an initializer, or a constant, by an OrtValue of its type and shape. Where the model keeps it in a "
          "file, the file need not exist.")
      .def("add_external_initializers", &SessionOptions::AddExternalInitializers,
           "Gives initializers whose data lies outside the model, in files that need not exist. Each name must be one "
           "of "
           "the model's.")
      .def(
          "add_external_initializers_from_files_in_memory", &SessionOptions::AddExternalFiles,
          "Gives files of external data that were read into memory, by the names that the model uses. They are copied.")
      .def("add_provider", &SessionOptions::AddProvider, "Adds a provider by name.")
      .def(
          "add_provider_for_devices",
          [](SessionOptions& self, const std::vector<EpDevice>& devices, const StringMap& options) {
            std::vector<const OrtEpDevice*> pointers;
            for (const EpDevice& device : devices) pointers.push_back(device.get());
            self.AddProviderForDevices(pointers, options);
          },
          "Adds the provider of these devices, which must all belong to it.")
      .def("has_providers", &SessionOptions::has_providers, "Whether providers were added.")
      .def("set_provider_selection_policy", &SessionOptions::SetSelectionPolicy,
           "Lets the runtime choose devices by a policy.")
      .def("set_provider_selection_policy_delegate", &SessionOptions::SetSelectionDelegate,
           "Lets delegate(devices, model_metadata, runtime_metadata, max_selections) choose devices.")
      .def("set_load_cancellation_flag", &SessionOptions::SetLoadCancellation,
           "True ends the creation of sessions with these options.")
      .def("__copy__", [](const SessionOptions& self) { return SessionOptions(self); })
      .def("__deepcopy__", [](const SessionOptions& self, const py::dict&) { return SessionOptions(self); })
      .def(py::pickle([](const SessionOptions& self) { return self.State(); },
                      [](const py::dict& state) { return SessionOptions::FromState(state); }));
}

}  // namespace

void DefineSessionOptions(py::module_& m) {
  py::class_<SessionOptions> c(m, "SessionOptions", "Settings of a session.");
  c.def(py::init());
  DefineProperties(c);
  DefineMethods(c);
  m.def("get_default_session_options", [] { return SessionOptions(); });
  m.def("set_seed", &SetRandomSeed,
        "Seed of the random operators without a seed of their own, in sessions made afterwards: the n-th run of each "
        "such "
        "session gives the same numbers. The same as the session configuration entry 'ortrun.random_seed'.");
}

void DefineRunOptions(py::module_& m) {
  py::class_<RunOptions>(m, "RunOptions", "Settings of one run.")
      .def(py::init())
      .def_property(
          "log_severity_level",
          [](const RunOptions& self) {
            int level = 0;
            Check(Api().RunOptionsGetRunLogSeverityLevel(self.handle.get(), &level));
            return level;
          },
          [](RunOptions& self, int level) { Check(Api().RunOptionsSetRunLogSeverityLevel(self.handle.get(), level)); },
          "Has no effect here: messages of a run are written at the session's log_severity_level.")
      .def_property(
          "log_verbosity_level",
          [](const RunOptions& self) {
            int level = 0;
            Check(Api().RunOptionsGetRunLogVerbosityLevel(self.handle.get(), &level));
            return level;
          },
          [](RunOptions& self, int level) { Check(Api().RunOptionsSetRunLogVerbosityLevel(self.handle.get(), level)); },
          "Has no effect here: verbose messages have no sub-levels.")
      .def_property(
          "logid",
          [](const RunOptions& self) {
            const char* tag = nullptr;
            Check(Api().RunOptionsGetRunTag(self.handle.get(), &tag));
            return std::string(tag ? tag : "");
          },
          [](RunOptions& self, const std::string& tag) {
            Check(Api().RunOptionsSetRunTag(self.handle.get(), tag.c_str()));
          },
          "A name for the run. Has no effect here: messages carry the session's logid.")
      .def_property(
          "terminate", [](const RunOptions& self) { return self.terminate; },
          [](RunOptions& self, bool terminate) {
            Check(terminate ? Api().RunOptionsSetTerminate(self.handle.get())
                            : Api().RunOptionsUnsetTerminate(self.handle.get()));
            self.terminate = terminate;
          },
          "True ends the runs that use these options; they fail with a message that says so.")
      .def_property(
          "only_execute_path_to_fetches", [](const RunOptions& self) { return self.only_execute_path_to_fetches; },
          [](RunOptions& self, bool only) {
            Check(Api().AddRunConfigEntry(self.handle.get(), "ortrun.only_execute_path_to_fetches", only ? "1" : "0"));
            self.only_execute_path_to_fetches = only;
          },
          "Only execute the nodes needed by fetch list")
      .def_readwrite("training_mode", &RunOptions::training_mode, "Has no effect here: this runtime infers only.")
      .def(
          "add_run_config_entry",
          [](RunOptions& self, const std::string& key, const std::string& value) {
            Check(Api().AddRunConfigEntry(self.handle.get(), key.c_str(), value.c_str()));
          },
          "Sets one configuration entry of the run.")
      .def(
          "get_run_config_entry",
          [](const RunOptions& self, const std::string& key) {
            const char* value = Api().GetRunConfigEntry(self.handle.get(), key.c_str());
            if (value == nullptr) throw std::runtime_error("RunOptions does not have configuration with key: " + key);
            return std::string(value);
          },
          "The value of a configuration entry.")
      .def("add_active_adapter", [](RunOptions& self, const py::object& adapter) {
        Check(Api().RunOptionsAddActiveLoraAdapter(self.handle.get(), adapter.cast<const LoraAdapter&>().get()));
        self.adapters.push_back(adapter);
      });
}

}  // namespace ortrun::python
