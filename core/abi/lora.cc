// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"

namespace ortrun::abi {

// LoRA adapters are not supported: every slot says so by name.
void FillLora(OrtApi& api) {
  api.CreateLoraAdapter = NotImplemented<"OrtApi::CreateLoraAdapter">();
  api.CreateLoraAdapterFromArray = NotImplemented<"OrtApi::CreateLoraAdapterFromArray">();
  api.ReleaseLoraAdapter = [](OrtLoraAdapter*) noexcept {};  // none can have been made
  api.RunOptionsAddActiveLoraAdapter = NotImplemented<"OrtApi::RunOptionsAddActiveLoraAdapter">();
}

}  // namespace ortrun::abi
