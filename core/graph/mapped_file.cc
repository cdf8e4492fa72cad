// SPDX-License-Identifier: Apache-2.0
#include "core/graph/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ortrun/error.h"

namespace ortrun {

std::shared_ptr<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int error = errno;
    throw Error(error == ENOENT || error == ENOTDIR ? ORT_NO_SUCHFILE : ORT_FAIL,
                Concat("Load model from ", path.string(),
                       " failed: ", error == ENOENT || error == ENOTDIR ? "File doesn't exist" : std::strerror(error),
                       ". Looked for it from the folder '", std::filesystem::current_path().string(), "'"));
  }
  struct Closer {
    int descriptor;
    ~Closer() { close(descriptor); }
  } const closer{descriptor};
  return FromDescriptor(descriptor, path, true);
}

std::shared_ptr<MappedFile> MappedFile::FromDescriptor(int descriptor, const std::filesystem::path& path,
                                                       bool to_copy) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    throw Error(ORT_INVALID_PROTOBUF,
                Concat("Load model from ", path.string(), " failed:Protobuf parsing failed. It is ",
                       S_ISDIR(status.st_mode) ? "a folder" : "no regular file", ", not the file of a model"));
  std::shared_ptr<MappedFile> file(new MappedFile());
  file->size_ = static_cast<size_t>(status.st_size);
  file->path_ = path;
  if (file->size_ == 0) return file;
  if (to_copy) file->descriptor_ = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (to_copy && file->descriptor_ < 0)
    throw Error(ORT_FAIL, Concat("'", path.string(), "' cannot be read: ", std::strerror(errno)));
  void* memory = mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED)
    throw Error(ORT_FAIL, Concat("'", path.string(), "' cannot be mapped: ", std::strerror(errno)));
  file->data_ = static_cast<char*>(memory);
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(data_, size_);
  if (descriptor_ >= 0) close(descriptor_);
}

void MappedFile::Copy(const char* from, void* to, size_t bytes) const {
  if (descriptor_ < 0) {
    if (bytes != 0) std::memcpy(to, from, bytes);
    ForgetPages(from, bytes);
    return;
  }
  auto offset = static_cast<off_t>(from - data_);
  for (char* out = static_cast<char*>(to); bytes != 0;) {
    const ssize_t read = pread(descriptor_, out, bytes, offset);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) throw Error(ORT_FAIL, Concat("'", path_.string(), "' cannot be read: ", std::strerror(errno)));
    if (read == 0) throw Error(ORT_FAIL, Concat("'", path_.string(), "' was cut off while it was read"));
    out += read;
    offset += read;
    bytes -= static_cast<size_t>(read);
  }
}

void ForgetPages(const void* data, size_t bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t last = (begin + bytes) / page * page;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);  // NOLINT
}

}  // namespace ortrun
