// SPDX-License-Identifier: Apache-2.0
#include "core/abi/guard.h"

#include <algorithm>

namespace ortrun::abi {

OrtStatus* NullArgument(const char* slot, const char* argument) noexcept {
  try {
    return MakeStatus(ORT_INVALID_ARGUMENT, Concat(slot, ": argument '", argument, "' must not be null"));
  } catch (...) {
    return MakeStatus(ORT_INVALID_ARGUMENT, "an argument must not be null");
  }
}

OrtStatus* StatusOfException() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return MakeStatus(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return MakeStatus(ORT_FAIL, "out of memory");
  } catch (const std::exception& error) {
    return MakeStatus(ORT_RUNTIME_EXCEPTION, error.what());
  } catch (...) {
    return MakeStatus(ORT_RUNTIME_EXCEPTION, "an exception of an unknown type was thrown");
  }
}

char* CopyText(OrtAllocator* allocator, std::string_view text) {
  char* copy = NewArray<char>(allocator, text.size() + 1);
  std::copy(text.begin(), text.end(), copy);
  copy[text.size()] = '\0';
  return copy;
}

void CopyTextOut(std::string_view text, const char* what, char* out, size_t* size) {
  const size_t room = std::exchange(*size, text.size() + 1);
  if (out == nullptr) return;
  Require(room > text.size(), "Output buffer is not large enough for ", what, ": ", text.size() + 1,
          " bytes are needed, it holds ", room);
  std::copy(text.begin(), text.end(), out);
  out[text.size()] = '\0';
}

void CheckPairs(const char* const* keys, const char* const* values, size_t count) {
  Require(count == 0 || (keys != nullptr && values != nullptr),
          "the arrays of option keys and values must not be null");
  for (size_t i = 0; i < count; ++i)
    Require(keys[i] != nullptr && keys[i][0] != '\0' && values[i] != nullptr, "option ", i,
            " has an empty key or no value: each key and value must be a text");
}

}  // namespace ortrun::abi
