// SPDX-License-Identifier: Apache-2.0
#include "core/graph/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "ortrun/error.h"

namespace ortrun {

namespace fs = std::filesystem;

namespace {

/// What a link leads to in the end, whether that is there or not.
fs::path Target(fs::path path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  std::error_code error;
  for (int i = 0; i < kMostLinks; ++i) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) return path;
    path = path.parent_path() / target;
  }
  return path;
}

}  // namespace

NewFile::NewFile(const fs::path& path, bool follow_link) : place_(follow_link ? Target(path) : path) {
  struct stat old {};
  const bool exists = follow_link && stat(place_.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) Fail(EISDIR);
  if (exists && access(place_.c_str(), W_OK) != 0) Fail(errno);
  if (exists && !S_ISREG(old.st_mode)) {
    descriptor_ = open(place_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) Fail(errno);
    return;
  }
  std::random_device random;
  do {
    written_ = place_;
    written_ += Concat(".", random(), ".tmp");
    descriptor_ = open(written_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    const int cause = errno;
    written_.clear();
    Fail(cause);
  }
  if (exists) fchmod(descriptor_, old.st_mode & 07777);
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!written_.empty()) unlink(written_.c_str());
}

void NewFile::Write(const void* data, size_t bytes) {
  constexpr size_t kMost = size_t{1} << 30;  // of what one call takes
  for (const char* at = static_cast<const char*>(data); bytes != 0;) {
    const ssize_t written = write(descriptor_, at, std::min(bytes, kMost));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail(errno);
    at += written;
    bytes -= static_cast<size_t>(written);
  }
}

void NewFile::Finish() {
  if (descriptor_ < 0) return;
  if (!written_.empty() && fsync(descriptor_) != 0) Fail(errno);
  if (close(std::exchange(descriptor_, -1)) != 0) Fail(errno);
}

void NewFile::Commit() {
  Finish();
  if (!written_.empty() && rename(written_.c_str(), place_.c_str()) != 0) Fail(errno);
  written_.clear();
}

void NewFile::Fail(int error) const {
  throw Error(ORT_FAIL, Concat("'", place_.string(), "' cannot be written: ", std::strerror(error)));
}

}  // namespace ortrun
