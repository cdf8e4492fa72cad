// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"

namespace {

using ortrun::cli::Command;

constexpr Command kCommands[] = {
    {"run", "run a model and print its outputs", ortrun::cli::RunCommand},
    {"info", "tell what a model file holds", ortrun::cli::InfoCommand},
    {"providers", "list the providers and their devices", ortrun::cli::ProvidersCommand},
    {"explain", "tell which provider runs each node, and why", ortrun::cli::ExplainCommand},
    {"bisect", "name the first rewrite of the optimizer that changes a result", ortrun::cli::BisectCommand},
};

void PrintUsage(std::ostream& out) {
  out << "usage: ortrun COMMAND ...\n\n";
  for (const Command& command : kCommands)
    out << "  " << command.name << std::string(12 - std::strlen(command.name), ' ') << command.summary << '\n';
  out << "\n'ortrun COMMAND --help' tells more. Exit codes: 0 done, 1 failed, 2 usage, 3 model missing or not valid,\n"
         "4 provider not available or no provider for a node, 5 input missing or not fitting.\n";
}

int Main(const std::vector<std::string>& words) {
  if (words.empty()) {
    PrintUsage(std::cerr);
    return ortrun::cli::kUsage;
  }
  if (words[0] == "help" && words.size() == 2) return Main({words[1], "--help"});
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    PrintUsage(std::cout);
    return ortrun::cli::kOk;
  }
  if (words[0] == "--version") {
    std::cout << "ortrun " << OrtGetApiBase()->GetVersionString() << '\n';
    return ortrun::cli::kOk;
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (words[0] == command.name) return command.run({words.begin() + 1, words.end()});
    names.emplace_back(command.name);
  }
  throw ortrun::cli::CliError(
      ortrun::cli::kUsage,
      "no command '" + words[0] + "'." + ortrun::DidYouMean(words[0], names) + " 'ortrun --help' lists them.");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main({argv + 1, argv + argc});
  } catch (const ortrun::cli::CliError& error) {
    std::cerr << "ortrun: " << error.what() << '\n';
    return error.exit_code;
  } catch (const boost::program_options::error& error) {
    std::cerr << "ortrun: " << error.what() << ". '--help' tells the options.\n";
    return ortrun::cli::kUsage;
  } catch (const std::exception& error) {
    std::cerr << "ortrun: " << error.what() << '\n';
    return ortrun::cli::kFailed;
  }
}
