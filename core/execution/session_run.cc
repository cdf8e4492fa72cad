// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/floating_point.h"
#include "core/base/nearest.h"
#include "core/execution/given_outputs.h"
#include "core/execution/session.h"
#include "core/execution/session_impl.h"
#include "ortrun/error.h"

namespace {

/// A small array on the stack, or on the heap when it is long: a run allocates nothing for the usual counts.
template <typename T, size_t kInline = 32>
class SmallArray {
 public:
  explicit SmallArray(size_t count) : count_(count) {
    if (count > kInline) heap_.resize(count);
  }
  std::span<T> all() { return count_ > kInline ? std::span<T>(heap_) : std::span<T>(inline_.data(), count_); }
  T& operator[](size_t i) { return all()[i]; }

 private:
  size_t count_;
  std::array<T, kInline> inline_{};
  std::vector<T> heap_;
};

/// Tells all providers of a run that it ends, also when it ends with an exception.
class ProviderRuns {
 public:
  ProviderRuns(std::span<const std::unique_ptr<ortrun::Provider>> providers, const OrtRunOptions* options)
      : providers_(providers), options_(options) {}
  ProviderRuns(const ProviderRuns&) = delete;
  ProviderRuns& operator=(const ProviderRuns&) = delete;
  /// After an error the providers hear of the end, but what they say of it would hide the error.
  ~ProviderRuns() {
    for (size_t i = 0; i < started_; ++i) {
      OrtStatus* status = End(*providers_[i]);
      if (status != nullptr) Api().ReleaseStatus(status);
    }
  }

  void Start() {
    for (const auto& provider : providers_) {
      if (provider->ep->OnRunStart != nullptr)
        ortrun::ThrowOnError(Api(), provider->ep->OnRunStart(provider->ep, options_));
      ++started_;
    }
  }
  void End() {
    OrtStatus* first = nullptr;
    for (; started_ != 0; --started_) {
      OrtStatus* status = End(*providers_[providers_.size() - started_]);
      if (status == nullptr) continue;
      if (first == nullptr)
        first = status;
      else
        Api().ReleaseStatus(status);
    }
    ortrun::ThrowOnError(Api(), first);
  }

 private:
  static const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }
  OrtStatus* End(const ortrun::Provider& provider) const {
    return provider.ep->OnRunEnd == nullptr ? nullptr : provider.ep->OnRunEnd(provider.ep, options_, true);
  }

  std::span<const std::unique_ptr<ortrun::Provider>> providers_;
  const OrtRunOptions* options_;
  size_t started_ = 0;
};

}  // namespace

