// SPDX-License-Identifier: Apache-2.0
#include "core/graph/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "ortrun/error.h"

namespace ortrun {

namespace fs = std::filesystem;

namespace {

bool Inside(const fs::path& folder, const fs::path& file) {
  return !folder.empty() && std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

/// Names as the system compares them: "./w.bin" is "w.bin".
std::string Normal(const std::string& name) { return fs::path(name).lexically_normal().string(); }

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }
  void Reset(int descriptor) {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = descriptor;
  }

 private:
  int descriptor_;
};

/// Opens `relative` from `folder` one name after the other, through no link: wherever links are put in the meantime,
/// the file lies in the folder. Negative when that fails.
int OpenBeneath(const fs::path& folder, const fs::path& relative) {
  Descriptor at(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (auto name = relative.begin(); at.get() >= 0 && name != relative.end(); ++name) {
    const bool last = std::next(name) == relative.end();
    at.Reset(openat(at.get(), name->c_str(),
                    O_CLOEXEC | O_NOFOLLOW | (last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY)));
  }
  return at.get() < 0 ? -1 : fcntl(at.get(), F_DUPFD_CLOEXEC, 0);
}

}  // namespace

ExternalFiles::ExternalFiles(fs::path folder, const std::map<std::string, std::pair<const char*, size_t>>& given,
                             fs::path real_folder, bool copies)
    : copies_(copies), folder_(std::move(folder)), real_folder_(std::move(real_folder)) {
  for (const auto& [name, content] : given) given_.emplace(Normal(name), content);
}

std::shared_ptr<MappedFile> ExternalFiles::Open(const std::string& location, const std::string& tensor) {
  const auto refuse = [&](const std::string& why) -> Error {
    return Error(ORT_FAIL, Concat("External data of tensor '", tensor, "' in file '", location, "' is refused: ", why));
  };
  if (folder_.empty())
    throw refuse(
        "the model comes from memory and has no folder. Load it from its file, or name the folder with the "
        "session config entry 'session.model_external_initializers_file_folder_path'");
  const fs::path relative(location);
  if (relative.is_absolute() || location.empty() || location.find('\0') != std::string::npos)
    throw refuse("the location must be a path relative to the model's folder '" + folder_.string() + "'");
  if (*relative.lexically_normal().begin() == "..")
    throw refuse("the location leaves the model's folder '" + folder_.string() + "'; put the file beside the model");
  std::error_code error;
  const fs::path root = fs::canonical(folder_, error);
  if (error) throw refuse("the folder '" + folder_.string() + "' cannot be read: " + error.message());
  const fs::path real = fs::canonical(root / relative, error);
  if (error) {
    const bool missing = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    throw refuse(missing ? "there is no such file in '" + root.string() + "'; put it beside the model"
                         : "it cannot be read: " + error.message());
  }
  const fs::path* within = Inside(root, real) ? &root : Inside(real_folder_, real) ? &real_folder_ : nullptr;
  if (within == nullptr)
    throw refuse("it leads to '" + real.string() + "', outside the model's folder '" + root.string() + "'");
  const Descriptor file(OpenBeneath(*within, real.lexically_relative(*within)));
  struct stat status {};
  if (file.get() < 0) throw refuse("'" + real.string() + "' cannot be read: " + std::strerror(errno));
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) throw refuse("it is no regular file");
  return MappedFile::FromDescriptor(file.get(), real, copies_);
}

ExternalFiles::Range ExternalFiles::Read(const std::string& location, uint64_t offset, uint64_t bytes,
                                         const std::string& tensor) {
  Range range;
  const char* data = nullptr;
  size_t size = 0;
  if (const auto given = given_.find(Normal(location)); given != given_.end()) {
    data = given->second.first;
    size = given->second.second;
  } else {
    if (copies_ && open_.count(location) == 0) open_.clear();  // descriptors are few, files may be many
    auto& file = open_[location];
    if (file == nullptr) file = Open(location, tensor);
    data = file->data();
    size = file->size();
    range.file = file;
  }
  if (offset > size || bytes > size - offset)
    throw Error(ORT_FAIL, Concat("External data of tensor '", tensor, "' ends outside file '", location, "': it needs ",
                                 bytes, " bytes at offset ", offset, " but the file has ", size,
                                 ". The file is cut off or belongs to another model"));
  range.data = data + offset;
  return range;
}

}  // namespace ortrun
