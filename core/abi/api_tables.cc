// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <mutex>
#include <string_view>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/abi/session_providers.h"

namespace ortrun::abi {
namespace {

struct Tables {
  OrtApi api{};
  OrtEpApi ep{};
  OrtModelEditorApi model_editor{};
  OrtCompileApi compile{};
  OrtInteropApi interop{};

  Tables() {
    for (const auto fill : {FillStatus,
                            FillEnvironment,
                            FillThreading,
                            FillLogger,
                            FillSessionOptions,
                            FillSessionProviders,
                            FillProviderOptions,
                            FillSession,
                            FillRun,
                            FillRunOptions,
                            FillModelMetadata,
                            FillIoBinding,
                            FillValue,
                            FillStringTensor,
                            FillSparseTensor,
                            FillTypeInfo,
                            FillMemoryInfo,
                            FillAllocator,
                            FillKeyValuePairs,
                            FillKernelInfo,
                            FillKernelContext,
                            FillOpAttr,
                            FillInvokeOp,
                            FillCustomOps,
                            FillShapeInference,
                            FillGraph,
                            FillNode,
                            FillValueInfo,
                            FillDevices,
                            FillSyncStream,
                            FillLora,
                            FillExperimental})
      fill(api);
    for (const auto fill : {FillEpDevices, FillEpGraphSupport, FillMemoryDevice, FillKernelRegistry, FillOpSchema,
                            FillEpKernels, FillProfilingEvents})
      fill(ep);
    FillModelEditor(model_editor);
    FillCompile(compile);
    FillInterop(interop);
    api.GetEpApi = []() noexcept { return &EpApi(); };
    api.GetModelEditorApi = []() noexcept { return &ModelEditorApi(); };
    api.GetCompileApi = []() noexcept { return &CompileApi(); };
    api.GetInteropApi = []() noexcept { return &InteropApi(); };
    api.GetBuildInfoString = []() noexcept { return "ORT Build Info: ortrun " ORTRUN_VERSION; };
  }
};

const Tables& AllTables() {
  static const Tables* const tables = new Tables();  // callers keep pointers for the life of the process
  return *tables;
}

// Names are noted while the tables are filled, once; the array is larger than all tables together have slots.
constexpr size_t kMaxSlots = 1024;
const char* not_implemented[kMaxSlots + 1] = {};
std::atomic<size_t> not_implemented_count{0};

const OrtApi* GetApi(uint32_t version) noexcept {
  return version >= 1 && version <= ORT_API_VERSION ? &AllTables().api : nullptr;
}

const char* GetVersionString() noexcept { return ORTRUN_VERSION; }

constexpr OrtApiBase kBase = {GetApi, GetVersionString};

}  // namespace

const OrtApi& Api() { return AllTables().api; }
const OrtEpApi& EpApi() { return AllTables().ep; }
const OrtModelEditorApi& ModelEditorApi() { return AllTables().model_editor; }
const OrtCompileApi& CompileApi() { return AllTables().compile; }
const OrtInteropApi& InteropApi() { return AllTables().interop; }

const char* const* NotImplementedSlots() {
  AllTables();
  return not_implemented;
}

namespace internal {

void AddNotImplementedSlot(const char* name) {
  const size_t index = not_implemented_count.fetch_add(1);
  if (index < kMaxSlots) not_implemented[index] = name;
}

OrtStatus* NotImplementedStatus(const char* name) noexcept {
  return Guard(
      {}, [&] { throw Error(ORT_NOT_IMPLEMENTED, Concat(name, " is not implemented by ortrun")); }, name);
}

}  // namespace internal
}  // namespace ortrun::abi

extern "C" {

ORT_EXPORT const OrtApiBase* OrtGetApiBase() { return &ortrun::abi::kBase; }

ORT_EXPORT OrtStatus* OrtSessionOptionsAppendExecutionProvider_CPU(OrtSessionOptions* options, int use_arena) {
  return ortrun::abi::Guard({{"options", options}}, [&] {
    options->cpu_arena = use_arena != 0;
    ortrun::abi::RequestProvider(*options, "CPU", {});
  });
}
}
