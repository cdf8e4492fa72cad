// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/type_info.h"

namespace ortrun {

/// Puts what was inferred of a value into what the model declares of it. Kinds and element types, those that sequences,
/// maps and optionals hold too, must agree where both are known: answers false, and leaves `declared` alone, where they
/// do not. Shapes are hints: a dimension that both say differently is unknown afterwards, and so is a shape of another
/// rank. Of two names for a dimension the declared one stays.
bool MergeType(const TypeInfo& inferred, TypeInfo& declared);

}  // namespace ortrun
