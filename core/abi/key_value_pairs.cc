// SPDX-License-Identifier: Apache-2.0
#include "core/base/key_value_pairs.h"

#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

void CreateKeyValuePairs(OrtKeyValuePairs** out) noexcept {
  if (out != nullptr) *out = Quietly<OrtKeyValuePairs*>(nullptr, [] { return new OrtKeyValuePairs(); });
}

void AddKeyValuePair(OrtKeyValuePairs* kvps, const char* key, const char* value) noexcept {
  if (kvps == nullptr || key == nullptr || key[0] == '\0' || value == nullptr) return;
  Quietly(0, [&] {
    kvps->Set(key, value);
    return 0;
  });
}

const char* GetKeyValue(const OrtKeyValuePairs* kvps, const char* key) noexcept {
  if (kvps == nullptr || key == nullptr) return nullptr;
  return Quietly<const char*>(nullptr, [&] {
    const std::string* value = kvps->Find(key);
    return value == nullptr ? nullptr : value->c_str();
  });
}

void GetKeyValuePairs(const OrtKeyValuePairs* kvps, const char* const** keys, const char* const** values,
                      size_t* num_entries) noexcept {
  if (keys == nullptr || values == nullptr || num_entries == nullptr) return;
  *keys = kvps == nullptr ? nullptr : kvps->keys().data();
  *values = kvps == nullptr ? nullptr : kvps->values().data();
  *num_entries = kvps == nullptr ? 0 : kvps->keys().size();
}

void RemoveKeyValuePair(OrtKeyValuePairs* kvps, const char* key) noexcept {
  if (kvps == nullptr || key == nullptr) return;
  Quietly(0, [&] {
    kvps->Remove(key);
    return 0;
  });
}

}  // namespace

void FillKeyValuePairs(OrtApi& api) {
  api.CreateKeyValuePairs = CreateKeyValuePairs;
  api.AddKeyValuePair = AddKeyValuePair;
  api.GetKeyValue = GetKeyValue;
  api.GetKeyValuePairs = GetKeyValuePairs;
  api.RemoveKeyValuePair = RemoveKeyValuePair;
  api.ReleaseKeyValuePairs = Delete<OrtKeyValuePairs>;
}

}  // namespace ortrun::abi
