// SPDX-License-Identifier: Apache-2.0
#include "core/execution/kernel_context.h"

#include <utility>

#include "core/execution/frame.h"
#include "ortrun/error.h"

OrtValue* OrtKernelContext::Output(size_t index, const int64_t* dims, size_t rank) {
  return frame->MakeOutput(*step, index, dims, rank);
}

void OrtKernelContext::SetOutput(size_t index, OrtValue value) { frame->SetOutput(*step, index, std::move(value)); }

OrtValue* OrtKernelContext::PreallocatedOutput(size_t index) { return frame->PreallocatedOutput(*step, index); }

void* OrtKernelContext::Scratch(size_t bytes) { return frame->scratch().Take(bytes); }

size_t OrtKernelContext::Concurrency() const { return frame->session().pool->size(); }

void OrtKernelContext::ParallelFor(size_t blocks, void (*fn)(void*, size_t), void* arg) const {
  frame->session().pool->ParallelFor(blocks, fn, arg);
}

const OrtLogger& OrtKernelContext::logger() const { return *frame->session().logger; }

std::shared_ptr<OrtAllocator> OrtKernelContext::AllocatorFor(const OrtMemoryInfo& memory) const {
  const ortrun::SessionState& session = frame->session();
  const int index = session.FindMemory(memory.device);
  if (index < 0)
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("no provider of this session allocates in memory '", memory.name, "'"));
  return session.memories[static_cast<size_t>(index)].allocator;
}

OrtSyncStream* OrtKernelContext::stream() const { return frame->stream(step->stream); }
