// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnxruntime/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct OrtCompileApi {
  void (ORT_API_CALL* ReleaseModelCompilationOptions)(OrtModelCompilationOptions *input);
  OrtStatusPtr (ORT_API_CALL* CreateModelCompilationOptionsFromSessionOptions)(const OrtEnv *env, const OrtSessionOptions *session_options, OrtModelCompilationOptions **out);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetInputModelPath)(OrtModelCompilationOptions *model_compile_options, const char *input_model_path);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetInputModelFromBuffer)(OrtModelCompilationOptions *model_compile_options, const void *input_model_data, size_t input_model_data_size);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetOutputModelPath)(OrtModelCompilationOptions *model_compile_options, const char *output_model_path);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetOutputModelExternalInitializersFile)(OrtModelCompilationOptions *model_compile_options, const char *external_initializers_file_path, size_t external_initializers_size_threshold);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetOutputModelBuffer)(OrtModelCompilationOptions *model_compile_options, OrtAllocator *allocator, void **output_model_buffer_ptr, size_t *output_model_buffer_size_ptr);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetEpContextEmbedMode)(OrtModelCompilationOptions *model_compile_options, bool embed_ep_context_in_model);
  OrtStatusPtr (ORT_API_CALL* CompileModel)(const OrtEnv *env, const OrtModelCompilationOptions *model_options);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetFlags)(OrtModelCompilationOptions *model_compile_options, uint32_t flags);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetEpContextBinaryInformation)(OrtModelCompilationOptions *model_compile_options, const char *output_directory, const char *model_name);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetGraphOptimizationLevel)(OrtModelCompilationOptions *model_compile_options, GraphOptimizationLevel graph_optimization_level);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetOutputModelWriteFunc)(OrtModelCompilationOptions *model_compile_options, OrtWriteBufferFunc write_func, void *state);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetOutputModelGetInitializerLocationFunc)(OrtModelCompilationOptions *model_compile_options, OrtGetInitializerLocationFunc get_initializer_location_func, void *state);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetInputModel)(OrtModelCompilationOptions *model_compile_options, const OrtModel *model);
  OrtStatusPtr (ORT_API_CALL* ModelCompilationOptions_SetWeightlessEnabled)(OrtModelCompilationOptions *model_compile_options, bool use_weightless);
};

#ifdef __cplusplus
}
#endif
