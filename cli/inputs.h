// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/tensor.h"

namespace ortrun::cli {

/// Where the inputs of a run come from.
struct InputRequest {
  /// "NAME=FILE.npy", "FILE.npz" (arrays by name), "FILE.json" (an object: name to nested lists), or "FILE.npy" for a
  /// model with one input.
  std::vector<std::string> given;
  std::map<std::string, int64_t> dimensions;  ///< sizes for free dimensions by name
  uint64_t seed = 0;
};

/// One tensor per input of the model, in its order; those not given are random: floats in [-1, 1), integers in [0, 8),
/// bools, short words. The same seed gives the same tensors. Throws CliError(kBadInput) naming the input, the nearest
/// valid name and the free dimensions that have no size.
std::vector<Tensor> MakeInputs(const std::vector<Slot>& slots, const InputRequest& request);

}  // namespace ortrun::cli
