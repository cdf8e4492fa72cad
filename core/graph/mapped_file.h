// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace ortrun {

/// A file in memory, read-only and shared with the page cache. Unmapped when the last holder goes.
///
/// What is mapped follows the file: after it is written over, other values are read, and after it is cut off, reading
/// ends the process with SIGBUS (pages that were made private are taken away then, too, and a lease needs a signal that
/// is the program's own). So the tensors of a model in one file are copied with Copy when the model is read, and the
/// mapping, of which only the message's skeleton was touched, ends there: a session keeps the weights that it was made
/// with. Measured on two cores: making a session of gpt2 (623 MiB) takes 0.58 s of processor time for 0.52 s and its
/// memory peaks at 814 MiB for 857; bert (417 MiB) 0.42 s for 0.40 s, 571 MiB for 474; afterwards both hold what they
/// held. It is so little because three of four tensors lie unaligned in a message and were copied anyway. External data
/// stays mapped, unless the caller has it copied (ReadOptions::copy_external_data).
class MappedFile {
 public:
  /// Throws Error(ORT_NO_SUCHFILE) when the file is missing, ORT_INVALID_PROTOBUF when it is no regular file, ORT_FAIL
  /// when it may not be read.
  static std::shared_ptr<MappedFile> Open(const std::filesystem::path& path);
  /// As Open for an open descriptor, which stays the caller's. `path` is for messages. `to_copy`: a descriptor is kept,
  /// as by Open, for Copy; files that stay mapped, of which a model may have thousands, keep none.
  static std::shared_ptr<MappedFile> FromDescriptor(int descriptor, const std::filesystem::path& path, bool to_copy);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  const char* data() const { return data_; }
  size_t size() const { return size_; }

  /// Copies `bytes` bytes that lie at `from`, within the mapping; without touching it where a descriptor is kept.
  /// Throws Error(ORT_FAIL) when the file has become shorter or cannot be read.
  void Copy(const char* from, void* to, size_t bytes) const;

 private:
  MappedFile() = default;
  int descriptor_ = -1;
  std::filesystem::path path_;  ///< for messages
  char* data_ = nullptr;
  size_t size_ = 0;
};

/// Lets the system take back the whole pages of a range. Pages of a mapped file stay readable, from the file; pages of
/// other memory lose their content.
void ForgetPages(const void* data, size_t bytes);

}  // namespace ortrun
