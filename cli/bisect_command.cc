// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/element_type.h"
#include "cli/execute.h"
#include "cli/inputs.h"
#include "cli/options.h"

namespace ortrun::cli {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using Results = std::map<std::string, Tensor>;

/// The patches of a session's optimizer as its log tells them: "patch 3 by algebra: node 'a' (Mul) -> nothing".
struct PatchLog {
  std::vector<std::string> patches;

  static void Write(void* log, OrtLoggingLevel, const char*, const char*, const char*, const char* message) {
    const std::string text = message;
    if (text.starts_with("patch ")) static_cast<PatchLog*>(log)->patches.push_back(text);
  }
};

/// The name of the first output that differs, or "". `tolerance` is relative to the output's largest finite number.
std::string Difference(const Results& want, const Results& got, double tolerance) {
  for (const auto& [name, wanted] : want) {
    const Tensor& tensor = got.at(name);
    if (tensor.type != wanted.type || tensor.shape != wanted.shape || tensor.strings != wanted.strings) return name;
    if (FindType(wanted.type) == nullptr) {
      if (tensor.bytes != wanted.bytes) return name;
      continue;
    }
    double largest = 0;
    for (size_t i = 0; i < wanted.count(); ++i) {
      const double number = std::fabs(ElementAsDouble(wanted, i));
      if (std::isfinite(number)) largest = std::max(largest, number);
    }
    for (size_t i = 0; i < wanted.count(); ++i) {
      const double a = ElementAsDouble(wanted, i);
      const double b = ElementAsDouble(tensor, i);
      const bool same = a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= tolerance * largest;
      if (!same) return name;
    }
  }
  return "";
}

class Bisection {
 public:
  Bisection(const Runtime& runtime, SessionRequest request, InputRequest inputs, double tolerance)
      : runtime_(runtime), request_(std::move(request)), input_request_(std::move(inputs)), tolerance_(tolerance) {}

  Json Run() {
    SessionRequest plain = request_;
    plain.optimization = ORT_DISABLE_ALL;
    want_ = RunOn(plain);
    PatchLog log;
    SessionRequest all = request_;
    all.log = &PatchLog::Write;
    all.log_to = &log;
    std::string differs = Difference(want_, RunOn(all), tolerance_);
    Json report = {{"patches", log.patches.size()}, {"first", nullptr}};
    if (differs.empty()) return report;
    size_t good = 0;
    size_t bad = log.patches.size();
    while (bad - good > 1) {
      const size_t middle = good + (bad - good) / 2;
      SessionRequest part = request_;
      part.config.emplace_back("ortrun.optimizer.stop_after", std::to_string(middle));
      const std::string found = Difference(want_, RunOn(part), tolerance_);
      if (found.empty()) {
        good = middle;
      } else {
        bad = middle;
        differs = found;
      }
    }
    report["first"] = bad;
    report["output"] = differs;
    if (bad != 0) report["patch"] = log.patches[bad - 1];
    return report;
  }

 private:
  Results RunOn(const SessionRequest& request) {
    const Session session = OpenSession(runtime_, request);
    const std::vector<Slot> inputs = Inputs(runtime_, session.get());
    std::vector<Tensor> tensors = MakeInputs(inputs, input_request_);
    Timing timing;
    return Execute(runtime_, session.get(), tensors, inputs, Outputs(runtime_, session.get()), 1, timing);
  }

  const Runtime& runtime_;
  SessionRequest request_;
  InputRequest input_request_;
  double tolerance_;
  Results want_;
};

}  // namespace

int BisectCommand(const std::vector<std::string>& words) {
  CommandLine line(
      "ortrun bisect MODEL [options]\n\nCompares the optimised model with the model as it is, and names the first "
      "patch of "
      "the optimizer that changes a result.",
      "model");
  line.AddSessionOptions();
  line.Add()("input,i", po::value<std::vector<std::string>>()->composing(),
             "NAME=FILE.npy, FILE.npz or FILE.json; may be repeated; inputs not given are random")(
      "seed", po::value<int64_t>()->default_value(0), "of the random inputs")(
      "tolerance", po::value<double>()->default_value(1e-3),
      "difference that counts, relative to the largest number of an output");
  if (!line.Parse(words)) return kOk;
  const auto tolerance = line.Get<double>("tolerance");
  if (!(tolerance >= 0)) throw CliError(kUsage, "--tolerance takes a number from 0");
  const Runtime runtime(line.severity());
  const SessionRequest request = line.Request();
  InputRequest inputs;
  if (line.Has("input")) inputs.given = line.Get<std::vector<std::string>>("input");
  inputs.dimensions.insert(request.dimensions.begin(), request.dimensions.end());
  inputs.seed = static_cast<uint64_t>(line.Number("seed", 0));
  const Json report = Bisection(runtime, request, inputs, tolerance).Run();
  if (line.json()) {
    std::cout << report.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  } else if (report["first"].is_null()) {
    std::cout << "none of " << report["patches"] << " patches changes a result by more than " << tolerance << '\n';
  } else {
    std::cout << "output '" << report["output"].get<std::string>() << "' differs from patch " << report["first"]
              << " of " << report["patches"] << " on\n";
    if (report.contains("patch")) std::cout << report["patch"].get<std::string>() << '\n';
  }
  return report["first"].is_null() ? kOk : kFailed;
}

}  // namespace ortrun::cli
