// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnxruntime/records.h"

#ifdef __cplusplus
extern "C" {
#endif

struct OrtInteropApi {
  OrtStatusPtr (ORT_API_CALL* CreateExternalResourceImporterForDevice)(const OrtEpDevice *ep_device, OrtExternalResourceImporter **out_importer);
  void (ORT_API_CALL* ReleaseExternalResourceImporter)(OrtExternalResourceImporter *input);
  OrtStatusPtr (ORT_API_CALL* CanImportMemory)(const OrtExternalResourceImporter *importer, OrtExternalMemoryHandleType handle_type, bool *out_supported);
  OrtStatusPtr (ORT_API_CALL* ImportMemory)(OrtExternalResourceImporter *importer, const OrtExternalMemoryDescriptor *desc, OrtExternalMemoryHandle **out_handle);
  void (ORT_API_CALL* ReleaseExternalMemoryHandle)(OrtExternalMemoryHandle *input);
  OrtStatusPtr (ORT_API_CALL* CreateTensorFromMemory)(OrtExternalResourceImporter *importer, const OrtExternalMemoryHandle *mem_handle, const OrtExternalTensorDescriptor *tensor_desc, OrtValue **out_tensor);
  OrtStatusPtr (ORT_API_CALL* CanImportSemaphore)(const OrtExternalResourceImporter *importer, OrtExternalSemaphoreType type, bool *out_supported);
  OrtStatusPtr (ORT_API_CALL* ImportSemaphore)(OrtExternalResourceImporter *importer, const OrtExternalSemaphoreDescriptor *desc, OrtExternalSemaphoreHandle **out_handle);
  void (ORT_API_CALL* ReleaseExternalSemaphoreHandle)(OrtExternalSemaphoreHandle *input);
  OrtStatusPtr (ORT_API_CALL* WaitSemaphore)(OrtExternalResourceImporter *importer, OrtExternalSemaphoreHandle *semaphore_handle, OrtSyncStream *stream, uint64_t value);
  OrtStatusPtr (ORT_API_CALL* SignalSemaphore)(OrtExternalResourceImporter *importer, OrtExternalSemaphoreHandle *semaphore_handle, OrtSyncStream *stream, uint64_t value);
  OrtStatusPtr (ORT_API_CALL* InitGraphicsInteropForEpDevice)(const OrtEpDevice *ep_device, const OrtGraphicsInteropConfig *config);
  OrtStatusPtr (ORT_API_CALL* DeinitGraphicsInteropForEpDevice)(const OrtEpDevice *ep_device);
};

#ifdef __cplusplus
}
#endif
