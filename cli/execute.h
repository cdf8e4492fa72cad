// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/tensor.h"

namespace ortrun::cli {

struct Timing {
  double create_ms = 0;
  std::vector<double> runs_ms;
};

/// Runs a session `repeat` times and answers the outputs of the last run, those that are no tensors left out. Throws
/// CliError: kBadInput for inputs that do not fit, kFailed for anything else.
std::map<std::string, Tensor> Execute(const Runtime& runtime, OrtSession* session, std::vector<Tensor>& inputs,
                                      const std::vector<Slot>& input_slots, const std::vector<Slot>& output_slots,
                                      size_t repeat, Timing& timing);

}  // namespace ortrun::cli
