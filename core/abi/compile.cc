// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"

namespace ortrun::abi {

// Not supported: every slot says so by name.
void FillCompile(OrtCompileApi& api) {
  api.ReleaseModelCompilationOptions = [](OrtModelCompilationOptions*) noexcept {};  // none can have been made
  api.CreateModelCompilationOptionsFromSessionOptions =
      NotImplemented<"OrtCompileApi::CreateModelCompilationOptionsFromSessionOptions">();
  api.ModelCompilationOptions_SetInputModelPath =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetInputModelPath">();
  api.ModelCompilationOptions_SetInputModelFromBuffer =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetInputModelFromBuffer">();
  api.ModelCompilationOptions_SetOutputModelPath =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetOutputModelPath">();
  api.ModelCompilationOptions_SetOutputModelExternalInitializersFile =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetOutputModelExternalInitializersFile">();
  api.ModelCompilationOptions_SetOutputModelBuffer =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetOutputModelBuffer">();
  api.ModelCompilationOptions_SetEpContextEmbedMode =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetEpContextEmbedMode">();
  api.CompileModel = NotImplemented<"OrtCompileApi::CompileModel">();
  api.ModelCompilationOptions_SetFlags = NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetFlags">();
  api.ModelCompilationOptions_SetEpContextBinaryInformation =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetEpContextBinaryInformation">();
  api.ModelCompilationOptions_SetGraphOptimizationLevel =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetGraphOptimizationLevel">();
  api.ModelCompilationOptions_SetOutputModelWriteFunc =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetOutputModelWriteFunc">();
  api.ModelCompilationOptions_SetOutputModelGetInitializerLocationFunc =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetOutputModelGetInitializerLocationFunc">();
  api.ModelCompilationOptions_SetInputModel = NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetInputModel">();
  api.ModelCompilationOptions_SetWeightlessEnabled =
      NotImplemented<"OrtCompileApi::ModelCompilationOptions_SetWeightlessEnabled">();
}

}  // namespace ortrun::abi
