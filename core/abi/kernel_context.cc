// SPDX-License-Identifier: Apache-2.0
#include "core/execution/kernel_context.h"

#include "core/abi/allocator.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/stream.h"

namespace ortrun::abi {
namespace {

OrtStatus* KernelContext_GetInputCount(const OrtKernelContext* context, size_t* out) {
  return Guard({{"context", context}, {"out", out}}, [&] { *out = context->InputCount(); });
}

OrtStatus* KernelContext_GetOutputCount(const OrtKernelContext* context, size_t* out) {
  return Guard({{"context", context}, {"out", out}}, [&] { *out = context->OutputCount(); });
}

OrtStatus* KernelContext_GetInput(const OrtKernelContext* context, size_t index, const OrtValue** out) {
  return Guard({{"context", context}, {"out", out}}, [&] {
    Require(index < context->inputs.size(), "KernelContext_GetInput: the node has no input ", index);
    *out = context->inputs[index];
  });
}

OrtStatus* KernelContext_GetOutput(OrtKernelContext* context, size_t index, const int64_t* dim_values, size_t dim_count,
                                   OrtValue** out) {
  return Guard({{"context", context}, {"out", out}}, [&] {
    Require(index < context->OutputCount(), "KernelContext_GetOutput: the node has no output ", index);
    *out = context->Output(index, dim_values, dim_count);
  });
}

OrtStatus* KernelContext_GetPreallocatedOutput(const OrtKernelContext* context, size_t output_index,
                                               OrtValue** output) {
  return Guard({{"context", context}, {"output", output}}, [&] {
    *output = const_cast<OrtKernelContext*>(context)->PreallocatedOutput(output_index);  // NOLINT: the slot's signature
  });
}

OrtStatus* KernelContext_GetLogger(const OrtKernelContext* context, const OrtLogger** logger) {
  return Guard({{"context", context}, {"logger", logger}}, [&] { *logger = &context->logger(); });
}

OrtStatus* KernelContext_GetAllocator(const OrtKernelContext* context, const OrtMemoryInfo* mem_info,
                                      OrtAllocator** out) {
  return Guard({{"context", context}, {"mem_info", mem_info}, {"out", out}},
               [&] { *out = NewHeldAllocator(context->AllocatorFor(*mem_info)); });
}

OrtStatus* KernelContext_GetScratchBuffer(const OrtKernelContext* context, const OrtMemoryInfo* mem_info,
                                          size_t count_or_bytes, void** out) {
  return Guard({{"context", context}, {"mem_info", mem_info}, {"out", out}}, [&] {
    Require(mem_info->device.HostAccessible(),
            "KernelContext_GetScratchBuffer: scratch memory lies on the CPU; take a "
            "device's from KernelContext_GetAllocator");
    *out = const_cast<OrtKernelContext*>(context)->Scratch(count_or_bytes);  // NOLINT: the slot's signature
  });
}

OrtStatus* KernelContext_GetGPUComputeStream(const OrtKernelContext* context, void** out) {
  return Guard({{"context", context}, {"out", out}}, [&] {
    OrtSyncStream* stream = context->stream();
    *out = stream == nullptr ? nullptr : stream->handle();
  });
}

OrtStatus* KernelContext_GetSyncStream(const OrtKernelContext* context, OrtSyncStream** out) {
  return Guard({{"context", context}, {"out", out}}, [&] { *out = context->stream(); });
}

OrtStatus* KernelContext_ParallelFor(const OrtKernelContext* context, void (*fn)(void*, size_t), size_t total,
                                     size_t num_batch, void* usr_data) {
  return Guard({{"context", context}}, [&] {
    Require(fn != nullptr, "KernelContext_ParallelFor: fn is null");
    if (num_batch == 0 || num_batch >= total) {
      context->ParallelFor(total, fn, usr_data);
      return;
    }
    struct Batches {
      void (*fn)(void*, size_t);
      void* data;
      size_t total;
      size_t count;
    } batches{fn, usr_data, total, num_batch};
    context->ParallelFor(
        num_batch,
        [](void* arg, size_t batch) {
          const auto& all = *static_cast<const Batches*>(arg);
          const size_t end = all.total * (batch + 1) / all.count;
          for (size_t i = all.total * batch / all.count; i < end; ++i) all.fn(all.data, i);
        },
        &batches);
  });
}

}  // namespace

void FillKernelContext(OrtApi& api) {
  api.KernelContext_GetInputCount = KernelContext_GetInputCount;
  api.KernelContext_GetOutputCount = KernelContext_GetOutputCount;
  api.KernelContext_GetInput = KernelContext_GetInput;
  api.KernelContext_GetOutput = KernelContext_GetOutput;
  api.KernelContext_GetPreallocatedOutput = KernelContext_GetPreallocatedOutput;
  api.KernelContext_GetLogger = KernelContext_GetLogger;
  api.KernelContext_GetAllocator = KernelContext_GetAllocator;
  api.KernelContext_GetScratchBuffer = KernelContext_GetScratchBuffer;
  api.KernelContext_GetGPUComputeStream = KernelContext_GetGPUComputeStream;
  api.KernelContext_GetSyncStream = KernelContext_GetSyncStream;
  api.KernelContext_ParallelFor = KernelContext_ParallelFor;
  api.KernelContext_GetResource = NotImplemented<"OrtApi::KernelContext_GetResource">();
}

}  // namespace ortrun::abi
