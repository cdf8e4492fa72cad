// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>
#include <iostream>
#include <limits>
#include <sstream>

namespace ortrun::cli {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

CommandLine::CommandLine(std::string usage, std::string positional)
    : usage_(std::move(usage)), positional_(std::move(positional)), options_("options") {
  Add()("help,h", "show this text")("json", "print JSON for scripts")("verbose,v", "log what the runtime does");
}

void CommandLine::AddSessionOptions() {
  Add()("providers,p", po::value<std::string>(), "providers in order, separated by commas")(
      "dim,d", po::value<Texts>()->composing(), "NAME=SIZE: size of a free dimension; may be repeated")(
      "threads,t", po::value<int64_t>()->default_value(0),
      "threads for the loops inside kernels; 0: what the machine allows")(
      "optimization,O", po::value<int>()->default_value(99), "0 none, 1 basic, 2 extended, 3 layout, 99 all")(
      "config,c", po::value<Texts>()->composing(), "KEY=VALUE: a session config entry; may be repeated");
}

void CommandLine::Store(const std::vector<std::string>& words) {
  po::options_description all;  // the positional one is no option to show
  all.add(options_);
  po::positional_options_description positional;
  if (!positional_.empty()) {
    all.add_options()(positional_.c_str(), po::value<std::string>());
    positional.add(positional_.c_str(), 1);
  }
  try {
    po::store(po::command_line_parser(words).options(all).positional(positional).run(), values_);
  } catch (const po::unknown_option& error) {
    std::vector<std::string> names;
    for (const auto& option : options_.options()) names.push_back("--" + option->long_name());
    throw CliError(kUsage, "no option '" + error.get_option_name() + "'." + DidYouMean(error.get_option_name(), names) +
                               " '--help' tells the options.");
  } catch (const po::too_many_positional_options_error&) {
    throw CliError(kUsage, "too many words: usage is " + usage_.substr(0, usage_.find('\n')));
  }
}

bool CommandLine::Parse(const std::vector<std::string>& words) {
  Store(words);
  if (values_.count("help") != 0) {
    std::cout << "usage: " << usage_ << "\n\n" << options_;
    return false;
  }
  if (!positional_.empty() && values_.count(positional_) == 0)
    throw CliError(kUsage, "the file of the model is missing: usage is " + usage_.substr(0, usage_.find('\n')));
  po::notify(values_);
  return true;
}

int64_t CommandLine::Number(const std::string& name, int64_t least) const {
  const auto number = Get<int64_t>(name);
  if (number < least)
    throw CliError(kUsage, "--" + name + " takes a whole number from " + std::to_string(least) + ", got " +
                               std::to_string(number));
  return number;
}

SessionRequest CommandLine::Request() const {
  SessionRequest request;
  request.model = Get<std::string>(positional_);
  request.threads = static_cast<int>(std::min<int64_t>(Number("threads", 0), std::numeric_limits<int>::max()));
  request.optimization = Get<int>("optimization");
  if (request.optimization != ORT_ENABLE_ALL &&
      (request.optimization < ORT_DISABLE_ALL || request.optimization > ORT_ENABLE_LAYOUT))
    throw CliError(kUsage, "--optimization takes 0, 1, 2, 3 or 99, got " + std::to_string(request.optimization));
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
