// SPDX-License-Identifier: Apache-2.0
#pragma once

// What Python calls C.InferenceSession. A session never changes once it is initialized, so that any number of threads
// may run it; methods need the GIL and release it while the runtime works.

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "python/src/devices.h"
#include "python/src/errors.h"
#include "python/src/options.h"
#include "python/src/type_info.h"
#include "python/src/value.h"

namespace ortrun::python {

class Session {
 public:
  /// `model` is a path (str) or the bytes of a model; bytes are read only while the session is initialized.
  Session(const SessionOptions& options, pybind11::object model, bool is_path);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Reads and prepares the model with these providers in this order.
  void Initialize(const std::vector<std::string>& providers, const std::vector<StringMap>& provider_options,
                  const std::vector<std::string>& disabled_optimizers);

  /// The session of the C interface; std::runtime_error before Initialize.
  OrtSession* get() const;

  pybind11::list Run(const pybind11::object& output_names, const pybind11::object& feed, const RunOptions* options);
  ValueVector RunWithValues(const pybind11::dict& feed, const pybind11::object& output_names,
                            const RunOptions* options);
  void RunWithVectors(const RunOptions* options, const std::vector<std::string>& feed_names, const ValueVector& feeds,
                      const std::vector<std::string>& fetch_names, ValueVector& fetches,
                      const std::vector<Device>& fetch_devices);

  const SessionOptions& options() const { return options_; }
  const std::vector<NodeArg>& inputs() const { return inputs_; }
  const std::vector<NodeArg>& outputs() const { return outputs_; }
  const std::vector<NodeArg>& overridable() const { return overridable_; }
  const std::vector<ProviderChoice>& providers() const { return providers_; }

  /// Position of a name among inputs and then overridable initializers, or among outputs; -1 for an unknown one.
  Py_ssize_t FeedIndex(PyObject* name) const;
  Py_ssize_t OutputIndex(PyObject* name) const;
  const NodeArg& FeedArg(size_t index) const {
    return index < inputs_.size() ? inputs_[index] : overridable_[index - inputs_.size()];
  }

  /// Positions of the wanted outputs: all for None or an empty sequence. TypeError for what is not a sequence of str,
  /// InvalidArgument for unknown names.
  std::vector<size_t> WantedOutputs(const pybind11::object& output_names) const;

 private:
  friend struct Feed;

  void ReadNames();

  SessionOptions options_;
  pybind11::object model_;
  bool is_path_;
  OrtSession* handle_ = nullptr;
  std::vector<ProviderChoice> providers_;
  std::vector<NodeArg> inputs_;
  std::vector<NodeArg> outputs_;
  std::vector<NodeArg> overridable_;
  pybind11::dict feed_index_;
  pybind11::dict output_index_;
  size_t required_inputs_ = 0;
  size_t tensor_outputs_ = 0;
};

/// The inputs of one run in the form that C takes. Names belong to the session, values to `values` or the feed's
/// objects.
struct Feed {
  std::vector<const char*> names;
  std::vector<const OrtValue*> pointers;
  std::vector<InputValue> values;
  bool complete = false;  ///< no required input is missing; a run may need fewer

  /// Throws InvalidArgument, or ValueError when an input is missing too, for wrong inputs; says all that is wrong.
  void Add(const Session& session, const pybind11::dict& feed);
};

/// A dict from what users give as a feed; TypeError for what is no mapping.
pybind11::dict AsFeedDict(const pybind11::object& feed);

/// Finds everything that is wrong with the inputs and throws it as one error; returns where nothing is.
void ExplainFeed(const Session& session, const pybind11::dict& feed);

/// Only the runtime knows which inputs the wanted outputs need. Says what is missing when it does.
template <typename Call>
void CallWithMissing(const Session& session, const pybind11::dict& feed, bool complete, const Call& call) {
  if (complete) return call();
  try {
    call();
  } catch (const StatusError& error) {
    if (std::string_view(error.what()).find("Missing Input") != std::string_view::npos) ExplainFeed(session, feed);
    throw;
  }
}

void RunAsync(const pybind11::object& session, const pybind11::object& output_names, const pybind11::object& feed,
              pybind11::object callback, pybind11::object user_data, const pybind11::object& options);

/// Returns when the callbacks of all asynchronous runs have returned.
void WaitForAsyncRuns();

void DefineSession(pybind11::module_& m);
void DefineModelMetadata(pybind11::module_& m);
void DefineBinding(pybind11::module_& m);

/// "name: did you mean 'x'?" or the known names.
std::string Hint(const std::string& name, const std::vector<std::string>& known);

}  // namespace ortrun::python
