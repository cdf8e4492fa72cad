// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/elementwise/elementwise.h"

namespace ortrun::cpu {

void RegisterElementwise(KernelList& list) {
  RegisterActivations(list);
  RegisterArithmetic(list);
  RegisterCast(list);
  RegisterComparisons(list);
  RegisterElementwiseChain(list);
  RegisterGelu(list);
  RegisterPow(list);
  RegisterUnaries(list);
  RegisterVariadics(list);
  RegisterWhere(list);
}

}  // namespace ortrun::cpu
