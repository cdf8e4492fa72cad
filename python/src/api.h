// SPDX-License-Identifier: Apache-2.0
#pragma once

// The way from the binding to the runtime: its C tables, loaded from the file that lies beside this module.
// Nothing of this header needs the GIL unless it says so.

#include <memory>
#include <string>

#include "onnxruntime_c_api.h"

namespace ortrun::python {

/// Loads the runtime's library on the first call; throws pybind11::import_error that names the folder and what is
/// there.
void LoadRuntime();

const OrtApiBase& ApiBase();
const OrtApi& Api();

/// The file that LoadRuntime opened.
const std::string& RuntimePath();

/// The process's environment, made on first use and never released: values and sessions may outlive the interpreter.
OrtEnv* Environment();
bool EnvironmentExists();

/// What the environment is made with; ORT_FAIL once it exists.
struct ThreadPoolSizes {
  int intra_op = 0;
  int inter_op = 0;
};
void SetGlobalThreadPools(ThreadPoolSizes sizes);

/// Throws StatusError (errors.h) and releases the status unless it is nullptr.
void Check(OrtStatus* status);

/// The default allocator and the memory it serves; owned by the runtime.
OrtAllocator* CpuAllocator();
const OrtMemoryInfo* CpuMemory();

/// Says that a value's memory must not be written, and asks it; where the runtime does not offer this, nothing is said.
void MarkReadOnly(OrtValue* value);
bool IsReadOnly(const OrtValue* value);

/// Copies a text made with CpuAllocator() and frees it.
std::string TakeText(char* text);

struct Releaser {
  void operator()(OrtValue* p) const { Api().ReleaseValue(p); }
  void operator()(OrtStatus* p) const { Api().ReleaseStatus(p); }
  void operator()(OrtTypeInfo* p) const { Api().ReleaseTypeInfo(p); }
  void operator()(OrtTensorTypeAndShapeInfo* p) const { Api().ReleaseTensorTypeAndShapeInfo(p); }
  void operator()(OrtSessionOptions* p) const { Api().ReleaseSessionOptions(p); }
  void operator()(OrtRunOptions* p) const { Api().ReleaseRunOptions(p); }
  void operator()(OrtMemoryInfo* p) const { Api().ReleaseMemoryInfo(p); }
  void operator()(OrtArenaCfg* p) const { Api().ReleaseArenaCfg(p); }
  void operator()(OrtIoBinding* p) const { Api().ReleaseIoBinding(p); }
  void operator()(OrtModelMetadata* p) const { Api().ReleaseModelMetadata(p); }
  void operator()(OrtSyncStream* p) const { Api().ReleaseSyncStream(p); }
  void operator()(OrtKeyValuePairs* p) const { Api().ReleaseKeyValuePairs(p); }
  void operator()(OrtThreadingOptions* p) const { Api().ReleaseThreadingOptions(p); }
  void operator()(OrtLoraAdapter* p) const { Api().ReleaseLoraAdapter(p); }
  void operator()(OrtExternalInitializerInfo* p) const { Api().ReleaseExternalInitializerInfo(p); }
};

template <typename T>
using Owned = std::unique_ptr<T, Releaser>;

/// Calls a C function whose last argument receives a new object: Make<OrtValue>(api.CreateX, a, b).
template <typename T, typename Function, typename... Args>
Owned<T> Make(Function function, Args... args) {
  T* made = nullptr;
  Check(function(args..., &made));
  return Owned<T>(made);
}

}  // namespace ortrun::python
