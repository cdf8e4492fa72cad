// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a provider can say of the arithmetic behind its kernels, offered by ortrun beside the public tables.
//
//   auto set = (OrtrunSetComputeTypeFn)api->GetExperimentalFunction(ORTRUN_SET_COMPUTE_TYPE);
//   if (set != NULL) set(registry, NULL, NULL, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
//   ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
//
// A provider that says nothing computes each type in itself, and its nodes keep the types of the model.

#include "onnxruntime_c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORTRUN_SET_COMPUTE_TYPE "ortrun.KernelRegistry_SetComputeType"

/// OrtStatus* (OrtKernelRegistry*, const char* domain, const char* op, stored, computed)
/// Says that kernels of this registry which take elements of type `stored` widen them to `computed`, compute, and round
/// the results. The host may then run connected nodes in `computed` as a whole, where the registry has kernels for
/// that, so that values are converted where they enter and leave and constants once; steps in between are then not
/// rounded.
///
/// `op` NULL speaks of all operators, else of one alone, which counts before what is said of all: computed = stored
/// says that this one has arithmetic of its own in that type. Call it before the first session uses the registry.
typedef OrtStatus*(ORT_API_CALL* OrtrunSetComputeTypeFn)(OrtKernelRegistry* registry, const char* domain,
                                                         const char* op, ONNXTensorElementDataType stored,
                                                         ONNXTensorElementDataType computed);

#ifdef __cplusplus
}
#endif
