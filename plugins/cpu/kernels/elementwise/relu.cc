// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"

namespace ortrun::cpu {
namespace {

using ReluTypes = TypeList<float, double, int8_t, int16_t, int32_t, int64_t>;

/// Below this many elements a second thread costs more than it saves.
constexpr size_t kGrain = 1 << 16;

class Relu : public Kernel {
 public:
  explicit Relu(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.dims());
    DispatchType<ReluTypes>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const T* from = x.data<T>();
      T* to = y.data<T>();
      context.ParallelRange(x.count(), kGrain, [=](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) to[i] = from[i] < T{0} ? T{0} : from[i];
      });
    });
  }
};

}  // namespace

void RegisterRelu(KernelList& list) {
  list.Add({.op = "Relu",
            .since = 6,
            .types = {{"T", ReluTypes::Values()}},
            .make = MakeKernel<Relu>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
