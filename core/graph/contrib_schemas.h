// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/graph/schema.h"

namespace ortrun {

/// Operators outside the standard: those of com.microsoft and com.ms.internal.nhwc, and ortrun's fused ones.
const OperatorSchema* FindContribSchema(const std::string& domain, const std::string& op);
void AddContribNames(const std::string& domain, std::vector<std::string>& names);

/// Fills what follows from the rest: inputs and outputs of each type constraint, tensor types of each parameter.
void CompleteConstraints(OperatorSchema& schema);

}  // namespace ortrun
