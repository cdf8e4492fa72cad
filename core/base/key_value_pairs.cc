// SPDX-License-Identifier: Apache-2.0
#include "core/base/key_value_pairs.h"

#include <utility>

OrtKeyValuePairs::OrtKeyValuePairs(Map entries) : entries_(std::move(entries)) { Sync(); }

OrtKeyValuePairs& OrtKeyValuePairs::operator=(const OrtKeyValuePairs& other) {
  if (this == &other) return *this;
  entries_ = other.entries_;
  Sync();
  return *this;
}

void OrtKeyValuePairs::Set(std::string key, std::string value) {
  entries_.insert_or_assign(std::move(key), std::move(value));
  Sync();
}

void OrtKeyValuePairs::Remove(const std::string& key) {
  if (entries_.erase(key) != 0) Sync();
}

const std::string* OrtKeyValuePairs::Find(const std::string& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string OrtKeyValuePairs::Get(const std::string& key, const std::string& otherwise) const {
  const std::string* found = Find(key);
  return found == nullptr ? otherwise : *found;
}

void OrtKeyValuePairs::Sync() {
  keys_.clear();
  values_.clear();
  for (const auto& [key, value] : entries_) {
    keys_.push_back(key.c_str());
    values_.push_back(value.c_str());
  }
}
