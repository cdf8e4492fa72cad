// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/graph/mapped_file.h"

namespace ortrun {

/// Opens the files in which a model keeps tensors outside itself. The only place that does.
class ExternalFiles {
 public:
  /// `folder` is the model's folder, or the one the caller named for a model from memory; empty: external data is
  /// refused. `given` are contents that the caller handed over, by the name that the model uses. `real_folder` is where
  /// the model's file really lies when its path is a link (download caches link model and data alike), else empty.
  /// `copies`: the data is copied from the files, which need not stay open.
  ExternalFiles(std::filesystem::path folder, const std::map<std::string, std::pair<const char*, size_t>>& given,
                std::filesystem::path real_folder = {}, bool copies = false);

  struct Range {
    const char* data = nullptr;
    std::shared_ptr<MappedFile> file;  ///< null for content of the caller's
  };
  /// `bytes` bytes at `offset` of the file that the model calls `location`. Throws Error(ORT_FAIL) naming tensor, file
  /// and folder when the location is absolute, leaves the folder (also through links), is missing or too short.
  /// What is opened decides: a regular file that is reached from one of the folders by plain folders alone, once all
  /// links are followed. Hard links are regular files of the folder that they stand in.
  Range Read(const std::string& location, uint64_t offset, uint64_t bytes, const std::string& tensor);
  bool copies() const { return copies_; }

 private:
  std::shared_ptr<MappedFile> Open(const std::string& location, const std::string& tensor);

  bool copies_;
  std::filesystem::path folder_;
  std::filesystem::path real_folder_;
  std::map<std::string, std::pair<const char*, size_t>> given_;
  std::map<std::string, std::shared_ptr<MappedFile>> open_;
};

}  // namespace ortrun
