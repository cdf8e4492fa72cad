// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class Concat : public Kernel {
 public:
  explicit Concat(const KernelInfo& info) : axis_(info.Int("axis", 1)) {}  // version 1 has a default

  void Compute(KernelContext& context) const override {
    const size_t inputs = context.InputCount();
    Require(inputs >= 1, "Concat needs at least one input");
    const Tensor first = context.Input(0);
    Require(first.rank() >= 1, "Concat cannot join scalars");
    const size_t axis = NormalizeAxis(axis_, first.rank());
    Shape shape = first.shape();
    for (size_t i = 1; i < inputs; ++i) {
      const Tensor x = context.Input(i);
      Require(x.rank() == shape.rank(), "input ", i, " has rank ", x.rank(), ", input 0 has rank ", shape.rank());
      for (size_t k = 0; k < shape.rank(); ++k)
        Require(k == axis || x.dim(k) == shape[k], "input ", i, " has ", x.dim(k), " along axis ", k, ", input 0 has ",
                shape[k], "; only axis ", axis, " may differ");
      shape[axis] += x.dim(axis);
    }
    const Tensor y = context.Output(0, shape);
    ElementMover mover(context, first.type());
    auto* to = static_cast<uint8_t*>(mover.Output(y));
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const size_t inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank())) * mover.size();
    const size_t row = static_cast<size_t>(shape[axis]) * inner;
    for (size_t i = 0, at = 0; i < inputs; ++i) {
      const Tensor x = context.Input(i);
      const size_t piece = static_cast<size_t>(x.dim(axis)) * inner;
      if (x.count() == 0) continue;
      const auto* from = static_cast<const uint8_t*>(mover.Input(x));
      context.ParallelRange(outer, std::max<size_t>(1, kGrainBytes / piece), [=](size_t begin, size_t end) {
        for (size_t r = begin; r < end; ++r) std::memcpy(to + r * row + at, from + r * piece, piece);
      });
      at += piece;
    }
    mover.Finish();
  }

 private:
  static constexpr size_t kGrainBytes = 1 << 18;
  int64_t axis_;
};

}  // namespace

void RegisterConcat(KernelList& list) {
  list.Add({.op = "Concat", .types = {{"T", AllTypes()}}, .make = MakeKernel<Concat>});
}

}  // namespace ortrun::cpu
