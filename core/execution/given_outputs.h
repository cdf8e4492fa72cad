// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/execution/program.h"
#include "core/execution/value.h"

namespace ortrun {

/// Whether two values have memory in common.
bool Overlap(const Value& a, const Value& b);

/// The one check of a value that the caller gives to receive output `index` of a program, before anything runs: its
/// type, the memory that it is in, that it may be written. Its shape is compared once it is known; see Frame.
/// Throws Error(ORT_INVALID_ARGUMENT).
void CheckGivenOutput(const Program& program, size_t index, const Value& given);

/// Given outputs may lie over inputs, and then the inputs are copied first: `inputs` points to the copies, which
/// `copies` holds. Two given outputs over each other are an Error(ORT_INVALID_ARGUMENT).
void KeepApart(const Program& program, std::span<const Value> outputs, std::span<const Value*> inputs,
               std::vector<std::unique_ptr<const Value>>& copies);

}  // namespace ortrun
