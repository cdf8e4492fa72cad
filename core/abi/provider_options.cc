// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"

namespace ortrun::abi {

// Option objects of single providers, from before providers were plugins, and other slots that ask for what is not
// here. Options are given as text with SessionOptionsAppendExecutionProvider; every slot here says by name that it is
// not implemented.
void FillProviderOptions(OrtApi &api) {
  api.SessionOptionsAppendExecutionProvider_CUDA =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_CUDA">();
  api.SessionOptionsAppendExecutionProvider_ROCM =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_ROCM">();
  api.SessionOptionsAppendExecutionProvider_OpenVINO =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_OpenVINO">();
  api.SessionOptionsAppendExecutionProvider_TensorRT =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_TensorRT">();
  api.SetCurrentGpuDeviceId = NotImplemented<"OrtApi::SetCurrentGpuDeviceId">();
  api.GetCurrentGpuDeviceId = NotImplemented<"OrtApi::GetCurrentGpuDeviceId">();
  api.SessionOptionsAppendExecutionProvider_TensorRT_V2 =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_TensorRT_V2">();
  api.CreateTensorRTProviderOptions = NotImplemented<"OrtApi::CreateTensorRTProviderOptions">();
  api.UpdateTensorRTProviderOptions = NotImplemented<"OrtApi::UpdateTensorRTProviderOptions">();
  api.GetTensorRTProviderOptionsAsString = NotImplemented<"OrtApi::GetTensorRTProviderOptionsAsString">();
  api.ReleaseTensorRTProviderOptions = [](OrtTensorRTProviderOptionsV2 *) noexcept {};  // none can have been made
  api.GetExecutionProviderApi = NotImplemented<"OrtApi::GetExecutionProviderApi">();
  api.SessionOptionsAppendExecutionProvider_CUDA_V2 =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_CUDA_V2">();
  api.CreateCUDAProviderOptions = NotImplemented<"OrtApi::CreateCUDAProviderOptions">();
  api.UpdateCUDAProviderOptions = NotImplemented<"OrtApi::UpdateCUDAProviderOptions">();
  api.GetCUDAProviderOptionsAsString = NotImplemented<"OrtApi::GetCUDAProviderOptionsAsString">();
  api.ReleaseCUDAProviderOptions = [](OrtCUDAProviderOptionsV2 *) noexcept {};  // none can have been made
  api.SessionOptionsAppendExecutionProvider_MIGraphX =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_MIGraphX">();
  api.GetTrainingApi = [](uint32_t) noexcept -> const OrtTrainingApi * { return nullptr; };
  api.SessionOptionsAppendExecutionProvider_CANN =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_CANN">();
  api.CreateCANNProviderOptions = NotImplemented<"OrtApi::CreateCANNProviderOptions">();
  api.UpdateCANNProviderOptions = NotImplemented<"OrtApi::UpdateCANNProviderOptions">();
  api.GetCANNProviderOptionsAsString = NotImplemented<"OrtApi::GetCANNProviderOptionsAsString">();
  api.ReleaseCANNProviderOptions = [](OrtCANNProviderOptions *) noexcept {};  // none can have been made
  api.SessionOptionsAppendExecutionProvider_Dnnl =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_Dnnl">();
  api.CreateDnnlProviderOptions = NotImplemented<"OrtApi::CreateDnnlProviderOptions">();
  api.UpdateDnnlProviderOptions = NotImplemented<"OrtApi::UpdateDnnlProviderOptions">();
  api.GetDnnlProviderOptionsAsString = NotImplemented<"OrtApi::GetDnnlProviderOptionsAsString">();
  api.ReleaseDnnlProviderOptions = [](OrtDnnlProviderOptions *) noexcept {};  // none can have been made
  api.CreateROCMProviderOptions = NotImplemented<"OrtApi::CreateROCMProviderOptions">();
  api.UpdateROCMProviderOptions = NotImplemented<"OrtApi::UpdateROCMProviderOptions">();
  api.GetROCMProviderOptionsAsString = NotImplemented<"OrtApi::GetROCMProviderOptionsAsString">();
  api.ReleaseROCMProviderOptions = [](OrtROCMProviderOptions *) noexcept {};  // none can have been made
  api.UpdateTensorRTProviderOptionsWithValue = NotImplemented<"OrtApi::UpdateTensorRTProviderOptionsWithValue">();
  api.GetTensorRTProviderOptionsByName = NotImplemented<"OrtApi::GetTensorRTProviderOptionsByName">();
  api.UpdateCUDAProviderOptionsWithValue = NotImplemented<"OrtApi::UpdateCUDAProviderOptionsWithValue">();
  api.GetCUDAProviderOptionsByName = NotImplemented<"OrtApi::GetCUDAProviderOptionsByName">();
  api.SessionOptionsAppendExecutionProvider_OpenVINO_V2 =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_OpenVINO_V2">();
  api.SessionOptionsAppendExecutionProvider_VitisAI =
      NotImplemented<"OrtApi::SessionOptionsAppendExecutionProvider_VitisAI">();
  api.ReleaseModel = [](OrtModel *) noexcept {};  // none can have been made
  api.GetModelCompatibilityForEpDevices = NotImplemented<"OrtApi::GetModelCompatibilityForEpDevices">();
  api.GetCompatibilityInfoFromModel = NotImplemented<"OrtApi::GetCompatibilityInfoFromModel">();
  api.GetCompatibilityInfoFromModelBytes = NotImplemented<"OrtApi::GetCompatibilityInfoFromModelBytes">();
  api.SessionReleaseCapturedGraph = NotImplemented<"OrtApi::SessionReleaseCapturedGraph">();
}

}  // namespace ortrun::abi
