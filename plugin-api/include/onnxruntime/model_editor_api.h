// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnxruntime/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct OrtModelEditorApi {
  OrtStatusPtr (ORT_API_CALL* CreateTensorTypeInfo)(const OrtTensorTypeAndShapeInfo *tensor_info, OrtTypeInfo **type_info);
  OrtStatusPtr (ORT_API_CALL* CreateSparseTensorTypeInfo)(const OrtTensorTypeAndShapeInfo *tensor_info, OrtTypeInfo **type_info);
  OrtStatusPtr (ORT_API_CALL* CreateMapTypeInfo)(ONNXTensorElementDataType map_key_type, const OrtTypeInfo *map_value_type, OrtTypeInfo **type_info);
  OrtStatusPtr (ORT_API_CALL* CreateSequenceTypeInfo)(const OrtTypeInfo *sequence_type, OrtTypeInfo **type_info);
  OrtStatusPtr (ORT_API_CALL* CreateOptionalTypeInfo)(const OrtTypeInfo *contained_type, OrtTypeInfo **type_info);
  OrtStatusPtr (ORT_API_CALL* CreateValueInfo)(const char *name, const OrtTypeInfo *type_info, OrtValueInfo **value_info);
  OrtStatusPtr (ORT_API_CALL* CreateNode)(const char *operator_name, const char *domain_name, const char *node_name, const char *const *input_names, size_t input_names_len, const char *const *output_names, size_t output_names_len, OrtOpAttr **attributes, size_t attribs_len, OrtNode **node);
  OrtStatusPtr (ORT_API_CALL* CreateGraph)(OrtGraph **graph);
  OrtStatusPtr (ORT_API_CALL* SetGraphInputs)(OrtGraph *graph, OrtValueInfo **inputs, size_t inputs_len);
  OrtStatusPtr (ORT_API_CALL* SetGraphOutputs)(OrtGraph *graph, OrtValueInfo **outputs, size_t outputs_len);
  OrtStatusPtr (ORT_API_CALL* AddInitializerToGraph)(OrtGraph *graph, const char *name, OrtValue *tensor, bool data_is_external);
  OrtStatusPtr (ORT_API_CALL* AddNodeToGraph)(OrtGraph *graph, OrtNode *node);
  OrtStatusPtr (ORT_API_CALL* CreateModel)(const char *const *domain_names, const int *opset_versions, size_t opset_entries_len, OrtModel **model);
  OrtStatusPtr (ORT_API_CALL* AddGraphToModel)(OrtModel *model, OrtGraph *graph);
  OrtStatusPtr (ORT_API_CALL* CreateSessionFromModel)(const OrtEnv *env, const OrtModel *model, const OrtSessionOptions *options, OrtSession **out);
  OrtStatusPtr (ORT_API_CALL* CreateModelEditorSession)(const OrtEnv *env, const char *model_path, const OrtSessionOptions *options, OrtSession **out);
  OrtStatusPtr (ORT_API_CALL* CreateModelEditorSessionFromArray)(const OrtEnv *env, const void *model_data, size_t model_data_length, const OrtSessionOptions *options, OrtSession **out);
  OrtStatusPtr (ORT_API_CALL* SessionGetOpsetForDomain)(const OrtSession *session, const char *domain, int *opset);
  OrtStatusPtr (ORT_API_CALL* ApplyModelToModelEditorSession)(OrtSession *session, OrtModel *model);
  OrtStatusPtr (ORT_API_CALL* FinalizeModelEditorSession)(OrtSession *session, const OrtSessionOptions *options, OrtPrepackedWeightsContainer *prepacked_weights_container);
};

#ifdef __cplusplus
}
#endif
