// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <exception>
#include <initializer_list>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/abi/status.h"
#include "ortrun/error.h"

namespace ortrun::abi {

/// An argument that must not be null, under the name it has in the header.
struct Argument {
  const char* name;
  const void* pointer;
};

/// ORT_INVALID_ARGUMENT that names the slot and the argument.
OrtStatus* NullArgument(const char* slot, const char* argument) noexcept;

/// Turns the exception being handled into a status.
OrtStatus* StatusOfException() noexcept;

/// The body of a slot: refuses null arguments, runs `body` and turns what it throws into a status. Nothing escapes.
/// The slot is named after the function that calls this one, so that function must have the slot's name.
template <typename Body>
inline OrtStatus* Guard(std::initializer_list<Argument> required, Body&& body,
                        const char* slot = __builtin_FUNCTION()) noexcept {
  for (const Argument& argument : required)
    if (argument.pointer == nullptr) [[unlikely]]
      return NullArgument(slot, argument.name);
  try {
    std::forward<Body>(body)();
    return nullptr;
  } catch (...) {
    return StatusOfException();
  }
}

/// As Guard, for a slot that answers no status: what it throws is dropped, `otherwise` is answered.
template <typename Result, typename Body>
inline Result Quietly(Result otherwise, Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    return otherwise;
  }
}

/// What `read` answers of the object, zero or null when there is none: for slots that answer no status.
template <typename Object, typename Read>
inline auto IfAny(const Object* object, Read&& read) noexcept -> decltype(read(*object)) {
  return object == nullptr ? decltype(read(*object)){} : read(*object);
}

/// The Release slot of a type: deletes, null is fine.
template <typename T>
void Delete(T* object) noexcept {
  delete object;
}

/// A copy of `text` with a final zero from the caller's allocator. Throws when it has no memory left.
char* CopyText(OrtAllocator* allocator, std::string_view text);

/// `count` elements from the caller's allocator, uninitialised; nullptr for none.
template <typename T>
T* NewArray(OrtAllocator* allocator, size_t count) {
  if (count == 0) return nullptr;
  size_t bytes = 0;
  void* memory = __builtin_mul_overflow(count, sizeof(T), &bytes) ? nullptr : allocator->Alloc(allocator, bytes);
  if (memory == nullptr) throw Error(ORT_FAIL, Concat("the allocator has no memory for ", count, " elements"));
  return static_cast<T*>(memory);
}

/// The size-query protocol of text: without a buffer *size becomes the bytes needed, final zero included; a smaller
/// buffer is ORT_INVALID_ARGUMENT, with the bytes needed in *size.
void CopyTextOut(std::string_view text, const char* what, char* out, size_t* size);

/// The same protocol for arrays, counted in elements.
template <typename T>
void CopyArrayOut(const std::vector<T>& values, const char* what, T* out, size_t* size) {
  const size_t room = std::exchange(*size, values.size());
  if (out == nullptr) return;
  Require(room >= values.size(), "Result buffer is not large enough for ", what, ": ", values.size(),
          " elements are needed, it holds ", room);
  std::copy(values.begin(), values.end(), out);
}

/// Key and value arrays of a slot. Throws when one is null and `count` is not 0.
void CheckPairs(const char* const* keys, const char* const* values, size_t count);

/// Fills the caller's array of `room` pointers from a list; ORT_INVALID_ARGUMENT when it is too small.
template <typename T, typename List>
void CopyPointersOut(const List& list, const char* what, T* out, size_t room) {
  Require(room >= list.size(), "the array for ", what, " holds ", room, " entries, ", list.size(), " are needed");
  for (const auto& entry : list) *out++ = &*entry;
}

}  // namespace ortrun::abi
