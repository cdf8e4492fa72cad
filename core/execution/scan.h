// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/execution/body.h"

namespace ortrun {

/// Scan (version 9 on: axes and directions per scan input and output; version 8: a batch around it with sequence
/// lengths, which is refused with ORT_NOT_IMPLEMENTED). State variables go through the iterations; slices of scan
/// inputs go in, scan outputs are joined.
class ScanKernel {
 public:
  ScanKernel(const KernelInfo& info, OrtScanKernelHelper* helper);
  void Compute(OrtKernelContext& context) const;

 private:
  Value MoveAxisFirst(const Value& tensor, size_t axis, const OrtKernelContext& context) const;
  void GiveOutput(OrtKernelContext& context, size_t index, const std::vector<Value>& parts) const;

  Body body_;
  std::shared_ptr<OrtScanKernelHelper> helper_;
  size_t scan_inputs_ = 0;
  size_t states_ = 0;
  std::vector<int64_t> input_axes_;
  std::vector<int64_t> input_directions_;
  std::vector<int64_t> output_axes_;
  std::vector<int64_t> output_directions_;
};

}  // namespace ortrun
