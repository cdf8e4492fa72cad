// SPDX-License-Identifier: Apache-2.0
#include "python/src/session.h"

#include "core/base/nearest.h"
#include "python/src/errors.h"
#include "python/src/gil.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

using CountFunction = OrtStatusPtr (*)(const OrtSession*, size_t*);
using NameFunction = OrtStatusPtr (*)(const OrtSession*, size_t, OrtAllocator*, char**);
using TypeFunction = OrtStatusPtr (*)(const OrtSession*, size_t, OrtTypeInfo**);

std::vector<NodeArg> ReadArgs(const OrtSession* session, CountFunction count_of, NameFunction name_of,
                              TypeFunction type_of) {
  size_t count = 0;
  Check(count_of(session, &count));
  std::vector<NodeArg> args;
  args.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    Check(name_of(session, i, CpuAllocator(), &name));
    const auto type = Make<OrtTypeInfo>(type_of, session, i);
    args.push_back({TakeText(name), ReadType(type.get())});
  }
  return args;
}

// Interned, so that the literal in a program is the same object and is found without a comparison.
void Index(py::dict& index, const std::string& name) {
  PyObject* text = PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
  if (text == nullptr) throw py::error_already_set();
  PyUnicode_InternInPlace(&text);
  const auto key = py::reinterpret_steal<py::object>(text);
  index[key] = py::int_(py::len(index));
}

Py_ssize_t Find(const py::dict& index, PyObject* name) {
  PyObject* found = PyDict_GetItemWithError(index.ptr(), name);
  if (found != nullptr) return PyLong_AsSsize_t(found);
  if (PyErr_Occurred()) throw py::error_already_set();
  return -1;
}

}  // namespace

Session::Session(const SessionOptions& options, py::object model, bool is_path)
    : options_(options), model_(std::move(model)), is_path_(is_path) {
  if (is_path_ ? !PyUnicode_Check(model_.ptr()) : !PyBytes_Check(model_.ptr())) {
    throw py::type_error("Unable to load from type '" + py::str(py::type::of(model_)).cast<std::string>() + "'");
  }
}

Session::~Session() {
  if (handle_ == nullptr) return;
  const ReleaseGil released;  // waits for the session's threads, which may log through Python
  Api().ReleaseSession(handle_);
}

OrtSession* Session::get() const {
  if (handle_ == nullptr) throw std::runtime_error("the session is not initialized; call initialize_session first");
  return handle_;
}

void Session::Initialize(const std::vector<std::string>& providers, const std::vector<StringMap>& provider_options,
                         const std::vector<std::string>& disabled_optimizers) {
  if (handle_ != nullptr) throw std::runtime_error("the session is already initialized");
  std::vector<ProviderChoice> chosen;
  for (size_t i = 0; i < providers.size(); ++i) {
    chosen.push_back({providers[i], i < provider_options.size() ? provider_options[i] : StringMap(), {}});
  }
  providers_ = chosen.empty() ? options_.providers() : chosen;
  OrtEnv* environment = Environment();
  const auto options = options_.ForSession(chosen);
  if (!disabled_optimizers.empty()) {
    std::string names;
    for (const std::string& name : disabled_optimizers) names += (names.empty() ? "" : ";") + name;
    Check(Api().AddSessionConfigEntry(options.get(), "optimization.disable_specified_optimizers", names.c_str()));
  }
  if (is_path_) {
    const auto path = model_.cast<std::string>();
    const ReleaseGil released;
    Check(Api().CreateSession(environment, path.c_str(), options.get(), &handle_));
  } else {
    const char* data = PyBytes_AS_STRING(model_.ptr());
    const auto size = static_cast<size_t>(PyBytes_GET_SIZE(model_.ptr()));
    const ReleaseGil released;
    Check(Api().CreateSessionFromArray(environment, data, size, options.get(), &handle_));
  }
  ReadNames();
}

void Session::ReadNames() {
  const OrtApi& api = Api();
  inputs_ = ReadArgs(handle_, api.SessionGetInputCount, api.SessionGetInputName, api.SessionGetInputTypeInfo);
  outputs_ = ReadArgs(handle_, api.SessionGetOutputCount, api.SessionGetOutputName, api.SessionGetOutputTypeInfo);
  overridable_ = ReadArgs(handle_, api.SessionGetOverridableInitializerCount, api.SessionGetOverridableInitializerName,
                          api.SessionGetOverridableInitializerTypeInfo);
  for (const NodeArg& arg : inputs_) {
    Index(feed_index_, arg.name);
    if (!arg.type.optional) ++required_inputs_;
  }
  for (const NodeArg& arg : overridable_) Index(feed_index_, arg.name);
  for (const NodeArg& arg : outputs_) Index(output_index_, arg.name);
}

Py_ssize_t Session::FeedIndex(PyObject* name) const { return Find(feed_index_, name); }
Py_ssize_t Session::OutputIndex(PyObject* name) const { return Find(output_index_, name); }

std::vector<size_t> Session::WantedOutputs(const py::object& output_names) const {
  std::vector<size_t> wanted;
  if (output_names.is_none() || (!PyUnicode_Check(output_names.ptr()) && py::len(output_names) == 0)) {
    wanted.resize(outputs_.size());
    for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
    return wanted;
  }
  if (PyUnicode_Check(output_names.ptr()) || !PySequence_Check(output_names.ptr())) {
    throw py::type_error("output_names must be a list of str or None, not " +
                         py::repr(py::type::of(output_names)).cast<std::string>());
  }
  std::string unknown;
  for (const py::handle name : output_names) {
    if (!PyUnicode_Check(name.ptr())) {
      throw py::type_error("output_names must hold str, not " +
                           py::repr(py::type::handle_of(name)).cast<std::string>());
    }
    const Py_ssize_t index = OutputIndex(name.ptr());
    if (index >= 0) {
      wanted.push_back(static_cast<size_t>(index));
      continue;
    }
    std::vector<std::string> known;
    for (const NodeArg& arg : outputs_) known.push_back(arg.name);
    const auto text = name.cast<std::string>();
    unknown += (unknown.empty() ? "" : "; ") + ("Invalid output name: " + Shortened(text)) + Hint(text, known);
  }
  if (!unknown.empty()) throw StatusError(ORT_INVALID_ARGUMENT, unknown);
  return wanted;
}

}  // namespace ortrun::python
