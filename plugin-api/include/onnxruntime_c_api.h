// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnxruntime/api.h"
#include "onnxruntime/compile_api.h"
#include "onnxruntime/custom_op.h"
#include "onnxruntime/interop_api.h"
#include "onnxruntime/model_editor_api.h"
#include "onnxruntime/records.h"
#include "onnxruntime/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct OrtApiBase {
  const OrtApi *(ORT_API_CALL* GetApi)(uint32_t version);
  const char *(ORT_API_CALL* GetVersionString)(void);
};

ORT_EXPORT const OrtApiBase *ORT_API_CALL OrtGetApiBase(void);
ORT_EXPORT OrtStatusPtr ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_CUDA(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatusPtr ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_ROCM(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatusPtr ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_MIGraphX(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatusPtr ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_Dnnl(OrtSessionOptions *options, int use_arena);
ORT_EXPORT OrtStatusPtr ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_Tensorrt(OrtSessionOptions *options, int device_id);
ORT_EXPORT OrtStatus *ORT_API_CALL OrtSessionOptionsAppendExecutionProvider_CPU(OrtSessionOptions *options, int use_arena);

#ifdef __cplusplus
}
#endif

#include "onnxruntime_ep_c_api.h"
