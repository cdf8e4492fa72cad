// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "python/src/api.h"
#include "python/src/element_types.h"

namespace ortrun::python {

/// A sequence of tensors without elements. CreateValue cannot make one, since it takes the type from the first element;
/// so a model of the one operator SequenceEmpty does.
Owned<OrtValue> EmptySequence(ElementType element);

}  // namespace ortrun::python
