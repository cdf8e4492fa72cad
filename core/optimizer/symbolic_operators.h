// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace ortrun {

/// Whether the operator's first output has the shape of its first input.
bool KeepsShape(const std::string& op);
/// Whether its output has the shape to which all its inputs broadcast.
bool Broadcasts(const std::string& op);

}  // namespace ortrun
