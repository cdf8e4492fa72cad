// SPDX-License-Identifier: Apache-2.0
#include <string_view>
#include <utility>
#include <vector>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/kernel_context.h"
#include "core/execution/session.h"
#include "core/graph/model_description.h"
#include "core/providers/environment.h"
#include "ortrun/kernel_call.h"
#include "ortrun/output_value.h"
#include "ortrun/tools.h"

namespace ortrun::abi {
namespace {

// The way into a kernel call that every kernel of the cpu provider takes: no checks that the caller cannot get wrong.

const OrtrunTensor* const* Inputs(const OrtKernelContext* context, size_t* count) {
  *count = context->views.size();
  return context->views.data();
}

OrtStatus* Output(OrtKernelContext* context, size_t index, const int64_t* shape, size_t rank,
                  const OrtrunTensor** out) {
  try {
    const OrtValue* value = context->Output(index, shape, rank);
    *out = value == nullptr ? nullptr : &value->tensor();
    return nullptr;
  } catch (...) {
    *out = nullptr;
    return StatusOfException();
  }
}

OrtStatus* Scratch(OrtKernelContext* context, size_t bytes, void** out) {
  try {
    *out = context->Scratch(bytes);
    return nullptr;
  } catch (...) {
    *out = nullptr;
    return StatusOfException();
  }
}

size_t Concurrency(const OrtKernelContext* context) { return context->Concurrency(); }

void ParallelFor(const OrtKernelContext* context, size_t blocks, void (*fn)(void* arg, size_t block), void* arg) {
  context->ParallelFor(blocks, fn, arg);
}

constexpr OrtrunKernelCallApi kKernelCallApi = {1, Inputs, Output, Scratch, Concurrency, ParallelFor};

const OrtrunKernelCallApi* GetKernelCallApi(uint32_t version) { return version == 1 ? &kKernelCallApi : nullptr; }

OrtStatus* SetValue(OrtKernelContext* context, size_t index, const OrtValue* value) {
  return Guard({{"context", context}},
               [&] { context->SetOutput(index, value == nullptr ? OrtValue::None() : *value); });
}

OrtStatus* SetSequence(OrtKernelContext* context, size_t index, const OrtValue* const* elements, size_t count) {
  return Guard({{"context", context}}, [&] {
    std::vector<OrtValue> values;
    values.reserve(count);
    for (size_t i = 0; i < count; ++i) values.push_back(*elements[i]);
    context->SetOutput(index, OrtValue::Sequence(std::move(values)));
  });
}

constexpr OrtrunOutputValueApi kOutputValueApi = {1, SetSequence, SetValue};

const OrtrunOutputValueApi* GetOutputValueApi(uint32_t version) { return version == 1 ? &kOutputValueApi : nullptr; }

OrtStatus* ListProviders(OrtEnv* env, OrtAllocator* allocator, char** json) {
  return Guard({{"env", env}, {"allocator", allocator}, {"json", json}},
               [&] { *json = CopyText(allocator, env->ListProviders()); });
}

OrtStatus* ExplainSession(const OrtSession* session, OrtAllocator* allocator, char** json) {
  return Guard({{"session", session}, {"allocator", allocator}, {"json", json}},
               [&] { *json = CopyText(allocator, session->Explain()); });
}

OrtStatus* DescribeModelFile(OrtEnv* env, const char* path, OrtAllocator* allocator, char** json) {
  return Guard({{"env", env}, {"path", path}, {"allocator", allocator}, {"json", json}},
               [&] { *json = CopyText(allocator, DescribeModel(path)); });
}

OrtStatus* SessionCounters(const OrtSession* session, OrtAllocator* allocator, char** json) {
  return Guard({{"session", session}, {"allocator", allocator}, {"json", json}},
               [&] { *json = CopyText(allocator, session->Counters()); });
}

OrtStatus* MarkReadOnly(OrtValue* value) {
  return Guard({{"value", value}}, [&] { value->MarkReadOnly(); });
}

OrtStatus* IsReadOnly(const OrtValue* value, int* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = value->read_only() ? 1 : 0; });
}

OrtExperimentalFnPtr GetExperimentalFunction(const char* name) {
  struct Named {
    std::string_view name;
    OrtExperimentalFnPtr function;
  };
  static const Named functions[] = {
      {ORTRUN_KERNEL_CALL_API, reinterpret_cast<OrtExperimentalFnPtr>(&GetKernelCallApi)},  // NOLINT: functions are
      {ORTRUN_OUTPUT_VALUE_API, reinterpret_cast<OrtExperimentalFnPtr>(&GetOutputValueApi)},
      {ORTRUN_LIST_PROVIDERS, reinterpret_cast<OrtExperimentalFnPtr>(&ListProviders)},      // NOLINT: handed out by
      {ORTRUN_EXPLAIN_SESSION, reinterpret_cast<OrtExperimentalFnPtr>(&ExplainSession)},    // NOLINT: name, under
      {ORTRUN_DESCRIBE_MODEL, reinterpret_cast<OrtExperimentalFnPtr>(&DescribeModelFile)},  // NOLINT: one pointer
      {ORTRUN_SESSION_COUNTERS, reinterpret_cast<OrtExperimentalFnPtr>(&SessionCounters)},  // NOLINT: type
      {ORTRUN_MARK_READ_ONLY, reinterpret_cast<OrtExperimentalFnPtr>(&MarkReadOnly)},       // NOLINT
      {ORTRUN_IS_READ_ONLY, reinterpret_cast<OrtExperimentalFnPtr>(&IsReadOnly)},           // NOLINT
  };
  if (name == nullptr) return nullptr;
  for (const Named& function : functions)
    if (function.name == name) return function.function;
  return nullptr;
}

}  // namespace

void FillExperimental(OrtApi& api) { api.GetExperimentalFunction = GetExperimentalFunction; }

}  // namespace ortrun::abi
