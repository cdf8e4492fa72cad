// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/execution/value.h"
#include "core/graph/type_info.h"

namespace ortrun {

/// Whether a value is of a declared type, shapes left aside: kind, element types, what sequences, maps and optionals
/// hold. What the declaration leaves open fits. All that kernels were chosen by is compared here.
bool FitsType(const TypeInfo& declared, const Value& value);

/// "tensor(float)", or for a sequence with an element that does not fit: "seq(...) with tensor(double) at 2".
std::string TypeFound(const TypeInfo& declared, const Value& value);

}  // namespace ortrun
