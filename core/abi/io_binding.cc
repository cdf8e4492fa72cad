// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/base/nearest.h"
#include "core/execution/session.h"

namespace ortrun::abi {
namespace {

void CheckName(const std::vector<const OrtValueInfo*>& values, const std::vector<const OrtValueInfo*>& more,
               const char* name, const char* what) {
  std::vector<std::string> names;
  for (const auto* list : {&values, &more})
    for (const OrtValueInfo* value : *list) {
      if (value->name == name) return;
      names.push_back(value->name);
    }
  throw Error(ORT_INVALID_ARGUMENT,
              Concat("the model has no ", what, " '", name, "'.", DidYouMean(name, names), " It has: ", Join(names)));
}

OrtStatus* CreateIoBinding(OrtSession* session, OrtIoBinding** out) {
  return Guard({{"session", session}, {"out", out}}, [&] {
    auto binding = std::make_unique<OrtIoBinding>();
    binding->session = session;
    *out = binding.release();
  });
}

OrtStatus* BindInput(OrtIoBinding* binding_ptr, const char* name, const OrtValue* val_ptr) {
  return Guard({{"binding_ptr", binding_ptr}, {"name", name}, {"val_ptr", val_ptr}}, [&] {
    CheckName(binding_ptr->session->inputs(), binding_ptr->session->overridable(), name, "input");
    auto& inputs = binding_ptr->inputs;
    const auto found =
        std::find_if(inputs.begin(), inputs.end(), [&](const auto& input) { return input.first == name; });
    if (found == inputs.end())
      inputs.emplace_back(name, *val_ptr);
    else
      found->second = *val_ptr;
  });
}

OrtIoBinding::Output& OutputOf(OrtIoBinding& binding, const char* name) {
  CheckName(binding.session->outputs(), {}, name, "output");
  const auto found = std::find_if(binding.outputs.begin(), binding.outputs.end(),
                                  [&](const OrtIoBinding::Output& output) { return output.name == name; });
  if (found != binding.outputs.end()) return *found;
  binding.outputs.push_back({name, false, {}, {}});
  return binding.outputs.back();
}

OrtStatus* BindOutput(OrtIoBinding* binding_ptr, const char* name, const OrtValue* val_ptr) {
  return Guard({{"binding_ptr", binding_ptr}, {"name", name}, {"val_ptr", val_ptr}}, [&] {
    OrtIoBinding::Output& output = OutputOf(*binding_ptr, name);
    output.has_value = true;
    output.value = *val_ptr;
  });
}

OrtStatus* BindOutputToDevice(OrtIoBinding* binding_ptr, const char* name, const OrtMemoryInfo* mem_info_ptr) {
  return Guard({{"binding_ptr", binding_ptr}, {"name", name}, {"mem_info_ptr", mem_info_ptr}}, [&] {
    OrtIoBinding::Output& output = OutputOf(*binding_ptr, name);
    output.has_value = false;
    output.value = {};
    output.memory = *mem_info_ptr;
  });
}

OrtStatus* RunWithBinding(OrtSession* session, const OrtRunOptions* run_options, const OrtIoBinding* binding_ptr) {
  return Guard({{"session", session}, {"binding_ptr", binding_ptr}}, [&] {
    Require(!binding_ptr->outputs.empty(), "At least one output should be requested.");
    auto& binding = const_cast<OrtIoBinding&>(*binding_ptr);  // NOLINT: the run puts its results there
    std::vector<const char*> input_names;
    std::vector<const OrtValue*> inputs;
    for (const auto& [name, value] : binding.inputs) {
      input_names.push_back(name.c_str());
      inputs.push_back(&value);
    }
    std::vector<const char*> output_names;
    std::vector<OrtValue*> given;
    std::vector<const OrtMemoryInfo*> memory;
    for (OrtIoBinding::Output& output : binding.outputs) {
      output_names.push_back(output.name.c_str());
      given.push_back(output.has_value ? &output.value : nullptr);
      memory.push_back(output.has_value ? nullptr : &output.memory);
    }
    std::vector<std::unique_ptr<OrtValue>> made(given.size());
    session->Run(run_options, input_names, inputs, output_names, made, given, memory);
    for (size_t i = 0; i < made.size(); ++i)
      if (made[i] != nullptr) binding.outputs[i].value = std::move(*made[i]);
  });
}

OrtStatus* GetBoundOutputNames(const OrtIoBinding* binding_ptr, OrtAllocator* allocator, char** buffer,
                               size_t** lengths, size_t* count) {
  return Guard({{"binding_ptr", binding_ptr},
                {"allocator", allocator},
                {"buffer", buffer},
                {"lengths", lengths},
                {"count", count}},
               [&] {
                 std::string joined;
                 for (const auto& output : binding_ptr->outputs) joined += output.name;
                 *count = binding_ptr->outputs.size();
                 *buffer = nullptr;
                 *lengths = nullptr;
                 if (*count == 0) return;
                 char* text = NewArray<char>(allocator, joined.size() + 1);
                 std::copy(joined.begin(), joined.end(), text);
                 size_t* sizes = NewArray<size_t>(allocator, *count);
                 for (size_t i = 0; i < *count; ++i) sizes[i] = binding_ptr->outputs[i].name.size();
                 *buffer = text;
                 *lengths = sizes;
               });
}

OrtStatus* GetBoundOutputValues(const OrtIoBinding* binding_ptr, OrtAllocator* allocator, OrtValue*** output,
                                size_t* output_count) {
  return Guard(
      {{"binding_ptr", binding_ptr}, {"allocator", allocator}, {"output", output}, {"output_count", output_count}},
      [&] {
        *output = nullptr;
        *output_count = binding_ptr->outputs.size();
        if (*output_count == 0) return;
        std::vector<std::unique_ptr<OrtValue>> copies;
        for (const auto& bound : binding_ptr->outputs) copies.push_back(std::make_unique<OrtValue>(bound.value));
        OrtValue** values = NewArray<OrtValue*>(allocator, copies.size());
        for (size_t i = 0; i < copies.size(); ++i) values[i] = copies[i].release();
        *output = values;
      });
}

void ClearBoundInputs(OrtIoBinding* binding_ptr) noexcept {
  if (binding_ptr != nullptr) binding_ptr->inputs.clear();
}

void ClearBoundOutputs(OrtIoBinding* binding_ptr) noexcept {
  if (binding_ptr != nullptr) binding_ptr->outputs.clear();
}

// A run returns when its results are there, and copies of inputs are made inside it: there is nothing to wait for.
OrtStatus* SynchronizeBoundInputs(OrtIoBinding* binding_ptr) {
  return Guard({{"binding_ptr", binding_ptr}}, [] {});
}

OrtStatus* SynchronizeBoundOutputs(OrtIoBinding* binding_ptr) {
  return Guard({{"binding_ptr", binding_ptr}}, [] {});
}

}  // namespace

void FillIoBinding(OrtApi& api) {
  api.CreateIoBinding = CreateIoBinding;
  api.ReleaseIoBinding = Delete<OrtIoBinding>;
  api.BindInput = BindInput;
  api.BindOutput = BindOutput;
  api.BindOutputToDevice = BindOutputToDevice;
  api.RunWithBinding = RunWithBinding;
  api.GetBoundOutputNames = GetBoundOutputNames;
  api.GetBoundOutputValues = GetBoundOutputValues;
  api.ClearBoundInputs = ClearBoundInputs;
  api.ClearBoundOutputs = ClearBoundOutputs;
  api.SynchronizeBoundInputs = SynchronizeBoundInputs;
  api.SynchronizeBoundOutputs = SynchronizeBoundOutputs;
}

}  // namespace ortrun::abi
