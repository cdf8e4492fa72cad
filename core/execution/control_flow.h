// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/execution/kernel_info.h"

namespace ortrun {

/// Kernels that run the bodies of a node. A provider asks for them by OrtEpApi::CreateIfKernel and its like; running a
/// body is the host's work, joining and transposing tensors is the provider's (`helper`). The helper is released with
/// the kernel. The caller owns the kernel (OrtKernelImpl::Release).
/// Throw Error(ORT_INVALID_GRAPH) when the node's bodies or inputs do not fit the operator.
OrtKernelImpl* CreateIfKernel(const KernelInfo& info);
OrtKernelImpl* CreateLoopKernel(const KernelInfo& info, OrtLoopKernelHelper* helper);
OrtKernelImpl* CreateScanKernel(const KernelInfo& info, OrtScanKernelHelper* helper);

}  // namespace ortrun
