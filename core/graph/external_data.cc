// SPDX-License-Identifier: Apache-2.0
#include "core/graph/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "ortrun/error.h"

namespace ortrun {

namespace fs = std::filesystem;

namespace {

bool Inside(const fs::path& folder, const fs::path& file) {
  return !folder.empty() && std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

}  // namespace

ExternalFiles::ExternalFiles(fs::path folder, std::map<std::string, std::pair<const char*, size_t>> given,
                             fs::path real_folder)
    : folder_(std::move(folder)), real_folder_(std::move(real_folder)), given_(std::move(given)) {}

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
  const int descriptor = open((root / relative).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw refuse("there is no such file in '" + root.string() + "'; put it beside the model");
  struct Closer {
    int descriptor;
    ~Closer() { close(descriptor); }
  } const closer{descriptor};
  // What was really opened decides, not what the path says: links may have been followed.
  const fs::path real = fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
  if (error || !(Inside(root, real) || Inside(real_folder_, real)))
    throw refuse("it leads to '" + real.string() + "', outside the model's folder '" + root.string() + "'");
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) throw refuse("it is no regular file");
  if (status.st_nlink > 1)
    throw refuse("it has hard links, so that it may belong to another folder; copy it into '" + root.string() + "'");
  return MappedFile::FromDescriptor(descriptor, real);
}

ExternalFiles::Range ExternalFiles::Read(const std::string& location, uint64_t offset, uint64_t bytes,
                                         const std::string& tensor) {
  Range range;
  const char* data = nullptr;
  size_t size = 0;
  if (const auto given = given_.find(location); given != given_.end()) {
    data = given->second.first;
    size = given->second.second;
  } else {
    auto& file = open_[location];
    if (file == nullptr) file = Open(location, tensor);
    data = file->data();
    size = file->size();
    range.owner = file;
  }
  if (offset > size || bytes > size - offset)
    throw Error(ORT_FAIL, Concat("External data of tensor '", tensor, "' ends outside file '", location, "': it needs ",
                                 bytes, " bytes at offset ", offset, " but the file has ", size,
                                 ". The file is cut off or belongs to another model"));
  range.data = data + offset;
  return range;
}

}  // namespace ortrun
