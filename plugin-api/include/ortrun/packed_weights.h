// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packed forms of weights that kernels share, offered by ortrun beside the public tables.
//
// A model often has one weight under many nodes. A kernel that packs its weight for itself makes one copy a node; with
// this table it asks the host, which keeps one copy for all kernels of a session that want the same form. Ask for the
// table once, when the library is loaded:
//
//   auto get = (OrtrunGetPackedWeightApiFn)api->GetExperimentalFunction(ORTRUN_PACKED_WEIGHT_API);
//   const OrtrunPackedWeightApi* table = get ? get(1) : NULL;
//
// A host that does not know it answers NULL, and the kernel packs into memory of its own.

#include "onnxruntime_c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORTRUN_PACKED_WEIGHT_API "ortrun.PackedWeightApi"

typedef struct OrtrunPackedWeightApi {
  uint32_t version;  ///< 1

  /// Answers in *data `bytes` of CPU memory, aligned to 64 bytes, that hold the weight in the form that `form` names;
  /// they stay until the kernel is released and must not be written to. To be called inside
  /// OrtKernelImpl::PrePackWeight, on its thread, with the tensor that it was given: elsewhere, and with another
  /// tensor, *data is NULL without an error, and the kernel has to pack for itself.
  ///
  /// `form` is text that, together with the weight's bytes, decides every byte of the packed form: the layout's name,
  /// its sizes, whatever else the packing reads. The first kernel of a provider that asks for a form has it made:
  /// fill(arg, data) is called once, in this call; it must not throw and answers 0, or another number when it failed,
  /// and then nothing is kept, *data is NULL and the status ORT_FAIL.
  OrtStatus*(ORT_API_CALL* Pack)(const OrtValue* weight, const char* form, size_t bytes,
                                 int (*fill)(void* arg, void* data), void* arg, const void** data);
} OrtrunPackedWeightApi;

typedef const OrtrunPackedWeightApi*(ORT_API_CALL* OrtrunGetPackedWeightApiFn)(uint32_t version);

#ifdef __cplusplus
}
#endif