void OrtSession::Run(const OrtRunOptions* options, std::span<const char* const> input_names,
                     std::span<const OrtValue* const> inputs, std::span<const char* const> output_names,
                     std::span<std::unique_ptr<OrtValue>> new_outputs, std::span<OrtValue* const> given_outputs,
                     std::span<const OrtMemoryInfo* const> output_memory) {
  Impl& impl = *impl_;
  ortrun::Program& program = *impl.program;
  const ortrun::DenormalsAsZero denormals(impl.denormals_as_zero);
  ortrun::ProfiledScope profiled(impl.state.profiler.get(), "Session", "model_run");
  const size_t input_count = program.inputs().size();
  const size_t output_count = program.outputs().size();

  SmallArray<const OrtValue*> given(input_count);
  for (size_t i = 0; i < input_names.size(); ++i) {
    const std::string_view name = input_names[i] == nullptr ? "" : input_names[i];
    // The caller mostly gives inputs in the model's own order.
    const bool in_order = i < impl.input_names.size() && impl.input_names[i] == name;
    const auto found = in_order ? impl.input_index.end() : impl.input_index.find(name);
    if (!in_order && found == impl.input_index.end())
      throw ortrun::Error(ORT_INVALID_ARGUMENT,
                          ortrun::Concat("Invalid input name: ", name, ".", ortrun::DidYouMean(name, impl.input_names),
                                         " The model's inputs are: ", ortrun::Join(impl.input_names)));
    const size_t index = in_order ? i : found->second;
    if (inputs[i] == nullptr)
      throw ortrun::Error(ORT_INVALID_ARGUMENT, ortrun::Concat("NULL input supplied for input ", name));
    impl.input_check->Check(index, *inputs[i]);
    given[index] = inputs[i];
  }
  // Where each output is to go. An output that is named twice is computed once, for the first name.
  SmallArray<OrtValue> results(output_count);
  SmallArray<char> wanted(output_count);
  SmallArray<int> memory(output_count);
  SmallArray<size_t> position(output_names.size());
  SmallArray<size_t> taker(output_count);  // by output: the name that takes its result, plus 1
  bool other_memory = false;
  const auto given_at = [&](size_t i) -> OrtValue* { return given_outputs.empty() ? nullptr : given_outputs[i]; };
  for (size_t i = 0; i < output_names.size(); ++i) {
    const std::string_view name = output_names[i] == nullptr ? "" : output_names[i];
    const bool in_order = i < impl.output_names.size() && impl.output_names[i] == name;
    const auto found = in_order ? impl.output_index.end() : impl.output_index.find(name);
    if (!in_order && found == impl.output_index.end())
      throw ortrun::Error(
          ORT_INVALID_ARGUMENT,
          ortrun::Concat("Invalid output name: ", name, ".", ortrun::DidYouMean(name, impl.output_names),
                         " The model's outputs are: ", ortrun::Join(impl.output_names)));
    const size_t index = in_order ? i : found->second;
    position[i] = index;
    wanted[index] = 1;
    if (taker[index] != 0) {
      ortrun::Require(given_at(i) == nullptr && given_at(taker[index] - 1) == nullptr, "output '", name,
                      "' is asked for twice with a value given for it; give one value, or none");
      continue;
    }
    taker[index] = i + 1;
    if (given_at(i) != nullptr) {
      ortrun::CheckGivenOutput(program, index, *given_at(i));
      results[index] = *given_at(i);
    }
    if (!output_memory.empty() && output_memory[i] != nullptr) {
      const int at = impl.state.FindMemory(output_memory[i]->device);
      if (at < 0)
        throw ortrun::Error(ORT_INVALID_ARGUMENT,
                            ortrun::Concat("output '", name, "' is wanted in memory '", output_memory[i]->name,
                                           "', which no provider of this session serves"));
      memory[index] = at;
    }
    if (results[index].IsTensor()) memory[index] = std::max(impl.state.FindMemory(results[index].memory().device), 0);
    other_memory = other_memory || memory[index] != 0;
  }

  ortrun::RunCall call;
  const auto all = wanted.all();
  bool complete = std::all_of(all.begin(), all.end(), [](char output) { return output != 0; });
  for (size_t i = 0; i < input_count; ++i) {
    if (given[i] != nullptr) continue;
    given[i] = impl.DefaultInput(i);
    complete = complete && given[i] != nullptr;
  }
  if (!complete) {
    call.selection = program.Select(all);
    impl.RequireInputs(*call.selection, given.all());
  }
  impl.input_check->CheckNames(given.all());
  std::vector<std::unique_ptr<const OrtValue>> copies;
  ortrun::KeepApart(program, results.all(), given.all(), copies);

  call.options = options;
  call.inputs = given.all();
  call.results = results.all();
  call.wanted = all;
  if (other_memory) call.result_memory = memory.all();
  {
    const bool serial = std::any_of(impl.state.providers.begin(), impl.state.providers.end(),
                                    [](const auto& provider) { return !provider->concurrent_runs; });
    std::unique_lock lock(impl.serial_runs, std::defer_lock);
    if (serial) lock.lock();
    ProviderRuns runs(impl.state.providers, options);
    runs.Start();
    impl.state.counters.runs.fetch_add(1, std::memory_order_relaxed);
    program.Run(call);
    runs.End();
  }

  // The names that repeat an output first: its result is moved to the one that took it.
  for (size_t i = 0; i < output_names.size(); ++i)
    if (taker[position[i]] != i + 1) new_outputs[i] = impl.CopyOf(results[position[i]]);
  for (size_t i = 0; i < output_names.size(); ++i) {
    if (taker[position[i]] != i + 1) continue;
    OrtValue& result = results[position[i]];
    if (given_at(i) == nullptr)
      new_outputs[i] = std::make_unique<OrtValue>(std::move(result));
    else if (!given_at(i)->HasValue())
      *given_at(i) = std::move(result);
  }
}

