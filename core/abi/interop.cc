// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"

namespace ortrun::abi {

// Not supported: every slot says so by name.
void FillInterop(OrtInteropApi &api) {
  api.CreateExternalResourceImporterForDevice =
      NotImplemented<"OrtInteropApi::CreateExternalResourceImporterForDevice">();
  api.ReleaseExternalResourceImporter = [](OrtExternalResourceImporter *) noexcept {};  // none can have been made
  api.CanImportMemory = NotImplemented<"OrtInteropApi::CanImportMemory">();
  api.ImportMemory = NotImplemented<"OrtInteropApi::ImportMemory">();
  api.ReleaseExternalMemoryHandle = [](OrtExternalMemoryHandle *) noexcept {};  // none can have been made
  api.CreateTensorFromMemory = NotImplemented<"OrtInteropApi::CreateTensorFromMemory">();
  api.CanImportSemaphore = NotImplemented<"OrtInteropApi::CanImportSemaphore">();
  api.ImportSemaphore = NotImplemented<"OrtInteropApi::ImportSemaphore">();
  api.ReleaseExternalSemaphoreHandle = [](OrtExternalSemaphoreHandle *) noexcept {};  // none can have been made
  api.WaitSemaphore = NotImplemented<"OrtInteropApi::WaitSemaphore">();
  api.SignalSemaphore = NotImplemented<"OrtInteropApi::SignalSemaphore">();
  api.InitGraphicsInteropForEpDevice = NotImplemented<"OrtInteropApi::InitGraphicsInteropForEpDevice">();
  api.DeinitGraphicsInteropForEpDevice = NotImplemented<"OrtInteropApi::DeinitGraphicsInteropForEpDevice">();
}

}  // namespace ortrun::abi
