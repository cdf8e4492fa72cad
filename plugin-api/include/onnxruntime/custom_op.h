// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnxruntime/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct OrtCustomOp {
  uint32_t version;
  void *(ORT_API_CALL* CreateKernel)(const struct OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *info);
  const char *(ORT_API_CALL* GetName)(const struct OrtCustomOp *op);
  const char *(ORT_API_CALL* GetExecutionProviderType)(const struct OrtCustomOp *op);
  ONNXTensorElementDataType (ORT_API_CALL* GetInputType)(const struct OrtCustomOp *op, size_t index);
  size_t (ORT_API_CALL* GetInputTypeCount)(const struct OrtCustomOp *op);
  ONNXTensorElementDataType (ORT_API_CALL* GetOutputType)(const struct OrtCustomOp *op, size_t index);
  size_t (ORT_API_CALL* GetOutputTypeCount)(const struct OrtCustomOp *op);
  void (ORT_API_CALL* KernelCompute)(void *op_kernel, OrtKernelContext *context);
  void (ORT_API_CALL* KernelDestroy)(void *op_kernel);
  OrtCustomOpInputOutputCharacteristic (ORT_API_CALL* GetInputCharacteristic)(const struct OrtCustomOp *op, size_t index);
  OrtCustomOpInputOutputCharacteristic (ORT_API_CALL* GetOutputCharacteristic)(const struct OrtCustomOp *op, size_t index);
  OrtMemType (ORT_API_CALL* GetInputMemoryType)(const struct OrtCustomOp *op, size_t index);
  int (ORT_API_CALL* GetVariadicInputMinArity)(const struct OrtCustomOp *op);
  int (ORT_API_CALL* GetVariadicInputHomogeneity)(const struct OrtCustomOp *op);
  int (ORT_API_CALL* GetVariadicOutputMinArity)(const struct OrtCustomOp *op);
  int (ORT_API_CALL* GetVariadicOutputHomogeneity)(const struct OrtCustomOp *op);
  OrtStatusPtr (ORT_API_CALL* CreateKernelV2)(const struct OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *info, void **kernel);
  OrtStatusPtr (ORT_API_CALL* KernelComputeV2)(void *op_kernel, OrtKernelContext *context);
  OrtStatusPtr (ORT_API_CALL* InferOutputShapeFn)(const struct OrtCustomOp *op, OrtShapeInferContext *);
  int (ORT_API_CALL* GetStartVersion)(const struct OrtCustomOp *op);
  int (ORT_API_CALL* GetEndVersion)(const struct OrtCustomOp *op);
  size_t (ORT_API_CALL* GetMayInplace)(int **input_index, int **output_index);
  void (ORT_API_CALL* ReleaseMayInplace)(int *input_index, int *output_index);
  size_t (ORT_API_CALL* GetAliasMap)(int **input_index, int **output_index);
  void (ORT_API_CALL* ReleaseAliasMap)(int *input_index, int *output_index);
};

#ifdef __cplusplus
}
#endif
