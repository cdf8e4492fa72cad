// SPDX-License-Identifier: Apache-2.0
// Optional, OptionalHasElement, OptionalGetElement.
#include "plugins/cpu/kernels/sequence/sequence.h"
#include "plugins/cpu/kernels/sequence/values.h"

namespace ortrun::cpu {
namespace {

bool HasElement(const KernelContext& context) {
  const OrtApi& api = *context.host().api;
  const OrtValue* value = context.InputCount() == 0 ? nullptr : context.InputValue(0);
  int has = 0;
  if (value != nullptr) ThrowOnError(api, api.HasValue(value, &has));
  return has != 0;
}

class Optional : public Kernel {
 public:
  explicit Optional(const KernelInfo&) {}
  void Compute(KernelContext& context) const override { ForwardInput(context, 0, 0); }
};

class OptionalHasElement : public Kernel {
 public:
  explicit OptionalHasElement(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const bool has = HasElement(context);
    *context.Output(0, Shape{}).data<bool>() = has;
  }
};

class OptionalGetElement : public Kernel {
 public:
  explicit OptionalGetElement(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    Require(HasElement(context), "the optional holds no element: ask OptionalHasElement first");
    const OrtApi& api = *context.host().api;
    const OrtValue* value = context.InputValue(0);
    int is_tensor = 0;
    ThrowOnError(api, api.IsTensor(value, &is_tensor));
    if (is_tensor == 0) return ForwardInput(context, 0, 0);
    CopyElement(context, ViewOf(context.host(), value), 0);
  }
};

}  // namespace

void RegisterOptionals(KernelList& list, const Host& host) {
  list.Add({.op = "OptionalHasElement", .since = 15, .make = MakeKernel<OptionalHasElement>});
  if (OutputValues(host) == nullptr) return;
  list.Add({.op = "Optional", .since = 15, .make = MakeKernel<Optional>});
  list.Add({.op = "OptionalGetElement", .since = 15, .make = MakeKernel<OptionalGetElement>});
}

}  // namespace ortrun::cpu
