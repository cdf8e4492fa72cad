// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace ortrun::cli {

/// One subcommand. Run gets the words after its name and answers an ExitCode; it throws CliError and
/// boost::program_options errors for what the caller did wrong.
struct Command {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>& words);
};

int RunCommand(const std::vector<std::string>& words);
int InfoCommand(const std::vector<std::string>& words);
int ProvidersCommand(const std::vector<std::string>& words);
int ExplainCommand(const std::vector<std::string>& words);
int BisectCommand(const std::vector<std::string>& words);

}  // namespace ortrun::cli
