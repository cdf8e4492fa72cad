// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tables are filled noun by noun: each file of this folder fills the slots of its noun, api_tables.cc calls them
// all once. A slot that nobody fills is found by tests/abi.

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/abi/status.h"
#include "onnxruntime_c_api.h"

namespace ortrun::abi {

void FillStatus(OrtApi& api);
void FillEnvironment(OrtApi& api);
void FillThreading(OrtApi& api);
void FillLogger(OrtApi& api);
void FillSessionOptions(OrtApi& api);
void FillSessionProviders(OrtApi& api);
void FillProviderOptions(OrtApi& api);
void FillSession(OrtApi& api);
void FillRun(OrtApi& api);
void FillRunOptions(OrtApi& api);
void FillModelMetadata(OrtApi& api);
void FillIoBinding(OrtApi& api);
void FillValue(OrtApi& api);
void FillStringTensor(OrtApi& api);
void FillSparseTensor(OrtApi& api);
void FillTypeInfo(OrtApi& api);
void FillMemoryInfo(OrtApi& api);
void FillAllocator(OrtApi& api);
void FillKeyValuePairs(OrtApi& api);
void FillKernelInfo(OrtApi& api);
void FillKernelContext(OrtApi& api);
void FillOpAttr(OrtApi& api);
void FillInvokeOp(OrtApi& api);
void FillCustomOps(OrtApi& api);
void FillShapeInference(OrtApi& api);
void FillGraph(OrtApi& api);
void FillNode(OrtApi& api);
void FillValueInfo(OrtApi& api);
void FillDevices(OrtApi& api);
void FillSyncStream(OrtApi& api);
void FillLora(OrtApi& api);
void FillExperimental(OrtApi& api);

void FillEpDevices(OrtEpApi& api);
void FillEpGraphSupport(OrtEpApi& api);
void FillMemoryDevice(OrtEpApi& api);
void FillKernelRegistry(OrtEpApi& api);
void FillOpSchema(OrtEpApi& api);
void FillEpKernels(OrtEpApi& api);
void FillProfilingEvents(OrtEpApi& api);

void FillModelEditor(OrtModelEditorApi& api);
void FillCompile(OrtCompileApi& api);
void FillInterop(OrtInteropApi& api);

/// The tables, filled at the first call. They live as long as the process.
const OrtApi& Api();
const OrtEpApi& EpApi();
const OrtModelEditorApi& ModelEditorApi();
const OrtCompileApi& CompileApi();
const OrtInteropApi& InteropApi();

/// Names ("OrtApi::CreateOpaqueValue") of the slots that answer ORT_NOT_IMPLEMENTED, in the order of their filling,
/// nullptr at the end. Complete once all tables are filled.
const char* const* NotImplementedSlots();

namespace internal {
void AddNotImplementedSlot(const char* name);
OrtStatus* NotImplementedStatus(const char* name) noexcept;

template <size_t kSize>
struct SlotName {
  char text[kSize];
  constexpr SlotName(const char (&name)[kSize]) {  // NOLINT: made from a literal in a template argument
    for (size_t i = 0; i < kSize; ++i) text[i] = name[i];
  }
};

template <SlotName kName, typename... Args>
OrtStatus* AnswerNotImplemented(Args...) noexcept {
  return NotImplementedStatus(kName.text);
}
}  // namespace internal

/// Fills a slot that is not supported: `api.X = NotImplemented<"OrtApi::X">();` makes a function of the slot's own
/// signature that answers ORT_NOT_IMPLEMENTED naming it, and notes the name for NotImplementedSlots.
template <internal::SlotName kName>
struct NotImplemented {
  template <typename... Args>
  using Slot = OrtStatus* (*)(Args...);

  template <typename... Args>
  operator Slot<Args...>() const {  // NOLINT: the conversion is the purpose
    internal::AddNotImplementedSlot(kName.text);
    return &internal::AnswerNotImplemented<kName, Args...>;
  }
};

}  // namespace ortrun::abi
