// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>

namespace ortrun {

/// A file that is written beside its place and takes it when it is complete: whoever reads the old one, or has it
/// mapped, keeps it, and a failure leaves it as it was. A device or a pipe is written where it is.
class NewFile {
 public:
  /// `path` names the place; when it is a link and `follow_link` is set, what it leads to is replaced, else the link.
  /// Throws Error(ORT_FAIL), naming file and cause, here and below.
  NewFile(const std::filesystem::path& path, bool follow_link);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();  ///< removes what was written, unless Commit went well

  void Write(const void* data, size_t bytes);
  /// Everything is on the disk afterwards; only the place is still missing. Several files that belong together are all
  /// finished before the first is committed.
  void Finish();
  /// Finishes the file and puts it in its place, with the old file's permissions.
  void Commit();

 private:
  [[noreturn]] void Fail(int error) const;

  std::filesystem::path place_;
  std::filesystem::path written_;  ///< empty: the place itself
  int descriptor_ = -1;
};

}  // namespace ortrun
