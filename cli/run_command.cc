// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/element_type.h"
#include "cli/execute.h"
#include "cli/inputs.h"
#include "cli/npy.h"
#include "cli/options.h"
#include "ortrun/tools.h"

namespace ortrun::cli {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != 0) text += ',';
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

Json Summarize(const Tensor& tensor) {
  Json summary;
  summary["type"] = NameOf(tensor.type);
  summary["shape"] = tensor.shape;
  constexpr size_t kShown = 6;
  const size_t count = tensor.count();
  Json first = Json::array();
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    for (size_t i = 0; i < std::min(count, kShown); ++i) first.push_back(tensor.strings[i]);
  } else if (FindType(tensor.type) != nullptr) {
    double low = INFINITY;
    double high = -INFINITY;
    double sum = 0;
    size_t not_finite = 0;
    for (size_t i = 0; i < count; ++i) {
      const double value = ElementAsDouble(tensor, i);
      if (i < kShown) first.push_back(value);
      if (!std::isfinite(value)) {
        ++not_finite;
        continue;
      }
      low = std::min(low, value);
      high = std::max(high, value);
      sum += value;
    }
    if (count > not_finite) {
      summary["min"] = low;
      summary["max"] = high;
      summary["mean"] = sum / static_cast<double>(count - not_finite);
    }
    if (not_finite != 0) summary["not_finite"] = not_finite;
  }
  summary["first"] = std::move(first);
  return summary;
}

std::string FileName(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.'; }, '_');
  return name + ".npy";
}

Json ProvidersOf(const Runtime& runtime, const OrtSession* session) {
  const Json explained = Json::parse(runtime.Tell<OrtrunExplainSessionFn>(ORTRUN_EXPLAIN_SESSION, session));
  std::map<std::string, std::map<std::string, size_t>> counts;
  for (const Json& node : explained["nodes"])
    ++counts[node["provider"].get<std::string>()][node["op"].get<std::string>()];
  return counts;
}

void PrintText(const Json& report) {
  for (const auto& [name, input] : report["inputs"].items())
    std::cout << "input   " << name << "  " << input["type"].get<std::string>() << ShapeText(input["shape"]) << '\n';
  for (const auto& [name, output] : report["outputs"].items()) {
    std::cout << "output  " << name << "  ";
    if (!output.contains("type")) {
      std::cout << output["kind"].get<std::string>() << '\n';
      continue;
    }
    std::cout << output["type"].get<std::string>() << ShapeText(output["shape"]);
    if (output.contains("mean"))
      std::cout << "  min " << output["min"] << "  max " << output["max"] << "  mean " << output["mean"];
    if (output.contains("not_finite")) std::cout << "  NOT FINITE: " << output["not_finite"];
    std::cout << "  " << output["first"].dump() << '\n';
  }
  for (const auto& [provider, operators] : report["providers"].items()) {
    std::cout << "ran on  " << provider << ":";
    for (const auto& [op, count] : operators.items()) std::cout << ' ' << op << 'x' << count;
    std::cout << '\n';
  }
  const Json& time = report["time_ms"];
  std::cout << "time    session " << time["create"] << " ms, run " << time["median"] << " ms";
  if (report["runs"] > 1)
    std::cout << " (median of " << report["runs"] << "; min " << time["min"] << ", max " << time["max"] << ")";
  std::cout << '\n';
  if (report.contains("profile")) std::cout << "profile " << report["profile"].get<std::string>() << '\n';
}

double Rounded(double value) { return std::round(value * 1000) / 1000; }

}  // namespace

int RunCommand(const std::vector<std::string>& words) {
  CommandLine line(
      "ortrun run MODEL [options]\n\nRuns a model once on inputs from files, or on random ones, and prints a summary "
      "of its outputs.",
      "model");
  line.AddSessionOptions();
  line.Add()("input,i", po::value<std::vector<std::string>>()->composing(),
             "NAME=FILE.npy, FILE.npz or FILE.json; may be repeated; inputs not given are random")(
      "seed", po::value<int64_t>()->default_value(0), "of the random inputs")(
      "repeat,n", po::value<int64_t>()->default_value(1), "number of runs")(
      "profile", po::value<std::string>()->implicit_value("ortrun_profile"),
      "write a Chrome trace with this file name prefix")("save,o", po::value<std::string>(),
                                                         "folder in which each output is saved as NAME.npy");
  if (!line.Parse(words)) return kOk;
  const auto repeat = static_cast<size_t>(line.Number("repeat", 1));
  const Runtime runtime(line.severity());
  SessionRequest request = line.Request();
  if (line.Has("profile")) request.profile = line.Get<std::string>("profile");
  Timing timing;
  const auto start = Clock::now();
  const Session session = OpenSession(runtime, request);
  timing.create_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const std::vector<Slot> input_slots = Inputs(runtime, session.get());
  const std::vector<Slot> output_slots = Outputs(runtime, session.get());
  InputRequest input_request;
  if (line.Has("input")) input_request.given = line.Get<std::vector<std::string>>("input");
  input_request.dimensions.insert(request.dimensions.begin(), request.dimensions.end());
  input_request.seed = static_cast<uint64_t>(line.Number("seed", 0));
  std::vector<Tensor> inputs = MakeInputs(input_slots, input_request);
  const std::map<std::string, Tensor> outputs =
      Execute(runtime, session.get(), inputs, input_slots, output_slots, repeat, timing);

  Json report;
  report["model"] = request.model;
  report["inputs"] = Json::object();
  report["outputs"] = Json::object();
  for (size_t i = 0; i < inputs.size(); ++i)
    report["inputs"][input_slots[i].name] = {{"type", NameOf(inputs[i].type)}, {"shape", inputs[i].shape}};
  for (const Slot& slot : output_slots) {
    const auto found = outputs.find(slot.name);
    report["outputs"][slot.name] = found == outputs.end() ? Json{{"kind", Describe(slot)}} : Summarize(found->second);
  }
  report["providers"] = ProvidersOf(runtime, session.get());
  std::vector<double> sorted = timing.runs_ms;
  std::sort(sorted.begin(), sorted.end());
  report["runs"] = sorted.size();
  report["time_ms"] = {{"create", Rounded(timing.create_ms)},
                       {"first", Rounded(timing.runs_ms.front())},
                       {"median", Rounded(sorted[sorted.size() / 2])},
                       {"min", Rounded(sorted.front())},
                       {"max", Rounded(sorted.back())}};
  if (!request.profile.empty()) {
    char* path = nullptr;
    runtime.Check(runtime.api().SessionEndProfiling(session.get(), runtime.allocator(), &path));
    report["profile"] = path;
    runtime.allocator()->Free(runtime.allocator(), path);
  }
  if (line.Has("save")) {
    const std::filesystem::path folder = line.Get<std::string>("save");
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    for (const auto& [name, tensor] : outputs) WriteFile((folder / FileName(name)).string(), FormatNpy(tensor));
  }
  if (line.json())
    std::cout << report.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  else
    PrintText(report);
  return kOk;
}

}  // namespace ortrun::cli
