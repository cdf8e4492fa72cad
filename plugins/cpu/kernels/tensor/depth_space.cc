// SPDX-License-Identifier: Apache-2.0
// DepthToSpace and SpaceToDepth, and DepthToSpace on channels-last data.
#include <array>
#include <string>

#include "plugins/cpu/kernels/common/strided_copy.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

/// Copies `x`, seen with six dimensions, in the order that `permutation` gives.
void Permute(const KernelContext& context, const Tensor& x, const Tensor& y, const std::array<int64_t, 6>& dims,
             const std::array<size_t, 6>& permutation) {
  std::array<int64_t, 6> steps{};
  int64_t step = 1;
  for (size_t i = 6; i-- > 0;) {
    steps[i] = step;
    step *= dims[i];
  }
  std::array<int64_t, 6> extents{};
  std::array<int64_t, 6> strides{};
  for (size_t i = 0; i < 6; ++i) {
    extents[i] = dims[permutation[i]];
    strides[i] = steps[permutation[i]];
  }
  StridedCopy(context, x.raw(), y.raw(), extents, strides, ElementSize(x.type()));
}

/// Whether the depth is the outermost part of the channels (DCR) or the innermost (CRD).
bool ReadDepthFirst(const KernelInfo& info) {
  const std::string mode = info.String("mode", "DCR");
  Require(mode == "DCR" || mode == "CRD", "attribute mode is \"", mode, "\", it must be DCR or CRD");
  return mode == "DCR";
}

int64_t ReadBlockSize(const KernelInfo& info) {
  const int64_t block = info.Int("blocksize");
  Require(block >= 1 && block < (int64_t{1} << 31), "attribute blocksize=", block, " must be positive");
  return block;
}

template <bool kChannelsLast>
class DepthToSpace : public Kernel {
 public:
  explicit DepthToSpace(const KernelInfo& info) : block_(ReadBlockSize(info)), depth_first_(ReadDepthFirst(info)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 4, "DepthToSpace needs an input of rank 4, it has ", x.rank());
    const int64_t n = x.dim(0);
    const int64_t channels = x.dim(kChannelsLast ? 3 : 1);
    const int64_t height = x.dim(kChannelsLast ? 1 : 2);
    const int64_t width = x.dim(kChannelsLast ? 2 : 3);
    Require(channels % (block_ * block_) == 0, channels, " channels do not divide by blocksize=", block_, " squared");
    const int64_t depth = channels / (block_ * block_);
    if constexpr (kChannelsLast) {
      const Tensor y = context.Output(0, Shape{n, height * block_, width * block_, depth});
      if (depth_first_)
        Permute(context, x, y, {n * height, width, block_, block_, depth, 1}, {0, 2, 1, 3, 4, 5});
      else
        Permute(context, x, y, {n * height, width, depth, block_, block_, 1}, {0, 3, 1, 4, 2, 5});
    } else {
      const Tensor y = context.Output(0, Shape{n, depth, height * block_, width * block_});
      if (depth_first_)
        Permute(context, x, y, {n, block_, block_, depth, height, width}, {0, 3, 4, 1, 5, 2});
      else
        Permute(context, x, y, {n, depth, block_, block_, height, width}, {0, 1, 4, 2, 5, 3});
    }
  }

 private:
  int64_t block_;
  bool depth_first_;
};

class SpaceToDepth : public Kernel {
 public:
  explicit SpaceToDepth(const KernelInfo& info) : block_(ReadBlockSize(info)), depth_first_(ReadDepthFirst(info)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 4, "SpaceToDepth needs an input of rank 4, it has ", x.rank());
    const int64_t n = x.dim(0);
    const int64_t channels = x.dim(1);
    Require(x.dim(2) % block_ == 0 && x.dim(3) % block_ == 0, "height ", x.dim(2), " and width ", x.dim(3),
            " must divide by blocksize=", block_);
    const int64_t height = x.dim(2) / block_;
    const int64_t width = x.dim(3) / block_;
    const Tensor y = context.Output(0, Shape{n, channels * block_ * block_, height, width});
    const std::array<int64_t, 6> dims = {n, channels, height, block_, width, block_};
    if (depth_first_)
      Permute(context, x, y, dims, {0, 3, 5, 1, 2, 4});
    else
      Permute(context, x, y, dims, {0, 1, 3, 5, 2, 4});
  }

 private:
  int64_t block_;
  bool depth_first_;
};

}  // namespace

void RegisterDepthSpace(KernelList& list) {
  list.Add({.op = "DepthToSpace", .types = {{"T", FixedSizeTypes()}}, .make = MakeKernel<DepthToSpace<false>>});
  list.Add({.domain = "com.ms.internal.nhwc",
            .op = "DepthToSpace",
            .types = {{"T", FixedSizeTypes()}},
            .make = MakeKernel<DepthToSpace<true>>});
  list.Add({.op = "SpaceToDepth", .types = {{"T", FixedSizeTypes()}}, .make = MakeKernel<SpaceToDepth>});
}

}  // namespace ortrun::cpu
