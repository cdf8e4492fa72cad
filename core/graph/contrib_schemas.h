// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/graph/schema.h"

namespace ortrun {

/// Operators outside the standard: those of com.microsoft and com.ms.internal.nhwc, the standard domain's experimental
/// ones of the first opsets, and ortrun's fused ones. nullptr where `version` is later than the operator's last.
const OperatorSchema* FindContribSchema(const std::string& domain, const std::string& op, int version);
void AddContribNames(const std::string& domain, std::vector<std::string>& names);

/// Fills what follows from the rest: inputs and outputs of each type constraint, tensor types of each parameter.
void CompleteConstraints(OperatorSchema& schema);

}  // namespace ortrun
