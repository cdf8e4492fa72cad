// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ortrun::cpu {

/// Bytes of the character that starts at text[at], or 0 when the bytes there are no UTF-8.
size_t Utf8Length(std::string_view text, size_t at);

/// Characters in `text`; throws when it is no UTF-8.
size_t CountUtf8(std::string_view text);

enum class CaseChange { kNone, kLower, kUpper };

/// `text` with every character's simple case mapping applied; bytes that are no UTF-8 throw.
std::string ChangeCase(std::string_view text, CaseChange change);

}  // namespace ortrun::cpu
