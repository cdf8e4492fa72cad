// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/runtime.h"

namespace ortrun::cli {

/// What every command understands, and how its words are parsed.
class CommandLine {
 public:
  /// `usage` is the first line of the help text, `positional` the name of the one positional option or empty.
  CommandLine(std::string usage, std::string positional);

  boost::program_options::options_description_easy_init Add() { return options_.add_options(); }
  /// The options that decide how a session is made.
  void AddSessionOptions();

  /// Parses; answers false when help was asked for, which it has then printed.
  bool Parse(const std::vector<std::string>& words);

  bool json() const { return values_.count("json") != 0; }
  bool Has(const std::string& name) const { return values_.count(name) != 0; }
  template <typename T>
  T Get(const std::string& name) const {
    return values_[name].as<T>();
  }
  /// A whole number of at least `least`. Throws CliError(kUsage) for a smaller one.
  int64_t Number(const std::string& name, int64_t least) const;
  SessionRequest Request() const;
  OrtLoggingLevel severity() const { return Has("verbose") ? ORT_LOGGING_LEVEL_VERBOSE : ORT_LOGGING_LEVEL_WARNING; }

 private:
  void Store(const std::vector<std::string>& words);

  std::string usage_;
  std::string positional_;
  boost::program_options::options_description options_;
  boost::program_options::variables_map values_;
};

}  // namespace ortrun::cli
