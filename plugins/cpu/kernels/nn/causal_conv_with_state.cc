// SPDX-License-Identifier: Apache-2.0
// CausalConvWithState: each channel convolved by a kernel of its own that looks back only, over what the call before
// left (the state) and what is new.
#include <algorithm>
#include <string>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< products that pay for handing a task to another thread

class CausalConvWithState : public Kernel {
 public:
  explicit CausalConvWithState(const KernelInfo& info) {
    const std::string activation = info.String("activation", "none");
    Require(activation == "none" || activation == "silu" || activation == "swish", "attribute activation \"",
            activation, "\" is none of none, silu, swish");
    if (activation != "none") activate_ = FindUnaryFloatLoop("Silu");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor weight = context.Input(1);
    const Tensor bias = context.OptionalInput(2);
    const Tensor past = context.OptionalInput(3);
    Require(x.rank() == 3 && weight.rank() == 3, "input and weight must have 3 dimensions, they have ", x.rank(),
            " and ", weight.rank());
    Require(weight.dim(0) == x.dim(1) && weight.dim(1) == 1 && weight.dim(2) >= 1,
            "weight must be [channels, 1, k] for the input's ", x.dim(1), " channels");
    Require(!bias || bias.count() == static_cast<size_t>(x.dim(1)), "bias must have ", x.dim(1), " elements");
    const Shape state{x.dim(0), x.dim(1), weight.dim(2) - 1};
    Require(!past || past.shape() == state, "past_state must be [batch, channels, ", state[2], "]");
    const Tensor y = context.Output(0, x.dims());
    const Tensor present = context.Output(1, state);

    const auto rows = static_cast<size_t>(x.dim(0) * x.dim(1));
    const auto channels = static_cast<size_t>(x.dim(1));
    const auto length = static_cast<size_t>(x.dim(2));
    const auto taps = static_cast<size_t>(weight.dim(2));
    const float* from = ReadFloats(context, x);
    const float* w = ReadFloats(context, weight);
    const float* b = ReadFloats(context, bias);
    const float* before = ReadFloats(context, past);
    const FloatOutput to(context, y);
    const FloatOutput state_to(context, present);
    const size_t padded = taps - 1 + length;
    const size_t tasks = std::min(rows, std::max<size_t>(1, rows * length * taps / kGrain));
    float* lines = context.Scratch<float>(tasks * padded);
    context.ParallelFor(tasks, [&](size_t task) {
      float* line = lines + task * padded;
      for (size_t row = rows * task / tasks; row < rows * (task + 1) / tasks; ++row) {
        const size_t c = row % channels;
        if (before != nullptr)
          std::copy_n(before + row * (taps - 1), taps - 1, line);
        else
          std::fill_n(line, taps - 1, 0.0f);
        std::copy_n(from + row * length, length, line + taps - 1);
        float* out = to.data() + row * length;
        std::fill_n(out, length, b == nullptr ? 0.0f : b[c]);
        for (size_t k = 0; k < taps; ++k) {
          const float factor = w[c * taps + k];
          for (size_t i = 0; i < length; ++i) out[i] += factor * line[k + i];
        }
        if (activate_ != nullptr) activate_(out, out, length, 0, 0);
        if (state_to.data() != nullptr) std::copy_n(line + length, taps - 1, state_to.data() + row * (taps - 1));
      }
    });
    to.Finish();
    state_to.Finish();
  }

 private:
  UnaryFloatLoop activate_ = nullptr;
};

}  // namespace

void RegisterCausalConvWithState(KernelList& list) {
  list.Add({.op = "CausalConvWithState",
            .since = 27,
            .types = {{"T", FloatAndHalf::Values()}},
            .make = MakeKernel<CausalConvWithState>});
}

}  // namespace ortrun::cpu
