// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/controlflow/controlflow.h"

#include <cstring>

#include "onnxruntime_ep_c_api.h"
#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/strided_copy.h"

namespace ortrun::cpu {
namespace {

ConstantTensor ReadAny(const Host& host, const OrtValue* value) {
  ConstantTensor tensor = ReadTensor(host, value);
  Require(tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, "strings cannot be gathered over iterations here");
  return tensor;
}

/// Joins what the iterations of a Loop gave into one block of memory.
struct LoopHelper : OrtLoopKernelHelper {
  Host host;

  explicit LoopHelper(const Host& the_host) : OrtLoopKernelHelper{}, host(the_host) {
    ort_version_supported = ORT_API_VERSION;
    OrtLoopKernelHelper::Release = [](OrtLoopKernelHelper* self) noexcept { delete static_cast<LoopHelper*>(self); };
    OrtLoopKernelHelper::ConcatOutput = [](OrtLoopKernelHelper* self, void*, const OrtValue* const* values,
                                           size_t count, void* output, size_t bytes) noexcept {
      const Host& tables = static_cast<LoopHelper*>(self)->host;
      return Guard(*tables.api, [&] {
        size_t at = 0;
        for (size_t i = 0; i < count; ++i) {
          const ConstantTensor value = ReadAny(tables, values[i]);
          const size_t size = value.count * ElementSize(value.type);
          Require(size <= bytes - at, "the iterations of a Loop gave more data than its output holds");
          if (size != 0) std::memcpy(static_cast<uint8_t*>(output) + at, value.data, size);
          at += size;
        }
      });
    };
  }
};

/// Turns the scan axis of an input or output to the front and back.
struct ScanHelper : OrtScanKernelHelper {
  Host host;

  explicit ScanHelper(const Host& the_host) : OrtScanKernelHelper{}, host(the_host) {
    ort_version_supported = ORT_API_VERSION;
    OrtScanKernelHelper::Release = [](OrtScanKernelHelper* self) noexcept { delete static_cast<ScanHelper*>(self); };
    OrtScanKernelHelper::Transpose = [](OrtScanKernelHelper* self, const size_t* permutation, size_t rank,
                                        const OrtValue* input, OrtSyncStream*, OrtValue* output) noexcept {
      const Host& tables = static_cast<ScanHelper*>(self)->host;
      return Guard(*tables.api, [&] { Transposed(tables, permutation, rank, input, output); });
    };
  }

  static void Transposed(const Host& host, const size_t* permutation, size_t rank, const OrtValue* input,
                         OrtValue* output) {
    const ConstantTensor x = ReadAny(host, input);
    Require(x.shape.size() == rank, "the permutation of a Scan has ", rank, " entries for rank ", x.shape.size());
    Shape steps(x.shape);
    int64_t step = 1;
    for (size_t i = rank; i-- > 0;) {
      steps[i] = step;
      step *= x.shape[i];
    }
    Shape extents(x.shape);
    Shape strides(x.shape);
    for (size_t i = 0; i < rank; ++i) {
      Require(permutation[i] < rank, "the permutation of a Scan names axis ", permutation[i]);
      extents[i] = x.shape[permutation[i]];
      strides[i] = steps[permutation[i]];
    }
    void* to = nullptr;
    ThrowOnError(*host.api, host.api->GetTensorMutableData(output, &to));
    StridedCopy(x.data, to, extents.dims(), strides.dims(), ElementSize(x.type));
  }
};

OrtKernelImpl* MakeIf(const KernelInfo& info) {
  OrtKernelImpl* kernel = nullptr;
  ThrowOnError(*info.host().api, info.host().ep->CreateIfKernel(info.get(), &kernel));
  return kernel;
}

// The host owns the helper once its kernel exists.
OrtKernelImpl* MakeLoop(const KernelInfo& info) {
  OrtKernelImpl* kernel = nullptr;
  auto helper = std::make_unique<LoopHelper>(info.host());
  ThrowOnError(*info.host().api, info.host().ep->CreateLoopKernel(info.get(), helper.get(), &kernel));
  helper.release();  // NOLINT: released by the kernel
  return kernel;
}

OrtKernelImpl* MakeScan(const KernelInfo& info) {
  OrtKernelImpl* kernel = nullptr;
  auto helper = std::make_unique<ScanHelper>(info.host());
  ThrowOnError(*info.host().api, info.host().ep->CreateScanKernel(info.get(), helper.get(), &kernel));
  helper.release();  // NOLINT: released by the kernel
  return kernel;
}

}  // namespace

void RegisterControlFlow(KernelList& list) {
  list.Add({.op = "If", .make_impl = MakeIf});
  list.Add({.op = "Loop", .make_impl = MakeLoop});
  list.Add({.op = "Scan", .since = 8, .make_impl = MakeScan});
}

}  // namespace ortrun::cpu
