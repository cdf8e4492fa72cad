// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/logging.h"
#include "core/providers/environment.h"

namespace ortrun {

/// A folder in which provider libraries are looked for, and what was found there.
struct SearchedFolder {
  std::filesystem::path path;
  bool exists = false;
  std::vector<std::filesystem::path> files;
};

/// The provider folders in order: those of the environment variable ORTRUN_PROVIDER_PATH (separated by colons), then
/// `providers` beside this library. Lists files only; nothing is loaded.
std::vector<SearchedFolder> SearchProviderFolders();

/// Loads a provider library and asks its factories for devices. Never throws for a library that cannot be used: the
/// answer's `reason` says why. What was loaded stays loaded.
std::unique_ptr<ProviderLibrary> LoadProviderLibrary(const std::string& registration, const std::filesystem::path& file,
                                                     const Logger& logger,
                                                     const std::vector<const HardwareDevice*>& hardware);

/// Whether a reason for which a library is not usable is that the system had no memory, which may be over later.
bool LackedMemory(const std::string& reason);

/// Gives the factories back. The library itself stays in the process.
void ReleaseFactories(ProviderLibrary& library);

/// Version text of a factory, "" when it has none.
std::string FactoryVersion(OrtEpFactory& factory);

}  // namespace ortrun
