// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace ortrun {

/// A file in memory, read-only and shared with the page cache. Unmapped when the last holder goes.
class MappedFile {
 public:
  /// Throws Error(ORT_NO_SUCHFILE) when the file is missing, ORT_INVALID_PROTOBUF when it is no regular file, ORT_FAIL
  /// when it may not be read.
  static std::shared_ptr<MappedFile> Open(const std::filesystem::path& path);
  /// As Open for an open descriptor, which stays the caller's. `path` is for messages.
  static std::shared_ptr<MappedFile> FromDescriptor(int descriptor, const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  MappedFile() = default;
  char* data_ = nullptr;
  size_t size_ = 0;
};

/// Lets the system take back the whole pages of a range. Pages of a mapped file stay readable, from the file; pages of
/// other memory lose their content.
void ForgetPages(const void* data, size_t bytes);

}  // namespace ortrun
