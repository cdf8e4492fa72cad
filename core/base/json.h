// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ortrun {

/// `text` as a JSON string, quotes included. Bytes that are not UTF-8 become the replacement character.
std::string JsonText(std::string_view text);

}  // namespace ortrun
