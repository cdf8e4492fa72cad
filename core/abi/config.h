// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/key_value_pairs.h"

namespace ortrun::abi {

/// Sets an entry of session or run options within ONNX Runtime's limits: keys of 1 to 1024 bytes, values up to 8192.
void AddConfigEntry(OrtKeyValuePairs& config, const std::string& key, const std::string& value);

}  // namespace ortrun::abi
