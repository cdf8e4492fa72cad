// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/execution/body.h"

namespace ortrun {

/// Scan. State variables go through the iterations; slices of scan inputs go in, scan outputs are joined. From version
/// 9 on with axes and directions per scan input and output. Version 8 has a batch around it: the first axis of all
/// tensors; what a shorter sequence leaves of a scan output is zero.
class ScanKernel {
 public:
  ScanKernel(const KernelInfo& info, OrtScanKernelHelper* helper);
  void Compute(OrtKernelContext& context) const;

 private:
  /// The state variables, and the parts of each scan output.
  struct Results {
    std::vector<Value> states;
    std::vector<std::vector<Value>> scanned;
  };

  /// `length` iterations over the first axis of `sequences`.
  Results Iterate(const OrtKernelContext& context, std::vector<Value> states, const std::vector<Value>& sequences,
                  int64_t length) const;
  void ComputeBatch(OrtKernelContext& context) const;
  /// One tensor of all parts along a new first axis; without any, of the shape and type that the body declares.
  Value Join(const std::vector<Value>& parts, size_t output) const;
  /// What a sequence that has ended gives: zeros like `like`, or where that is nullptr as the body declares.
  Value ZeroPart(size_t output, const Value* like) const;
  /// The shape that the body declares of an output; 0 where it leaves a dimension open.
  std::vector<int64_t> DeclaredDims(size_t output) const;
  Value MoveAxisFirst(const Value& tensor, size_t axis, const OrtKernelContext& context) const;
  void GiveOutput(OrtKernelContext& context, size_t index, const std::vector<Value>& parts) const;

  Body body_;
  bool batched_;  ///< version 8
  std::shared_ptr<OrtScanKernelHelper> helper_;
  size_t scan_inputs_ = 0;
  size_t states_ = 0;
  std::vector<int64_t> input_axes_;
  std::vector<int64_t> input_directions_;
  std::vector<int64_t> output_axes_;
  std::vector<int64_t> output_directions_;
};

}  // namespace ortrun
