// SPDX-License-Identifier: Apache-2.0
// Conv and FusedConv on channels-first data, and both on channels-last data.
#include <string>

#include "plugins/cpu/kernels/common/context_parallel.h"
#include "plugins/cpu/kernels/common/strided_copy.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/conv_plans.h"
#include "plugins/cpu/kernels/nn/convolution.h"
#include "plugins/cpu/kernels/nn/fused_activation.h"
#include "plugins/cpu/kernels/nn/layout.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

Conv2dShape PlaneShape(const ConvolutionShape& shape, ConvLayout layout) {
  const WindowGeometry& g = shape.window;
  const auto size = [](int64_t value) { return static_cast<size_t>(value); };
  Conv2dShape plane;
  plane.layout = layout;
  plane.batch = shape.batch;
  plane.groups = shape.groups;
  plane.in_channels = shape.in_channels * shape.groups;
  plane.out_channels = shape.out_channels * shape.groups;
  plane.in_height = size(g.in[1]);
  plane.in_width = size(g.in[2]);
  plane.kernel_height = size(g.kernel[1]);
  plane.kernel_width = size(g.kernel[2]);
  plane.stride_height = size(g.stride[1]);
  plane.stride_width = size(g.stride[2]);
  plane.dilation_height = size(g.dilation[1]);
  plane.dilation_width = size(g.dilation[2]);
  plane.pad_top = size(g.pad_begin[1]);
  plane.pad_left = size(g.pad_begin[2]);
  plane.pad_bottom = size(g.pad_end[1]);
  plane.pad_right = size(g.pad_end[2]);
  return plane;
}

template <ConvLayout kLayout>
class Conv : public Kernel {
 public:
  explicit Conv(const KernelInfo& info)
      : window_(info), groups_(info.Int("group", 1)), fused_(info.OperatorType() == "FusedConv") {
    Require(groups_ >= 1, "attribute group=", groups_, " must be at least 1");
    if (fused_) activation_ = ReadFusedActivation(info);
    const auto type = info.InputType(0);
    if (type && type->type != kTypeOf<double> && type->has_shape) x_ = type->shape;
  }

  bool PrePack(size_t input, const ConstantTensor& tensor) override {
    if (input != 1 || tensor.type != kTypeOf<float> || tensor.count == 0) return false;
    constant_weights_ = true;
    // Without a known input shape the form that its plan wants is not known either: packed at the first call.
    if (x_.size() < 3 || x_.size() > 4 || tensor.shape.size() != x_.size()) return false;
    for (int64_t dim : x_)
      if (dim <= 0) return false;
    plans_.Fix(PlaneShape(Read(x_, tensor.shape), kLayout), tensor);
    return true;
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor w = context.Input(1);
    const Tensor bias = context.OptionalInput(2);
    const Tensor residual = fused_ ? context.OptionalInput(3) : Tensor();
    const ConvolutionShape shape = Read(x.dims(), w.dims());
    Require(!bias || bias.count() == static_cast<size_t>(w.dim(0)), "input B must have ", w.dim(0), " elements");
    const size_t rank = x.rank();
    Shape out{x.dim(0)};
    if (kLayout == ConvLayout::kNchw) out.Append(w.dim(0));
    for (size_t i = 2; i < rank; ++i) out.Append(shape.window.out[WindowGeometry::kAxes - rank + i]);
    if (kLayout == ConvLayout::kNhwc) out.Append(w.dim(0));
    Require(!residual || residual.shape() == out, "input Z has not the output's shape");
    const Tensor y = context.Output(0, out);
    if (y.count() == 0) return;
    if (x.type() == kTypeOf<double>) {
      Require(activation_.kind == ActivationKind::kNone && !residual, "FusedConv serves float only");
      ConvolveByProducts(context, shape, x.data<double>(), w.data<double>(), bias ? bias.data<double>() : nullptr,
                         static_cast<const double*>(nullptr), activation_, y.data<double>());
    } else if (rank == 5 || x.count() == 0) {
      RunGeneral(context, shape, x, w, bias, residual, y);
    } else {
      RunPlane(context, shape, x, w, bias, residual, y);
    }
  }