void OrtSession::RequireInputs(std::span<const char* const> input_names,
                               std::span<const char* const> output_names) const {
  Impl& impl = *impl_;
  const size_t input_count = impl.program->inputs().size();
  std::vector<const OrtValue*> given(input_count);
  for (size_t i = 0; i < input_count; ++i) given[i] = impl.DefaultInput(i);
  static const OrtValue some;
  for (const std::string_view name : input_names)
    if (const auto found = impl.input_index.find(name); found != impl.input_index.end()) given[found->second] = &some;
  if (std::find(given.begin(), given.end(), nullptr) == given.end()) return;
  std::vector<char> wanted(impl.program->outputs().size());
  for (const std::string_view name : output_names)
    if (const auto found = impl.output_index.find(name); found != impl.output_index.end()) wanted[found->second] = 1;
  impl.RequireInputs(*impl.program->Select(wanted), given);
}

const OrtValue* OrtSession::Impl::DefaultInput(size_t index) const {
  static const OrtValue none = OrtValue::None();
  const OrtValueInfo& info = *program->values()[static_cast<size_t>(program->inputs()[index])].info;
  return info.type.kind == ONNX_TYPE_OPTIONAL ? &none : info.initializer.get();
}

void OrtSession::Impl::RequireInputs(const ortrun::Selection& selection, std::span<const OrtValue* const> given) const {
  std::string missing;
  for (size_t i = 0; i < given.size(); ++i)
    if (given[i] == nullptr && selection.inputs[i] != 0)
      missing += (missing.empty() ? "'" : ", '") + input_names[i] + "'";
  if (!missing.empty())
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("Missing Input: ", missing,
                                       " must be given; the model's inputs are: ", ortrun::Join(input_names)));
}

std::unique_ptr<OrtValue> OrtSession::Impl::CopyOf(const OrtValue& value) const {
  auto copy = std::make_unique<OrtValue>(value);
  copy->OwnElements();
  if (!value.IsTensor()) return copy;
  const int memory = std::max(state.FindMemory(value.memory().device), 0);
  *copy = OrtValue::Tensor(value.type(), value.tensor().shape, value.tensor().rank,
                           state.memories[static_cast<size_t>(memory)].allocator);
  const OrtValue* from = &value;
  OrtValue* to = copy.get();
  state.env->CopyTensors(&from, &to, nullptr, 1);
  return copy;
}

const OrtMemoryInfo* OrtSession::InputMemory(size_t index) const {
  const ortrun::Program& program = *impl_->program;
  const int value = program.inputs().at(impl_->input_index.at(impl_->inputs.at(index)->name));
  // A first copy to a device says that the input is wanted there.
  for (const ortrun::Step& step : program.steps())
    if (step.kernel.IsCopy() && step.inputs[0] == value)
      return &impl_->state.memories[program.values()[static_cast<size_t>(step.outputs[0])].memory].info;
  return &impl_->state.memories[0].info;
}

const OrtMemoryInfo* OrtSession::OutputMemory(size_t index) const {
  const ortrun::Program& program = *impl_->program;
  const int value = program.outputs().at(impl_->output_index.at(impl_->outputs.at(index)->name));
  for (const ortrun::Step& step : program.steps())
    if (step.kernel.IsCopy() && step.outputs[0] == value)
      return &impl_->state.memories[program.values()[static_cast<size_t>(step.inputs[0])].memory].info;
  return &impl_->state.memories[0].info;
}

const OrtEpDevice* OrtSession::InputDevice(size_t index) const { return impl_->DeviceOf(*InputMemory(index)); }
const OrtEpDevice* OrtSession::OutputDevice(size_t index) const { return impl_->DeviceOf(*OutputMemory(index)); }

const OrtEpDevice* OrtSession::Impl::DeviceOf(const OrtMemoryInfo& memory) const {
  for (const auto& provider : state.providers)
    if (provider->memory.device == memory.device && !provider->devices.empty()) return provider->devices.front();
  return nullptr;
}
