// SPDX-License-Identifier: Apache-2.0
// ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceL1, ReduceL2, ReduceLogSum, ReduceLogSumExp and
// ReduceSumSquare, every version: axes as an attribute (until 13 for ReduceSum, until 18 for the others) or an input.

#include <cstring>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/reduction/reduce.h"
#include "plugins/cpu/kernels/reduction/reduce_loop.h"

namespace ortrun::cpu {
namespace {

struct LogSumExpOp {};

/// The axes of one call: the input where there is one, else the attribute; all of them where that says so.
class ReduceKernel : public Kernel {
 public:
  explicit ReduceKernel(const KernelInfo& info)
      : axes_(info.Ints("axes")),
        keep_dims_(info.Int("keepdims", 1) != 0),
        no_op_when_empty_(info.Int("noop_with_empty_axes", 0) != 0) {}

 protected:
  ReductionLayout Layout(const KernelContext& context, const Shape& input) const {
    std::span<const int64_t> axes = axes_;
    if (const Tensor given = context.OptionalInput(1)) {
      Require(given.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "axes must be int64");
      axes = {given.data<int64_t>(), given.count()};
    }
    std::array<int64_t, Shape::kMaxRank> all{};
    if (axes.empty() && !no_op_when_empty_) {
      for (size_t i = 0; i < input.rank(); ++i) all[i] = static_cast<int64_t>(i);
      axes = {all.data(), input.rank()};
    }
    return MakeReductionLayout(input, axes, keep_dims_);
  }

 private:
  std::vector<int64_t> axes_;
  bool keep_dims_;
  bool no_op_when_empty_;
};

template <typename Op, typename Types>
class ReduceOperator : public ReduceKernel {
 public:
  using ReduceKernel::ReduceKernel;
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const ReductionLayout layout = Layout(context, x.shape());
    const Tensor y = context.Output(0, layout.output);
    if (!y) return;
    DispatchType<Types>(x.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      if constexpr (std::is_same_v<Op, LogSumExpOp>)
        ReduceLogSumExp(context, layout, x.data<T>(), y.data<T>());
      else
        Reduce<Op>(context, layout, x.data<T>(), y.data<T>());
    });
  }
};

using Numeric = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t, Float16, BFloat16>;
using Ordered = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t, Float16, BFloat16, int8_t, uint8_t, bool>;

template <typename Op, typename Types = Numeric>
void Register(KernelList& list, const char* name) {
  using Reduction = ReduceOperator<Op, Types>;
  AddWidened(list, {.op = name, .types = {{"T", Types::Values()}}, .make = MakeKernel<Reduction>},
             MakeWidened<Reduction>);
}

}  // namespace

void RegisterReductions(KernelList& list) {
  Register<SumOp>(list, "ReduceSum");
  Register<MeanOp>(list, "ReduceMean");
  Register<ProductOp>(list, "ReduceProd");
  Register<L1Op>(list, "ReduceL1");
  Register<L2Op>(list, "ReduceL2");
  Register<LogSumOp>(list, "ReduceLogSum");
  Register<SumSquareOp>(list, "ReduceSumSquare");
  Register<LogSumExpOp>(list, "ReduceLogSumExp");
  Register<MaxOp, Ordered>(list, "ReduceMax");
  Register<MinOp, Ordered>(list, "ReduceMin");
  RegisterArgExtremes(list);
  RegisterCumulative(list);
}

}  // namespace ortrun::cpu
