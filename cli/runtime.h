// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/nearest.h"
#include "onnxruntime_c_api.h"
#include "ortrun/error.h"

namespace ortrun::cli {

/// Exit codes that scripts can rely on.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,      ///< the run, or something that should not happen
  kUsage = 2,       ///< the command line
  kNoModel = 3,     ///< the model file is missing or is no valid model
  kNoProvider = 4,  ///< a provider is not available, or none can run a node
  kBadInput = 5,    ///< an input is missing or does not fit
};

/// An error with the exit code it leads to.
class CliError : public std::runtime_error {
 public:
  CliError(ExitCode code, const std::string& message) : std::runtime_error(message), exit_code(code) {}
  ExitCode exit_code;
};

template <typename T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

using Value = Handle<OrtValue>;
using Session = Handle<OrtSession>;

/// The runtime as the command line sees it: its tables, one environment, and handles that release themselves.
class Runtime {
 public:
  explicit Runtime(OrtLoggingLevel severity);

  const OrtApi& api() const { return *api_; }
  OrtEnv* env() const { return env_.get(); }
  OrtAllocator* allocator() const { return allocator_; }
  void Check(OrtStatus* status) const { ThrowOnError(*api_, status); }

  /// Calls a text-answering function of ortrun/tools.h.
  template <typename Fn, typename... Args>
  std::string Tell(const char* name, Args... args) const {
    auto fn = reinterpret_cast<Fn>(api_->GetExperimentalFunction(name));  // NOLINT: the interface is a function by name
    if (fn == nullptr) throw CliError(kFailed, std::string("this runtime does not offer ") + name);
    char* text = nullptr;
    Check(fn(args..., allocator_, &text));
    std::string copy(text);
    allocator_->Free(allocator_, text);
    return copy;
  }

  Value MakeValue(OrtValue* value) const { return Value(value, api_->ReleaseValue); }

 private:
  const OrtApi* api_;
  Handle<OrtEnv> env_;
  OrtAllocator* allocator_ = nullptr;
};

/// What decides how a session is made, from the command line.
struct SessionRequest {
  std::string model;
  std::vector<std::string> providers;  ///< empty: the runtime's own choice
  std::vector<std::pair<std::string, int64_t>> dimensions;
  std::vector<std::pair<std::string, std::string>> config;
  std::string profile;               ///< prefix of the trace file, empty: none
  OrtLoggingFunction log = nullptr;  ///< nullptr: log lines go where they always go
  void* log_to = nullptr;
  int threads = 0;
  int optimization = ORT_ENABLE_ALL;
};

Session OpenSession(const Runtime& runtime, const SessionRequest& request);

/// One input or output as the model declares it.
struct Slot {
  std::string name;
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  bool has_shape = false;
  std::vector<int64_t> shape;        ///< -1: free
  std::vector<std::string> symbols;  ///< names of free dimensions
};
std::vector<Slot> Inputs(const Runtime& runtime, const OrtSession* session);
std::vector<Slot> Outputs(const Runtime& runtime, const OrtSession* session);

/// "float32[1,3,N]" for people.
std::string Describe(const Slot& slot);

}  // namespace ortrun::cli
