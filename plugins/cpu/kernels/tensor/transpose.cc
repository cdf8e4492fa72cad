// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/strided_copy.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

class Transpose : public Kernel {
 public:
  explicit Transpose(const KernelInfo& info) : permutation_(info.Ints("perm")) {
    std::vector<bool> seen(permutation_.size(), false);
    for (int64_t axis : permutation_) {
      const bool fits = axis >= 0 && axis < static_cast<int64_t>(seen.size());
      Require(fits && !seen[static_cast<size_t>(fits ? axis : 0)], "attribute perm is not a permutation: it has ", axis,
              " among ", permutation_.size(), " entries");
      seen[static_cast<size_t>(axis)] = true;
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const size_t rank = x.rank();
    Require(permutation_.empty() || permutation_.size() == rank, "attribute perm has ", permutation_.size(),
            " entries for an input of rank ", rank);
    Shape steps = x.shape();
    int64_t step = 1;
    for (size_t axis = rank; axis-- > 0;) {
      steps[axis] = step;
      step *= x.dim(axis);
    }
    Shape shape = steps;
    Shape strides = steps;
    for (size_t i = 0; i < rank; ++i) {
      const size_t from = permutation_.empty() ? rank - 1 - i : static_cast<size_t>(permutation_[i]);
      shape[i] = x.dim(from);
      strides[i] = steps[from];
    }
    const Tensor y = context.Output(0, shape);
    ElementMover mover(context, x.type());
    const void* from = mover.Input(x);
    StridedCopy(context, from, mover.Output(y), shape.dims(), strides.dims(), mover.size());
    mover.Finish();
  }

 private:
  std::vector<int64_t> permutation_;
};

}  // namespace

void RegisterTranspose(KernelList& list) {
  list.Add({.op = "Transpose", .types = {{"T", StoredTypes()}}, .make = MakeKernel<Transpose>});
}

}  // namespace ortrun::cpu
