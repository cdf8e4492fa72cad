// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/graph/type_info.h"

namespace ortrun {

/// The shape of Einsum's result (its element type is left alone), or nothing where the equation is not one or does not
/// suit the operands' shapes: the kernel says why. Work and memory follow the lengths of the equation and the ranks.
/// onnx's own inference of this operator does not end for some equations.
std::optional<TensorType> InferEinsum(const std::string& equation, const std::vector<const TensorType*>& operands);

}  // namespace ortrun
