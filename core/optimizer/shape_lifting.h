// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

/// Lets a Shape node ask as far up in the graph as the answer is the same: through operators that keep a shape, through
/// transposes and concatenations. So it neither keeps alive nor waits for values that nobody else may need: patterns
/// around them can be fused, and what joins keys and values may read masks made from their length.
bool LiftShape(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& node);

}  // namespace ortrun
