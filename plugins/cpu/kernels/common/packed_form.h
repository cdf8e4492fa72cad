// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "ortrun/host.h"
#include "ortrun/kernel_info.h"

namespace ortrun::cpu {

/// A weight in a kernel's own form, aligned to 64 bytes. Kernels that want the same form of one weight share it, so it
/// is never written to after it is made.
using PackedForm = std::shared_ptr<const void>;

/// In Kernel::PrePack: `bytes` of memory filled by fill(data), which may throw. `form` is text that, together with the
/// weight's bytes, decides what fill writes: on a host that shares packed weights, another kernel's memory of that form
/// is answered instead. Elsewhere, and for a weight that is no value of the host's, the memory is the caller's own.
PackedForm Pack(const ConstantTensor& weight, const std::string& form, size_t bytes,
                const std::function<void(void*)>& fill);

/// Asks a host for its table of packed weights, once, before kernels are made for it. Only one host of a process has
/// it.
void UsePackedWeights(const Host& host);

}  // namespace ortrun::cpu
