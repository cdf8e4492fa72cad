// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/strings.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

class Where : public Kernel {
 public:
  explicit Where(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor condition = context.Input(0);
    const Tensor x = context.Input(1);
    const Tensor y = context.Input(2);
    const BroadcastLoop loop({condition.dims(), x.dims(), y.dims()});
    const Tensor out = context.Output(0, loop.shape());
    const bool* choose = condition.data<bool>();
    const size_t choose_step = loop.steps(0) ? 1 : 0;
    const size_t x_step = loop.steps(1) ? 1 : 0;
    const size_t y_step = loop.steps(2) ? 1 : 0;
    if (x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      loop.ForEachRun(context, loop.count(), [&](size_t offset, size_t length, const BroadcastLoop::Offsets& at) {
        for (size_t i = 0; i < length; ++i) {
          const bool first = choose[at[0] + i * choose_step];
          CopyString(context.host(), first ? x : y, first ? at[1] + i * x_step : at[2] + i * y_step, out, offset + i);
        }
      });
      return;
    }
    DispatchSize(ElementSize(x.type()), [&]<typename T>(std::type_identity<T>) {
      loop.ForEachRun(context, kCheapGrain, [&](size_t offset, size_t length, const BroadcastLoop::Offsets& at) {
        const bool* c = choose + at[0];
        const T* a = x.data<T>() + at[1];
        const T* b = y.data<T>() + at[2];
        T* to = out.data<T>() + offset;
        if (choose_step == 0) {
          const T* from = *c ? a : b;
          const size_t step = *c ? x_step : y_step;
          for (size_t i = 0; i < length; ++i) to[i] = from[i * step];
        } else {
          for (size_t i = 0; i < length; ++i) to[i] = c[i] ? a[i * x_step] : b[i * y_step];
        }
      });
    });
  }
};

}  // namespace

void RegisterWhere(KernelList& list) {
  list.Add({.op = "Where",
            .since = 9,
            .types = {{"T", AllTypes()}},
            .make = MakeKernel<Where>,
            .may_inplace = {{1, 0}, {2, 0}}});
}

}  // namespace ortrun::cpu
