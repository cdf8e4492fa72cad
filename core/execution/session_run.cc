// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/floating_point.h"
#include "core/base/nearest.h"
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

std::string DeclaredShape(const OrtTypeInfo& type) {
  if (!type.tensor.has_shape) return "any shape";
  std::string text = "{";
  for (size_t i = 0; i < type.tensor.dims.size(); ++i) {
    if (i != 0) text += ',';
    if (type.tensor.dims[i] >= 0)
      text += std::to_string(type.tensor.dims[i]);
    else
      text += type.tensor.symbols[i].empty() ? "?" : type.tensor.symbols[i];
  }
  return text + "}";
}

/// Elements of a sequence of tensors: what takes one out has the declared type.
void CheckElements(const OrtValueInfo& info, const OrtValue& value) {
  const OrtTypeInfo& expected = info.type.sequence->element;
  for (size_t i = 0; i < value.elements().size(); ++i) {
    const OrtValue& element = value.elements()[i];
    if (element.kind() == expected.kind && (!expected.IsTensor() || element.type() == expected.tensor.type)) continue;
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("Unexpected input data type. Element ", i, " of sequence '", info.name, "' is ",
                                       ortrun::TypeName(element.TypeOf()), ", expected: ", ortrun::TypeName(expected)));
  }
}

}  // namespace

void OrtSession::Impl::CheckInput(size_t index, const OrtValue& value) const {
  const OrtValueInfo& info = *program->values()[static_cast<size_t>(program->inputs()[index])].info;
  const OrtTypeInfo& expected = info.type;
  if (expected.kind == ONNX_TYPE_OPTIONAL || expected.kind == ONNX_TYPE_UNKNOWN) return;
  if (value.kind() != expected.kind)
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("Unexpected input type for '", info.name, "': expected ",
                                       ortrun::TypeName(expected), ", got ", ortrun::TypeName(value.TypeOf())));
  if (value.kind() == ONNX_TYPE_SEQUENCE) CheckElements(info, value);
  if (!value.IsTensor()) return;
  if (expected.tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && value.type() != expected.tensor.type)
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("Unexpected input data type. Actual: (", ortrun::TypeName(value.TypeOf()),
                                       ") , expected: (", ortrun::TypeName(expected), ") for input '", info.name,
                                       "'; convert it, in numpy with .astype()"));
  if (!expected.tensor.has_shape) return;
  const OrtrunTensor& tensor = value.tensor();
  const std::vector<int64_t>& dims = expected.tensor.dims;
  if (tensor.rank != dims.size())
    throw ortrun::Error(
        ORT_INVALID_ARGUMENT,
        ortrun::Concat("Invalid rank for input: ", info.name, " Got: ", tensor.rank, " Expected: ", dims.size(),
                       ". It has shape ", ortrun::ShapeText(tensor.shape, tensor.rank), " and the model declares ",
                       DeclaredShape(expected), ". Please fix either the inputs/outputs or the model."));
  for (size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis] >= 0 && dims[axis] != tensor.shape[axis])
      throw ortrun::Error(
          ORT_INVALID_ARGUMENT,
          ortrun::Concat("Got invalid dimensions for input: ", info.name, " for the following indices\n",
                         " index: ", axis, " Got: ", tensor.shape[axis], " Expected: ", dims[axis], "\n It has shape ",
                         ortrun::ShapeText(tensor.shape, tensor.rank), " and the model declares ",
                         DeclaredShape(expected), "\n Please fix either the inputs/outputs or the model."));
}

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
    impl.CheckInput(index, *inputs[i]);
    given[index] = inputs[i];
  }
  static const OrtValue none = OrtValue::None();
  std::string missing;
  for (size_t i = 0; i < input_count; ++i) {
    if (given[i] != nullptr) continue;
    const OrtValueInfo& info = *program.values()[static_cast<size_t>(program.inputs()[i])].info;
    given[i] = info.type.kind == ONNX_TYPE_OPTIONAL ? &none : info.initializer.get();
    if (given[i] == nullptr) missing += (missing.empty() ? "'" : ", '") + info.name + "'";
  }
  if (!missing.empty())
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("Missing Input: ", missing,
                                       " must be given; the model's inputs are: ", ortrun::Join(impl.input_names)));

  SmallArray<OrtValue> results(output_count);
  SmallArray<char> wanted(output_count);
  SmallArray<int> memory(output_count);
  SmallArray<size_t> position(output_names.size());
  bool other_memory = false;
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
    if (!given_outputs.empty() && given_outputs[i] != nullptr) results[index] = *given_outputs[i];
    if (!output_memory.empty() && output_memory[i] != nullptr) {
      const int at = impl.state.FindMemory(output_memory[i]->device);
      if (at < 0)
        throw ortrun::Error(ORT_INVALID_ARGUMENT,
                            ortrun::Concat("output '", name, "' is wanted in memory '", output_memory[i]->name,
                                           "', which no provider of this session serves"));
      memory[index] = at;
    }
    if (results[index].IsTensor()) {
      const int at = impl.state.FindMemory(results[index].memory().device);
      memory[index] = std::max(at, 0);
    }
    other_memory = other_memory || memory[index] != 0;
  }

  ortrun::RunCall call;
  call.options = options;
  call.inputs = given.all();
  call.results = results.all();
  call.wanted = wanted.all();
  if (other_memory) call.result_memory = memory.all();

  const OrtApi& api = *OrtGetApiBase()->GetApi(ORT_API_VERSION);
  for (const auto& provider : impl.state.providers)
    if (provider->ep->OnRunStart != nullptr) ortrun::ThrowOnError(api, provider->ep->OnRunStart(provider->ep, options));
  impl.state.counters.runs.fetch_add(1, std::memory_order_relaxed);
  {
    const bool serial = std::any_of(impl.state.providers.begin(), impl.state.providers.end(),
                                    [](const auto& provider) { return !provider->concurrent_runs; });
    std::unique_lock lock(impl.serial_runs, std::defer_lock);
    if (serial) lock.lock();
    program.Run(call);
  }
  for (const auto& provider : impl.state.providers)
    if (provider->ep->OnRunEnd != nullptr)
      ortrun::ThrowOnError(api, provider->ep->OnRunEnd(provider->ep, options, true));

  for (size_t i = 0; i < output_names.size(); ++i)
    if (given_outputs.empty() || given_outputs[i] == nullptr)
      new_outputs[i] = std::make_unique<OrtValue>(std::move(results[position[i]]));
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
