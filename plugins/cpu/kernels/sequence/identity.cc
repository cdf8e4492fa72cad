// SPDX-License-Identifier: Apache-2.0
// Identity, of tensors and, where the host lets a kernel hand values on, of sequences, maps and optionals.
#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/sequence/sequence.h"
#include "plugins/cpu/kernels/sequence/values.h"

namespace ortrun::cpu {
namespace {

class Identity : public Kernel {
 public:
  explicit Identity(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.OptionalInput(0);
    if (!x) return ForwardInput(context, 0, 0);
    CopyWhole(context, x, context.Output(0, x.dims()));
  }
};

}  // namespace

void RegisterIdentity(KernelList& list, const Host& host) {
  const auto add = [&](int since, int until, std::vector<TypeRule> types) {
    list.Add({.op = "Identity",
              .since = since,
              .until = until,
              .types = std::move(types),
              .make = MakeKernel<Identity>,
              .alias = {{0, 0}}});
  };
  add(1, 13, {{"T", StoredTypes()}});
  if (OutputValues(host) != nullptr)
    add(14, KernelEntry().until, {});
  else
    add(14, KernelEntry().until, {{"V", StoredTypes()}});
}

}  // namespace ortrun::cpu
