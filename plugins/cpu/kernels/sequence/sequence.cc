// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/sequence/sequence.h"

namespace ortrun::cpu {

void RegisterSequence(KernelList& list, const Host& host) {
  RegisterIdentity(list, host);
  RegisterOptionals(list, host);
  RegisterSequenceElements(list, host);
  RegisterSequenceSplits(list, host);
}

}  // namespace ortrun::cpu
