// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Operators on sequences of tensors and on optional values, and Identity; those that make such values only where the
/// host lets a kernel do it.
void RegisterSequence(KernelList& list, const Host& host);

// One function a file, called by RegisterSequence.
void RegisterIdentity(KernelList& list, const Host& host);
void RegisterOptionals(KernelList& list, const Host& host);
void RegisterSequenceElements(KernelList& list, const Host& host);
void RegisterSequenceSplits(KernelList& list, const Host& host);

}  // namespace ortrun::cpu
