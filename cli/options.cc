// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <iostream>
#include <sstream>

namespace ortrun::cli {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

CommandLine::CommandLine(std::string usage, std::string positional)
    : usage_(std::move(usage)), positional_(std::move(positional)), options_("options") {
  Add()("help,h", "show this text")("json", "print JSON for scripts")("verbose,v", "log what the runtime does");
  if (!positional_.empty()) Add()(positional_.c_str(), po::value<std::string>()->required(), "file of the model");
}

void CommandLine::AddSessionOptions() {
  Add()("providers,p", po::value<std::string>(), "providers in order, separated by commas")(
      "dim,d", po::value<Texts>()->composing(), "NAME=SIZE: size of a free dimension; may be repeated")(
      "threads,t", po::value<int>()->default_value(0),
      "threads for the loops inside kernels; 0: what the machine allows")(
      "optimization,O", po::value<int>()->default_value(99), "0 none, 1 basic, 2 extended, 99 all")(
      "config,c", po::value<Texts>()->composing(), "KEY=VALUE: a session config entry; may be repeated");
}

bool CommandLine::Parse(const std::vector<std::string>& words) {
  po::positional_options_description positional;
  if (!positional_.empty()) positional.add(positional_.c_str(), 1);
  po::store(po::command_line_parser(words).options(options_).positional(positional).run(), values_);
  if (values_.count("help") != 0) {
    std::cout << "usage: " << usage_ << "\n\n" << options_;
    return false;
  }
  po::notify(values_);
  return true;
}

SessionRequest CommandLine::Request() const {
  SessionRequest request;
  request.model = Get<std::string>(positional_);
  request.threads = Get<int>("threads");
  request.optimization = Get<int>("optimization");
  if (Has("providers")) {
    std::istringstream names(Get<std::string>("providers"));
    for (std::string name; std::getline(names, name, ',');)
      if (!name.empty()) request.providers.push_back(name);
  }
  const auto split = [](const std::string& text, const char* option) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CliError(kUsage, std::string("--") + option + " takes NAME=VALUE, got '" + text + "'");
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
  };
  if (Has("dim"))
    for (const std::string& text : Get<Texts>("dim")) {
      const auto [name, size] = split(text, "dim");
      char* end = nullptr;
      const long long value = std::strtoll(size.c_str(), &end, 10);
      if (size.empty() || *end != '\0' || value < 0)
        throw CliError(kUsage, "--dim takes a size that is a whole number, got '" + text + "'");
      request.dimensions.emplace_back(name, value);
    }
  if (Has("config"))
    for (const std::string& text : Get<Texts>("config")) request.config.push_back(split(text, "config"));
  return request;
}

}  // namespace ortrun::cli
