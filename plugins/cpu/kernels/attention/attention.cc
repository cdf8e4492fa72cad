// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/attention/attention.h"

namespace ortrun::cpu {

void RegisterAttention(KernelList& list) {
  RegisterStandardAttention(list);
  RegisterLinearAttention(list);
  RegisterMultiHeadAttention(list);
  RegisterRotaryEmbedding(list);
}

}  // namespace ortrun::cpu
