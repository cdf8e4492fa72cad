// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/tensor.h"

namespace ortrun::cli {

/// Parses the content of a .npy file (format 1.0 to 3.0, little-endian numbers, bools and unicode text; C or Fortran
/// order). `where` names the file in messages. Throws CliError(kBadInput).
Tensor ParseNpy(std::string_view content, const std::string& where);
/// The content of a .npy file, format 1.0; text becomes numpy unicode. bfloat16 is widened to float32.
std::string FormatNpy(const Tensor& tensor);

/// The arrays of a .npz file by name. Throws CliError(kBadInput).
std::vector<std::pair<std::string, Tensor>> ReadNpz(const std::string& path);

/// Whole file; throws CliError(kBadInput) when it cannot be read.
std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, std::string_view content);

}  // namespace ortrun::cli
