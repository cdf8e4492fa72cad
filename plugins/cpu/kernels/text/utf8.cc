// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/text/utf8.h"

#include <clocale>
#include <cwctype>

#include "ortrun/error.h"

namespace ortrun::cpu {
namespace {

/// The characters' classes are Unicode's whatever the process' own locale is. Made once, kept for the process' life.
locale_t UnicodeLocale() {
  static const locale_t locale = [] {
    for (const char* name : {"C.UTF-8", "C.utf8", "en_US.UTF-8"})
      if (const locale_t found = newlocale(LC_CTYPE_MASK, name, nullptr)) return found;
    return static_cast<locale_t>(nullptr);
  }();
  return locale;
}

uint32_t MapCase(uint32_t character, CaseChange change) {
  const bool lower = change == CaseChange::kLower;
  if (character < 0x80) {
    if (lower) return character >= 'A' && character <= 'Z' ? character + 32 : character;
    return character >= 'a' && character <= 'z' ? character - 32 : character;
  }
  const locale_t locale = UnicodeLocale();
  if (locale == nullptr) return character;
  return static_cast<uint32_t>(lower ? towlower_l(character, locale) : towupper_l(character, locale));
}

uint32_t Decode(std::string_view text, size_t at, size_t length) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at + i])); };
  switch (length) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1fu) << 6 | (byte(1) & 0x3fu);
    case 3:
      return (byte(0) & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu);
    default:
      return (byte(0) & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu);
  }
}

void Encode(uint32_t character, std::string& to) {
  const auto put = [&](uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xc0u | character >> 6);
    put(0x80u | (character & 0x3fu));
  } else if (character < 0x10000) {
    put(0xe0u | character >> 12);
    put(0x80u | (character >> 6 & 0x3fu));
    put(0x80u | (character & 0x3fu));
  } else {
    put(0xf0u | character >> 18);
    put(0x80u | (character >> 12 & 0x3fu));
    put(0x80u | (character >> 6 & 0x3fu));
    put(0x80u | (character & 0x3fu));
  }
}

}  // namespace

size_t Utf8Length(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  size_t length = 0;
  if (first < 0x80)
    return 1;
  else if (first >= 0xc2 && first < 0xe0)
    length = 2;
  else if (first >= 0xe0 && first < 0xf0)
    length = 3;
  else if (first >= 0xf0 && first < 0xf5)
    length = 4;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0u) != 0x80u) return 0;
  return length;
}

size_t CountUtf8(std::string_view text) {
  size_t characters = 0;
  for (size_t at = 0; at < text.size(); ++characters) {
    const size_t length = Utf8Length(text, at);
    Require(length != 0, "a string is not valid UTF-8 at byte ", at);
    at += length;
  }
  return characters;
}

std::string ChangeCase(std::string_view text, CaseChange change) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    Require(length != 0, "a string is not valid UTF-8 at byte ", at);
    const uint32_t character = Decode(text, at, length);
    Encode(change == CaseChange::kNone ? character : MapCase(character, change), result);
    at += length;
  }
  return result;
}

}  // namespace ortrun::cpu
