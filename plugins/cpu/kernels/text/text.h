// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterTokenizer(KernelList& list);
void RegisterTfIdfVectorizer(KernelList& list);
void RegisterStringOperators(KernelList& list);

/// Operators on strings.
void RegisterText(KernelList& list);

}  // namespace ortrun::cpu