 private:
  ConvolutionShape Read(std::span<const int64_t> x, std::span<const int64_t> w) const {
    Require(x.size() >= 3 && w.size() == x.size(), "Conv needs X and W of the same rank, 3 or more; they have ",
            x.size(), " and ", w.size());
    const int64_t channels = kLayout == ConvLayout::kNchw ? x[1] : x.back();
    Require(w[0] % groups_ == 0 && channels == w[1] * groups_, "X has ", channels, " channels, W takes ", w[1],
            " in each of ", groups_, " groups and makes ", w[0]);
    ConvolutionShape shape;
    shape.window = window_.Apply(x.subspan(kLayout == ConvLayout::kNchw ? 2 : 1, x.size() - 2), w.subspan(2));
    shape.batch = static_cast<size_t>(x[0]);
    shape.groups = static_cast<size_t>(groups_);
    shape.in_channels = static_cast<size_t>(w[1]);
    shape.out_channels = static_cast<size_t>(w[0]) / shape.groups;
    return shape;
  }

  void RunPlane(KernelContext& context, const ConvolutionShape& shape, const Tensor& x, const Tensor& w,
                const Tensor& bias, const Tensor& residual, const Tensor& y) const {
    const bool weights_here = !plans_.fixed();  // a packed weight's original may be gone
    const auto entry =
        plans_.Find(PlaneShape(shape, kLayout), weights_here && constant_weights_ ? w.data<float>() : nullptr);
    const Parallel parallel = ParallelOf(context);
    const void* packed = entry->packed;
    if (packed == nullptr) {
      Require(weights_here, "the input's shape differs from the one that the model declares");
      void* fresh = context.Scratch(entry->plan.PackedWeightsSize());
      entry->plan.PackWeights(w.data<float>(), fresh, parallel);
      packed = fresh;
    }
    Epilogue epilogue;
    epilogue.bias = bias ? bias.data<float>() : nullptr;
    epilogue.residual = residual ? residual.data<float>() : nullptr;
    epilogue.activation = activation_;
    const size_t bytes = entry->plan.ScratchSize(parallel.threads);
    entry->plan.Run(x.data<float>(), packed, y.data<float>(), epilogue, bytes == 0 ? nullptr : context.Scratch(bytes),
                    parallel);
  }

  /// Three spatial axes; channels-last data is turned round and back.
  void RunGeneral(KernelContext& context, const ConvolutionShape& shape, const Tensor& x, const Tensor& w,
                  const Tensor& bias, const Tensor& residual, const Tensor& y) const {
    const auto* weights = w.data<float>();
    const float* added = bias ? bias.data<float>() : nullptr;
    if constexpr (kLayout == ConvLayout::kNchw) {
      ConvolveByProducts(context, shape, x.data<float>(), weights, added, residual ? residual.data<float>() : nullptr,
                         activation_, y.data<float>());
    } else {
      auto* first = context.Scratch<float>(x.count());
      auto* last = context.Scratch<float>(y.count());
      const float* extra = nullptr;
      if (residual) {
        auto* turned = context.Scratch<float>(y.count());
        ToChannelsFirst(context, residual.data<float>(), turned, residual.dims());
        extra = turned;
      }
      ToChannelsFirst(context, x.data<float>(), first, x.dims());
      ConvolveByProducts(context, shape, first, weights, added, extra, activation_, last);
      ToChannelsLast(context, last, y.data<float>(), y.dims());
    }
  }

  WindowAttributes window_;
  int64_t groups_;
  bool fused_;
  Activation activation_;
  std::vector<int64_t> x_;  ///< the input's shape where the model declares it, -1 for what it leaves open
  bool constant_weights_ = false;
  mutable ConvPlans plans_;  ///< a cache with its own lock
};

}  // namespace

void RegisterConv(KernelList& list) {
  const std::vector<TypeRule> single = {{"T", {kTypeOf<float>}}};
  list.Add({.op = "Conv", .types = {{"T", Floats::Values()}}, .make = MakeKernel<Conv<ConvLayout::kNchw>>});
  list.Add({.op = "Conv", .types = {{"T", Halves::Values()}}, .make = MakeWidened<Conv<ConvLayout::kNchw>>});
  list.Add(
      {.domain = "com.microsoft", .op = "FusedConv", .types = single, .make = MakeKernel<Conv<ConvLayout::kNchw>>});
  list.Add({.domain = kNhwcDomain, .op = "Conv", .types = single, .make = MakeKernel<Conv<ConvLayout::kNhwc>>});
  list.Add({.domain = kNhwcDomain, .op = "FusedConv", .types = single, .make = MakeKernel<Conv<ConvLayout::kNhwc>>});
}

}  // namespace ortrun::cpu
