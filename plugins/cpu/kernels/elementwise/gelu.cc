// SPDX-License-Identifier: Apache-2.0
// Gelu, and the forms that Microsoft's domain has of it: Gelu, FastGelu, BiasGelu, QuickGelu.
#include <cmath>
#include <numbers>
#include <string>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

enum class GeluForm {
  kErf,   ///< x (1 + erf(x / sqrt 2)) / 2
  kTanh,  ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  kQuick  ///< x sigmoid(alpha x)
};

const char* LoopName(GeluForm form) {
  switch (form) {
    case GeluForm::kErf:
      return "Gelu";
    case GeluForm::kTanh:
      return "GeluTanh";
    default:
      return "QuickGelu";
  }
}

double InDouble(GeluForm form, double x, double alpha) {
  if (form == GeluForm::kErf) return 0.5 * x * (1 + std::erf(x * std::numbers::sqrt2 / 2));
  if (form == GeluForm::kQuick) return x / (1 + std::exp(-alpha * x));
  const double inner = std::numbers::sqrt2 * std::numbers::inv_sqrtpi * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1 + std::tanh(inner));
}

/// y = gelu(x + bias); the bias, where there is one, runs along the last axis.
class GeluKernel : public Kernel {
 public:
  GeluKernel(GeluForm form, float alpha) : form_(form), alpha_(alpha), loop_(FindUnaryFloatLoop(LoopName(form))) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor bias = context.InputCount() > 1 ? context.OptionalInput(1) : Tensor();
    const size_t row = bias ? bias.count() : x.count();
    Require(!bias || (bias.rank() == 1 && x.rank() >= 1 && x.dim(x.rank() - 1) == bias.dim(0)),
            "the bias must have one number for each place of the last axis");
    const Tensor y = context.Output(0, x.dims());
    if (x.count() == 0) return;
    const size_t rows = x.count() / row;
    if (x.type() == kTypeOf<double>) {
      const double* from = x.data<double>();
      const double* added = bias ? bias.data<double>() : nullptr;
      double* to = y.data<double>();
      context.ParallelRange(x.count(), kCostlyGrain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          to[i] = InDouble(form_, from[i] + (added == nullptr ? 0 : added[i % row]), static_cast<double>(alpha_));
      });
      return;
    }
    const float* from = ReadFloats(context, x);
    const FloatOutput out(context, y);
    if (!bias) {
      context.ParallelRange(x.count(), kCostlyGrain, [&](size_t begin, size_t end) {
        loop_(from + begin, out.data() + begin, end - begin, alpha_, 0);
      });
    } else {
      const float* added = ReadFloats(context, bias);
      const BinaryFloatLoop add = FindBinaryFloatLoops("Add")->both;
      context.ParallelRange(rows, std::max<size_t>(1, kCostlyGrain / row), [&](size_t begin, size_t end) {
        for (size_t r = begin; r < end; ++r) {
          float* to = out.data() + r * row;
          add(from + r * row, added, to, row);
          loop_(to, to, row, alpha_, 0);
        }
      });
    }
    out.Finish();
  }

 private:
  GeluForm form_;
  float alpha_;
  UnaryFloatLoop loop_;
};

GeluForm StandardForm(const KernelInfo& info) {
  const std::string approximate = info.String("approximate", "none");
  Require(approximate == "none" || approximate == "tanh", "attribute approximate=\"", approximate,
          "\" must be none or tanh");
  return approximate == "tanh" ? GeluForm::kTanh : GeluForm::kErf;
}

struct Gelu : GeluKernel {
  explicit Gelu(const KernelInfo& info) : GeluKernel(StandardForm(info), 1) {}
};
struct FastGelu : GeluKernel {
  explicit FastGelu(const KernelInfo&) : GeluKernel(GeluForm::kTanh, 1) {}
};
struct QuickGelu : GeluKernel {
  explicit QuickGelu(const KernelInfo& info) : GeluKernel(GeluForm::kQuick, info.Float("alpha", 1.702F)) {}
};

}  // namespace

void RegisterGelu(KernelList& list) {
  const auto all = AllFloats::Values();
  const auto add = [&](const char* domain, const char* op, int since, KernelFactory make) {
    list.Add(
        {.domain = domain, .op = op, .since = since, .types = {{"T", all}}, .make = make, .may_inplace = {{0, 0}}});
  };
  add("", "Gelu", 20, MakeKernel<Gelu>);
  add("com.microsoft", "Gelu", 1, MakeKernel<Gelu>);
  add("com.microsoft", "BiasGelu", 1, MakeKernel<Gelu>);
  add("com.microsoft", "FastGelu", 1, MakeKernel<FastGelu>);
  add("com.microsoft", "QuickGelu", 1, MakeKernel<QuickGelu>);
}

}  // namespace ortrun::cpu
