// SPDX-License-Identifier: Apache-2.0
#include "core/execution/given_outputs.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "core/execution/type_check.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// The bytes of a dense tensor; of strings, those of the array of strings.
std::pair<const char*, size_t> RangeOf(const Value& tensor) {
  const size_t bytes = tensor.IsString() ? tensor.tensor().count * sizeof(std::string) : tensor.bytes();
  return {static_cast<const char*>(tensor.tensor().data), bytes};
}

bool TensorsOverlap(const Value& a, const Value& b) {
  const auto [first, first_bytes] = RangeOf(a);
  const auto [second, second_bytes] = RangeOf(b);
  const std::less<> before;  // over all pointers
  return first_bytes != 0 && second_bytes != 0 && before(first, second + second_bytes) &&
         before(second, first + first_bytes) && a.memory().device == b.memory().device;
}

bool HasElements(const Value& value) { return value.kind() == ONNX_TYPE_SEQUENCE || value.kind() == ONNX_TYPE_MAP; }

Value CopyOf(const Program& program, const Value& tensor) {
  const SessionState& session = program.session();
  const int memory = session.FindMemory(tensor.memory().device);
  if (memory < 0 && !tensor.memory().device.HostAccessible())
    throw Error(ORT_INVALID_ARGUMENT, Concat("an output was given over an input in memory '", tensor.memory().name,
                                             "', of which no provider of this session can make a copy"));
  Value copy = Value::Tensor(tensor.type(), tensor.tensor().shape, tensor.tensor().rank,
                             session.memories[static_cast<size_t>(std::max(memory, 0))].allocator);
  const Value* from = &tensor;
  Value* to = &copy;
  session.env->CopyTensors(&from, &to, nullptr, 1);
  return copy;
}

/// `value` with new memory for what overlaps `output`.
Value Apart(const Program& program, const Value& value, const Value& output) {
  if (value.IsTensor()) return Overlap(value, output) ? CopyOf(program, value) : value;
  if (!HasElements(value)) return value;
  std::vector<Value> elements;
  for (const Value& element : value.elements()) elements.push_back(Apart(program, element, output));
  if (value.kind() == ONNX_TYPE_MAP) return Value::Map(std::move(elements[0]), std::move(elements[1]));
  return Value::Sequence(std::move(elements));
}

}  // namespace

bool Overlap(const Value& a, const Value& b) {
  if (a.IsTensor() && b.IsTensor()) return TensorsOverlap(a, b);
  if (HasElements(a) && HasElements(b) && &a.elements() == &b.elements()) return true;
  const Value& outer = HasElements(a) ? a : b;
  const Value& other = HasElements(a) ? b : a;
  if (!HasElements(outer)) return a.sparse() != nullptr && a.sparse() == b.sparse();
  for (const Value& element : outer.elements())
    if (Overlap(element, other)) return true;
  return false;
}

void CheckGivenOutput(const Program& program, size_t index, const Value& given) {
  const ValueInfo& info = *program.output_facts()[index].info;
  if (!given.HasValue()) return;  // an empty optional: the caller's handle receives the result itself
  if (!FitsType(info.type, given))
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("Unexpected output data type. Actual: (", TypeFound(info.type, given), ") , expected: (",
                       TypeName(info.type), ") for the value given for output '", info.name,
                       "'; give one of that type, or let the run make it"));
  if (given.read_only())
    throw Error(
        ORT_INVALID_ARGUMENT,
        Concat("the value given for output '", info.name,
               "' is read-only: it lies over memory that must not be written, such as a numpy array without the "
               "write flag; give a writable one, or let the run make it"));
  if (!given.IsTensor()) return;
  const MemoryDevice& device = given.memory().device;
  if (!device.HostAccessible() && program.session().FindMemory(device) < 0)
    throw Error(ORT_INVALID_ARGUMENT, Concat("the value given for output '", info.name, "' lies in memory '",
                                             given.memory().name, "', which no provider of this session serves"));
}

void KeepApart(const Program& program, std::span<const Value> outputs, std::span<const Value*> inputs,
               std::vector<std::unique_ptr<const Value>>& copies) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].HasValue()) continue;
    for (size_t j = i + 1; j < outputs.size(); ++j)
      if (outputs[j].HasValue() && Overlap(outputs[i], outputs[j]))
        throw Error(ORT_INVALID_ARGUMENT,
                    Concat("the values given for the outputs '", program.output_facts()[i].info->name, "' and '",
                           program.output_facts()[j].info->name, "' lie over each other; give each memory of its own"));
    for (const Value*& input : inputs) {
      if (input == nullptr || !Overlap(*input, outputs[i])) continue;
      copies.push_back(std::make_unique<const Value>(Apart(program, *input, outputs[i])));
      input = copies.back().get();
    }
  }
}

}  // namespace ortrun
