// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterStandardAttention(KernelList& list);
void RegisterLinearAttention(KernelList& list);
void RegisterMultiHeadAttention(KernelList& list);
void RegisterRotaryEmbedding(KernelList& list);

/// Attention of every kind, and the rotary embedding of its queries and keys.
void RegisterAttention(KernelList& list);

}  // namespace ortrun::cpu
