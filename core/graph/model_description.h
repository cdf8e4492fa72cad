// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace ortrun {

/// What a model file holds as JSON (see plugin-api/include/ortrun/tools.h, ORTRUN_DESCRIBE_MODEL). Reads neither
/// weights nor external data. Errors as ReadModel's.
std::string DescribeModel(const std::filesystem::path& path);

}  // namespace ortrun
