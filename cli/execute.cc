// SPDX-License-Identifier: Apache-2.0
#include "cli/execute.h"

#include <chrono>

#include "cli/progress.h"

namespace ortrun::cli {

std::map<std::string, Tensor> Execute(const Runtime& runtime, OrtSession* session, std::vector<Tensor>& inputs,
                                      const std::vector<Slot>& input_slots, const std::vector<Slot>& output_slots,
                                      size_t repeat, Timing& timing) {
  std::vector<Value> owned;
  std::vector<const OrtValue*> values;
  std::vector<const char*> input_names;
  std::vector<const char*> output_names;
  for (size_t i = 0; i < inputs.size(); ++i) {
    owned.push_back(ToValue(runtime, inputs[i]));
    values.push_back(owned.back().get());
    input_names.push_back(input_slots[i].name.c_str());
  }
  for (const Slot& slot : output_slots) output_names.push_back(slot.name.c_str());
  std::vector<Value> results;
  Progress progress("running", repeat);
  for (size_t run = 0; run < repeat; ++run) {
    std::vector<OrtValue*> raw(output_names.size(), nullptr);
    const auto start = std::chrono::steady_clock::now();
    OrtStatus* status =
        runtime.api().Run(const_cast<OrtSession*>(session), nullptr, input_names.data(), values.data(),  // NOLINT
                          values.size(), output_names.data(), output_names.size(), raw.data());
    timing.runs_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    results.clear();
    for (OrtValue* value : raw) results.push_back(runtime.MakeValue(value));
    try {
      runtime.Check(status);
    } catch (const Error& error) {
      throw CliError(error.code() == ORT_INVALID_ARGUMENT ? kBadInput : kFailed, error.what());
    }
    progress.Advance();
  }
  std::map<std::string, Tensor> tensors;
  for (size_t i = 0; i < results.size(); ++i) {
    int is_tensor = 0;
    runtime.Check(runtime.api().IsTensor(results[i].get(), &is_tensor));
    if (is_tensor != 0) tensors.emplace(output_names[i], FromValue(runtime, results[i].get()));
  }
  return tensors;
}

}  // namespace ortrun::cli
