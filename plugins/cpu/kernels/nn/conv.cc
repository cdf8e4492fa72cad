// SPDX-License-Identifier: Apache-2.0
// Conv and com.microsoft.FusedConv on channels-first data.
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/convolution.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

class Conv : public Kernel {
 public:
  explicit Conv(const KernelInfo& info)
      : window_(info), groups_(info.Int("group", 1)), fused_(info.OperatorType() == "FusedConv") {
    Require(groups_ >= 1, "attribute group=", groups_, " must be at least 1");
    if (fused_) activation_ = FusedActivation(info);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor w = context.Input(1);
    const Tensor bias = context.OptionalInput(2);
    const Tensor residual = fused_ ? context.OptionalInput(3) : Tensor();
    Require(x.rank() >= 3 && w.rank() == x.rank(), "Conv needs X and W of the same rank, 3 or more; they have ",
            x.rank(), " and ", w.rank());
    Require(w.dim(0) % groups_ == 0 && x.dim(1) == w.dim(1) * groups_, "X has ", x.dim(1), " channels, W takes ",
            w.dim(1), " in each of ", groups_, " groups and makes ", w.dim(0));
    Require(!bias || bias.count() == static_cast<size_t>(w.dim(0)), "input B must have ", w.dim(0), " elements");
    ConvolutionShape shape;
    shape.window = window_.Apply(x.dims().subspan(2), w.dims().subspan(2));
    shape.batch = static_cast<size_t>(x.dim(0));
    shape.groups = static_cast<size_t>(groups_);
    shape.in_channels = static_cast<size_t>(w.dim(1));
    shape.out_channels = static_cast<size_t>(w.dim(0)) / shape.groups;
    Shape out{x.dim(0), w.dim(0)};
    for (size_t i = 2; i < x.rank(); ++i) out.Append(shape.window.out[WindowGeometry::kAxes - x.rank() + i]);
    Require(!residual || residual.shape() == out, "input Z has not the output's shape");
    const Tensor y = context.Output(0, out);
    if (y.count() == 0) return;
    if (x.type() == kTypeOf<double>) {
      Require(activation_.loop == nullptr && !residual, "FusedConv serves float only");
      Convolve(context, shape, x.data<double>(), w.data<double>(), bias ? bias.data<double>() : nullptr,
               y.data<double>());
    } else {
      Convolve(context, shape, x.data<float>(), w.data<float>(), bias ? bias.data<float>() : nullptr,
               residual ? residual.data<float>() : nullptr, activation_, y.data<float>());
    }
  }

 private:
  WindowAttributes window_;
  int64_t groups_;
  bool fused_;
  FusedActivation activation_;
};

}  // namespace

void RegisterConv(KernelList& list) {
  list.Add({.op = "Conv", .types = {{"T", Floats::Values()}}, .make = MakeKernel<Conv>});
  list.Add({.domain = "com.microsoft", .op = "FusedConv", .types = {{"T", {kTypeOf<float>}}}, .make = MakeKernel<Conv>});
}

}  // namespace ortrun::cpu
