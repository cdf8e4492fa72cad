// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"

namespace ortrun::abi {

// Not supported: every slot says so by name.
void FillModelEditor(OrtModelEditorApi& api) {
  api.CreateTensorTypeInfo = NotImplemented<"OrtModelEditorApi::CreateTensorTypeInfo">();
  api.CreateSparseTensorTypeInfo = NotImplemented<"OrtModelEditorApi::CreateSparseTensorTypeInfo">();
  api.CreateMapTypeInfo = NotImplemented<"OrtModelEditorApi::CreateMapTypeInfo">();
  api.CreateSequenceTypeInfo = NotImplemented<"OrtModelEditorApi::CreateSequenceTypeInfo">();
  api.CreateOptionalTypeInfo = NotImplemented<"OrtModelEditorApi::CreateOptionalTypeInfo">();
  api.CreateValueInfo = NotImplemented<"OrtModelEditorApi::CreateValueInfo">();
  api.CreateNode = NotImplemented<"OrtModelEditorApi::CreateNode">();
  api.CreateGraph = NotImplemented<"OrtModelEditorApi::CreateGraph">();
  api.SetGraphInputs = NotImplemented<"OrtModelEditorApi::SetGraphInputs">();
  api.SetGraphOutputs = NotImplemented<"OrtModelEditorApi::SetGraphOutputs">();
  api.AddInitializerToGraph = NotImplemented<"OrtModelEditorApi::AddInitializerToGraph">();
  api.AddNodeToGraph = NotImplemented<"OrtModelEditorApi::AddNodeToGraph">();
  api.CreateModel = NotImplemented<"OrtModelEditorApi::CreateModel">();
  api.AddGraphToModel = NotImplemented<"OrtModelEditorApi::AddGraphToModel">();
  api.CreateSessionFromModel = NotImplemented<"OrtModelEditorApi::CreateSessionFromModel">();
  api.CreateModelEditorSession = NotImplemented<"OrtModelEditorApi::CreateModelEditorSession">();
  api.CreateModelEditorSessionFromArray = NotImplemented<"OrtModelEditorApi::CreateModelEditorSessionFromArray">();
  api.SessionGetOpsetForDomain = NotImplemented<"OrtModelEditorApi::SessionGetOpsetForDomain">();
  api.ApplyModelToModelEditorSession = NotImplemented<"OrtModelEditorApi::ApplyModelToModelEditorSession">();
  api.FinalizeModelEditorSession = NotImplemented<"OrtModelEditorApi::FinalizeModelEditorSession">();
}

}  // namespace ortrun::abi
