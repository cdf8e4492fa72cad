// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "onnxruntime_c_api.h"

/// Ordered string pairs that can be handed out as two C arrays. Not thread-safe while it is changed.
struct OrtKeyValuePairs {
 public:
  using Map = std::map<std::string, std::string>;

  OrtKeyValuePairs() = default;
  explicit OrtKeyValuePairs(Map entries);
  OrtKeyValuePairs(const OrtKeyValuePairs& other) : OrtKeyValuePairs(other.entries_) {}
  OrtKeyValuePairs& operator=(const OrtKeyValuePairs& other);

  void Set(std::string key, std::string value);
  void Remove(const std::string& key);
  /// The value of `key`, or nullptr. Valid until the pairs change.
  const std::string* Find(const std::string& key) const;
  std::string Get(const std::string& key, const std::string& otherwise) const;
  const Map& entries() const { return entries_; }

  /// Parallel arrays of `entries().size()` C strings; valid until the pairs change.
  const std::vector<const char*>& keys() const { return keys_; }
  const std::vector<const char*>& values() const { return values_; }

 private:
  void Sync();

  Map entries_;
  std::vector<const char*> keys_;
  std::vector<const char*> values_;
};

namespace ortrun {
using KeyValuePairs = ::OrtKeyValuePairs;
}
