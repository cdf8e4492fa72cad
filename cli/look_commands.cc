// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/commands.h"
#include "cli/options.h"
#include "ortrun/tools.h"

namespace ortrun::cli {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

std::string Bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string TypeText(const Json& value) {
  std::string text = value["type"].get<std::string>();
  if (!value.contains("shape") || value["shape"].is_null()) return text;
  text += " [";
  const char* comma = "";
  for (const Json& dim : value["shape"]) {
    text += comma + (dim.is_string() ? dim.get<std::string>() : dim.is_null() ? std::string("?") : dim.dump());
    comma = ",";
  }
  return text + "]";
}

void PrintInfo(const Json& model) {
  std::cout << model["path"].get<std::string>() << "  " << Bytes(model["bytes"].get<uint64_t>());
  if (model["external_bytes"].get<uint64_t>() != 0)
    std::cout << " + " << Bytes(model["external_bytes"].get<uint64_t>()) << " external";
  std::cout << "\nproducer    " << model["producer"].get<std::string>() << ' '
            << model["producer_version"].get<std::string>() << "  (IR version " << model["ir_version"] << ")\n";
  std::cout << "opsets     ";
  for (const auto& [domain, version] : model["opsets"].items())
    std::cout << ' ' << (domain.empty() ? "ai.onnx" : domain) << ' ' << version;
  std::cout << "\nparameters  " << model["parameters"] << "  " << Bytes(model["parameter_bytes"].get<uint64_t>())
            << '\n';
  for (const Json& input : model["inputs"])
    std::cout << "input       " << input["name"].get<std::string>() << "  " << TypeText(input) << '\n';
  for (const Json& output : model["outputs"])
    std::cout << "output      " << output["name"].get<std::string>() << "  " << TypeText(output) << '\n';
  std::vector<std::pair<std::string, uint64_t>> operators;
  for (const auto& [name, count] : model["operators"].items()) operators.emplace_back(name, count.get<uint64_t>());
  std::stable_sort(operators.begin(), operators.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::cout << "nodes       " << model["nodes"] << ":";
  for (const auto& [name, count] : operators) std::cout << ' ' << name << 'x' << count;
  std::cout << '\n';
  for (const auto& [key, value] : model["metadata"].items())
    std::cout << "metadata    " << key << " = " << value.get<std::string>() << '\n';
}

void PrintProvider(const Json& provider) {
  std::cout << provider["name"].get<std::string>() << "  " << provider["version"].get<std::string>() << "  "
            << provider["status"].get<std::string>() << "\n  file    " << provider["file"].get<std::string>() << '\n';
  for (const Json& device : provider["devices"])
    std::cout << "  device  " << device["type"].get<std::string>() << ' ' << device["vendor"].get<std::string>()
              << '\n';
  if (!provider["reason"].get<std::string>().empty())
    std::cout << "  reason  " << provider["reason"].get<std::string>() << '\n';
}

void PrintExplained(const Json& explained) {
  std::cout << "providers in order:";
  for (const Json& name : explained["providers"]) std::cout << ' ' << name.get<std::string>();
  std::cout << "\ncopies between memories in a run: " << explained["copies"] << '\n';
  for (const Json& node : explained["nodes"]) {
    std::cout << node["provider"].get<std::string>() << "  " << node["op"].get<std::string>();
    if (!node["name"].get<std::string>().empty()) std::cout << "  '" << node["name"].get<std::string>() << "'";
    if (!node["graph"].get<std::string>().empty()) std::cout << "  in " << node["graph"].get<std::string>();
    if (node["fused_from"].size() > 1) std::cout << "  stands for " << node["fused_from"].size() << " nodes";
    std::cout << '\n';
    for (const Json& refusal : node["declined"])
      std::cout << "    not on " << refusal["provider"].get<std::string>() << ": "
                << refusal["reason"].get<std::string>() << '\n';
  }
}

void Print(const Json& json) { std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n'; }

}  // namespace

int InfoCommand(const std::vector<std::string>& words) {
  CommandLine line("ortrun info MODEL [options]\n\nTells what a model file holds without running it.", "model");
  if (!line.Parse(words)) return kOk;
  const Runtime runtime(line.severity());
  Json model;
  try {
    model = Json::parse(runtime.Tell<OrtrunDescribeModelFn>(ORTRUN_DESCRIBE_MODEL, runtime.env(),
                                                            line.Get<std::string>("model").c_str()));
  } catch (const Error& error) {
    throw CliError(kNoModel, error.what());
  }
  if (line.json())
    Print(model);
  else
    PrintInfo(model);
  return kOk;
}

int ProvidersCommand(const std::vector<std::string>& words) {
  CommandLine line(
      "ortrun providers [options]\n\nLists the providers found, each with version, file, devices and why it is not "
      "usable.",
      "");
  if (!line.Parse(words)) return kOk;
  const Runtime runtime(line.severity());
  const Json providers = Json::parse(runtime.Tell<OrtrunListProvidersFn>(ORTRUN_LIST_PROVIDERS, runtime.env()));
  if (line.json())
    Print(providers);
  else
    for (const Json& provider : providers) PrintProvider(provider);
  const bool any =
      std::any_of(providers.begin(), providers.end(), [](const Json& p) { return p["status"] == "ready"; });
  return any ? kOk : kNoProvider;
}

int ExplainCommand(const std::vector<std::string>& words) {
  CommandLine line(
      "ortrun explain MODEL [options]\n\nTells which provider runs each node, and why no earlier one of the order took "
      "it.",
      "model");
  line.AddSessionOptions();
  line.Add()("stop-after", po::value<int64_t>(), "patches that the optimizer may apply; all where it is not given");
  if (!line.Parse(words)) return kOk;
  const Runtime runtime(line.severity());
  SessionRequest request = line.Request();
  if (line.Has("stop-after"))
    request.config.emplace_back("ortrun.optimizer.stop_after", std::to_string(line.Number("stop-after", 0)));
  const Session session = OpenSession(runtime, request);
  const Json explained = Json::parse(
      runtime.Tell<OrtrunExplainSessionFn>(ORTRUN_EXPLAIN_SESSION, static_cast<const OrtSession*>(session.get())));
  if (line.json())
    Print(explained);
  else
    PrintExplained(explained);
  return kOk;
}

}  // namespace ortrun::cli
