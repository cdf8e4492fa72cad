// SPDX-License-Identifier: Apache-2.0
#pragma once

// Outputs of a kernel that are no dense tensors, offered by ortrun beside the public tables, which cannot make them.
//
//   auto get = (OrtrunGetOutputValueApiFn)api->GetExperimentalFunction(ORTRUN_OUTPUT_VALUE_API);
//   const OrtrunOutputValueApi* table = get ? get(1) : NULL;
//
// A library registers kernels that need it only where the host answers the name. Every function may be called only
// inside OrtKernelImpl::Compute with the context of that call.

#include "onnxruntime_c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORTRUN_OUTPUT_VALUE_API "ortrun.OutputValueApi"

typedef struct OrtrunOutputValueApi {
  uint32_t version;  ///< 1

  /// Makes output `index` a sequence of these tensors. The values stay the caller's, the output shares their memory:
  /// it must be their own, which that of a call's inputs is not. Does nothing when the node lacks the output.
  OrtStatus*(ORT_API_CALL* SetSequence)(OrtKernelContext* context, size_t index, const OrtValue* const* elements,
                                        size_t count);

  /// Makes output `index` this value, shared in the same way, or an empty optional when `value` is NULL.
  OrtStatus*(ORT_API_CALL* SetValue)(OrtKernelContext* context, size_t index, const OrtValue* value);
} OrtrunOutputValueApi;

typedef const OrtrunOutputValueApi*(ORT_API_CALL* OrtrunGetOutputValueApiFn)(uint32_t version);

#ifdef __cplusplus
}
#endif
