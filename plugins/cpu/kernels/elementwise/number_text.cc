// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/elementwise/number_text.h"

#include <algorithm>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace ortrun::cpu {
namespace {

/// What the host program set as its locale does not change what a model computes.
locale_t PlainLocale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return locale;
}

std::string_view WithoutSpace(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

template <typename T>
constexpr bool kIsHalf = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

/// The fewest digits, with an exponent where the number is far from 1.
template <typename F>
std::string PrintFloating(F value) {
  constexpr F kPlainEnd = std::is_same_v<F, float> ? F(1e8) : F(1e16);
  const F size = std::abs(value);
  const bool plain = size == 0 || (size >= F(1e-4) && size < kPlainEnd);
  char text[64];
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  return std::string(text, std::to_chars(text, text + sizeof text, value, format).ptr);
}

/// The decimal fraction of fewest digits that is rounded to this half: it tells it from its neighbours.
template <typename T>
float FewestDigits(T value) {
  constexpr int kEnough = 5;
  float decimal = value;
  if (std::trunc(decimal) == decimal) return decimal;  // a whole number is written in full
  for (int digits = 1; digits <= kEnough; ++digits) {
    char text[64];
    *std::to_chars(text, text + sizeof text - 1, static_cast<float>(value), std::chars_format::general, digits).ptr = 0;
    decimal = strtof_l(text, nullptr, PlainLocale());
    if (T(decimal).bits == value.bits) break;
  }
  return decimal;
}

[[noreturn]] void Refuse(const std::string& text, const char* kind) {
  throw Error(ORT_INVALID_ARGUMENT, Concat("the string \"", text, "\" is not a ", kind, " and cannot be cast"));
}

/// The whole text as a floating-point number, read in its own precision: rounding twice can miss the nearest.
template <typename F>
F ParseFloating(const std::string& text, const char* kind) {
  const std::string trimmed(WithoutSpace(text));
  char* end = nullptr;
  F value;
  if constexpr (std::is_same_v<F, float>)
    value = strtof_l(trimmed.c_str(), &end, PlainLocale());
  else
    value = strtod_l(trimmed.c_str(), &end, PlainLocale());
  if (trimmed.empty() || end != trimmed.c_str() + trimmed.size()) Refuse(text, kind);
  return value;
}

template <typename T>
T ParseInteger(const std::string& text) {
  constexpr const char* kKind = "number of this integer type";
  std::string_view digits = WithoutSpace(text);
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  T value{};
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc::result_out_of_range) Refuse(text, kKind);
  if (result.ec == std::errc() && result.ptr == digits.data() + digits.size()) return value;
  const double number = std::trunc(ParseFloating<double>(text, "number"));  // "1.5", "1e3"
  // The largest number of 64 bits is no double: the limit is the power of two behind it.
  constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
  const double limit = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (!(number >= kLow && number < limit)) Refuse(text, kKind);
  return static_cast<T>(number);
}

bool ParseBoolean(const std::string& text) {
  std::string word(WithoutSpace(text));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (word == "true") return true;
  if (word == "false") return false;
  return ParseFloating<double>(text, "boolean") != 0;
}

}  // namespace

template <typename T>
std::string PrintNumber(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "1" : "0";
  } else if constexpr (std::is_integral_v<T>) {
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
  } else {
    if (value != value) return "NaN";
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    const auto wide = static_cast<Wide>(value);
    if (std::isinf(wide)) return wide > 0 ? "INF" : "-INF";
    if constexpr (kIsHalf<T>)
      return PrintFloating(FewestDigits(value));
    else
      return PrintFloating(wide);
  }
}

template <typename T>
T ParseNumber(const std::string& text) {
  if constexpr (std::is_same_v<T, bool>)
    return ParseBoolean(text);
  else if constexpr (std::is_integral_v<T>)
    return ParseInteger<T>(text);
  else if constexpr (kIsHalf<T>)
    return T(ParseFloating<float>(text, "number"));
  else
    return ParseFloating<T>(text, "number");
}

#define ORTRUN_NUMBER_TEXT(T)                   \
  template std::string PrintNumber<T>(T value); \
  template T ParseNumber<T>(const std::string& text)
ORTRUN_NUMBER_TEXT(float);
ORTRUN_NUMBER_TEXT(double);
ORTRUN_NUMBER_TEXT(int8_t);
ORTRUN_NUMBER_TEXT(int16_t);
ORTRUN_NUMBER_TEXT(int32_t);
ORTRUN_NUMBER_TEXT(int64_t);
ORTRUN_NUMBER_TEXT(uint8_t);
ORTRUN_NUMBER_TEXT(uint16_t);
ORTRUN_NUMBER_TEXT(uint32_t);
ORTRUN_NUMBER_TEXT(uint64_t);
ORTRUN_NUMBER_TEXT(Float16);
ORTRUN_NUMBER_TEXT(BFloat16);
ORTRUN_NUMBER_TEXT(bool);
#undef ORTRUN_NUMBER_TEXT

}  // namespace ortrun::cpu
