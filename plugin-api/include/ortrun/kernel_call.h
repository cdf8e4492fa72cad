// SPDX-License-Identifier: Apache-2.0
#pragma once

// The short way into a kernel call, offered by ortrun beside the public tables.
//
// A kernel that only uses OrtApi pays several calls per tensor. A host that knows this table hands the same facts over
// in one. Ask for it once, when the library is loaded:
//
//   auto get = (OrtrunGetKernelCallApiFn)api->GetExperimentalFunction(ORTRUN_KERNEL_CALL_API);
//   const OrtrunKernelCallApi* table = get ? get(1) : NULL;
//
// A host that does not know it answers NULL, and the kernel takes the public slots instead: both ways give the same
// results. Every function may be called only inside OrtKernelImpl::Compute (or OrtNodeComputeInfo::Compute) with the
// context of that call; none may be called from a worker of ParallelFor.

#include "onnxruntime_c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORTRUN_KERNEL_CALL_API "ortrun.KernelCallApi"

/// A dense tensor as a kernel sees it. Owned by the host, valid until Compute returns.
typedef struct OrtrunTensor {
  void* data;            ///< first element, or NULL when count is 0; strings: not addressable, use the OrtApi slots
  const int64_t* shape;  ///< rank dimensions
  size_t rank;
  size_t count;  ///< number of elements, the product of shape
  ONNXTensorElementDataType type;
} OrtrunTensor;

typedef struct OrtrunKernelCallApi {
  uint32_t version;  ///< 1

  /// The inputs in the order of the node. An entry is NULL when the input is omitted or is no dense tensor.
  const OrtrunTensor* const*(ORT_API_CALL* Inputs)(const OrtKernelContext* context, size_t* count);

  /// Makes output `index` with this shape and answers its place, which the kernel must fill.
  /// *out is NULL when the node does not name that output.
  OrtStatus*(ORT_API_CALL* Output)(OrtKernelContext* context, size_t index, const int64_t* shape, size_t rank,
                                   const OrtrunTensor** out);

  /// `bytes` of uninitialised CPU memory, aligned to 64 bytes, valid until Compute returns. May be called repeatedly.
  OrtStatus*(ORT_API_CALL* Scratch)(OrtKernelContext* context, size_t bytes, void** out);

  /// Threads that ParallelFor can use, the caller included; at least 1.
  size_t(ORT_API_CALL* Concurrency)(const OrtKernelContext* context);

  /// Calls fn(arg, i) once for each i in [0, blocks), on several threads, and returns when all have returned.
  /// fn must not throw.
  void(ORT_API_CALL* ParallelFor)(const OrtKernelContext* context, size_t blocks, void (*fn)(void* arg, size_t block),
                                  void* arg);
} OrtrunKernelCallApi;

typedef const OrtrunKernelCallApi*(ORT_API_CALL* OrtrunGetKernelCallApiFn)(uint32_t version);

#ifdef __cplusplus
}
#endif
