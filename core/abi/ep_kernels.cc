// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/control_flow.h"
#include "core/execution/packed_weights.h"
#include "core/providers/partitioner.h"

namespace ortrun::abi {
namespace {

OrtStatus* KernelInfo_GetEp(const OrtKernelInfo* info, const OrtEp** ep) {
  return Guard({{"info", info}, {"ep", ep}}, [&] { *ep = info->provider == nullptr ? nullptr : info->provider->ep; });
}

OrtStatus* CreateIfKernel(const OrtKernelInfo* kernel_info, OrtKernelImpl** kernel_out) {
  return Guard({{"kernel_info", kernel_info}, {"kernel_out", kernel_out}},
               [&] { *kernel_out = ortrun::CreateIfKernel(*kernel_info); });
}

OrtStatus* CreateLoopKernel(const OrtKernelInfo* kernel_info, OrtLoopKernelHelper* helper, OrtKernelImpl** kernel_out) {
  return Guard({{"kernel_info", kernel_info}, {"helper", helper}, {"kernel_out", kernel_out}},
               [&] { *kernel_out = ortrun::CreateLoopKernel(*kernel_info, helper); });
}

OrtStatus* CreateScanKernel(const OrtKernelInfo* kernel_info, OrtScanKernelHelper* helper, OrtKernelImpl** kernel_out) {
  return Guard({{"kernel_info", kernel_info}, {"helper", helper}, {"kernel_out", kernel_out}},
               [&] { *kernel_out = ortrun::CreateScanKernel(*kernel_info, helper); });
}

OrtStatus* SharedPrePackedWeightCache_StoreWeightData(OrtSharedPrePackedWeightCache* prepacked_weight_cache,
                                                      void** buffer_data_ptrs, size_t* buffer_data_sizes,
                                                      size_t num_buffers) {
  return Guard({{"prepacked_weight_cache", prepacked_weight_cache},
                {"buffer_data_ptrs", buffer_data_ptrs},
                {"buffer_data_sizes", buffer_data_sizes}},
               [&] {
                 Require(num_buffers != 0, "SharedPrePackedWeightCache_StoreWeightData: there are no buffers");
                 Require(prepacked_weight_cache->stored.empty(),
                         "SharedPrePackedWeightCache_StoreWeightData: the buffers of this weight are stored already");
                 prepacked_weight_cache->Store({buffer_data_ptrs, num_buffers}, {buffer_data_sizes, num_buffers});
               });
}

void ReleaseKernelImpl(OrtKernelImpl* input) noexcept {
  if (input != nullptr && input->Release != nullptr) input->Release(input);
}

}  // namespace

void FillEpKernels(OrtEpApi& api) {
  api.KernelInfo_GetEp = KernelInfo_GetEp;
  api.CreateIfKernel = CreateIfKernel;
  api.CreateLoopKernel = CreateLoopKernel;
  api.CreateScanKernel = CreateScanKernel;
  api.ReleaseKernelImpl = ReleaseKernelImpl;
  api.SharedPrePackedWeightCache_StoreWeightData = SharedPrePackedWeightCache_StoreWeightData;
  api.SessionOptionsGetWeightlessSourceModelBuffer =
      NotImplemented<"OrtEpApi::SessionOptionsGetWeightlessSourceModelBuffer">();
}

}  // namespace ortrun::abi
