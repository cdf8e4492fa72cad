// SPDX-License-Identifier: Apache-2.0
// The results of a run: what is made in the caller's buffers from the start, and how the others get to the caller.
#include <algorithm>
#include <utility>

#include "core/execution/frame.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

bool SameShape(const OrtrunTensor& a, const OrtrunTensor& b) {
  return std::equal(a.shape, a.shape + a.rank, b.shape, b.shape + b.rank);
}

std::string Describe(const Value& value) {
  if (!value.IsTensor()) return TypeName(value.TypeOf());
  return Concat(TypeName(value.TypeOf()), " ", ShapeText(value.tensor().shape, value.tensor().rank));
}

}  // namespace

/// Whether the result is expected to have the given buffer's shape. Where it is not, it is made apart and compared
/// when it is there: what a model declares may be wrong.
bool Frame::FitsExpected(size_t output, const Value& given) const {
  const OrtrunTensor& tensor = given.tensor();
  const ProgramOutput& declared = program_.output_facts()[output];
  if (plan_ != nullptr) {
    const ResultShape& expected = plan_->results[output];
    if (!expected.seen) return false;
    const bool fits = expected.dims.Equals(tensor.shape, tensor.rank);
    if (!fits && declared.shape_follows)
      throw Error(
          ORT_INVALID_ARGUMENT,
          Concat("output '", declared.info->name, "' has shape ", ShapeText(expected.dims.data(), expected.dims.rank()),
                 " but the buffer given for it has ", ShapeText(tensor.shape, tensor.rank),
                 ": bind a buffer of that shape, or let the run make it"));
    return fits;
  }
  if (!declared.has_shape || declared.dims.size() != tensor.rank) return false;
  for (size_t axis = 0; axis < tensor.rank; ++axis) {
    const ProgramOutput::Extent& extent = declared.dims[axis];
    if (extent.input < 0) {
      if (extent.number != tensor.shape[axis]) return false;
      continue;
    }
    const Value* input = call_->inputs[static_cast<size_t>(extent.input)];
    if (input == nullptr || !input->IsTensor() || extent.axis >= input->tensor().rank ||
        input->tensor().shape[extent.axis] != tensor.shape[axis])
      return false;
  }
  return true;
}

/// Results are made in the caller's buffers where all buffers have the shapes to expect; where one has not, none is
/// written before all results are there and fit.
void Frame::BindResults() {
  const auto& outputs = program_.outputs();
  bool all_fit = true;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (call_->results[i].IsTensor()) all_fit = FitsExpected(i, call_->results[i]) && all_fit;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int v = outputs[i];
    const ProgramValue& value = program_.values()[static_cast<size_t>(v)];
    Slot& slot = SlotOf(v);
    if (value.role != ProgramValue::Role::kLocal || slot.place == Place::kConstant ||
        program_.output_facts()[i].repeats)
      continue;
    Value& result = call_->results[i];
    const bool expected = all_fit && result.IsTensor() && !value.shape_only;
    const bool in_place = expected && result.memory().device == session_.memories[value.memory].info.device;
    if (in_place)
      PutAt(v, &result, Place::kGiven);
    else if (slot.place == Place::kGiven)
      PutAt(v, &slot.own, Place::kOwn);
    // What a copy would bring to the CPU is made in the caller's buffer where that is on the device.
    if (value.producer < 0) continue;
    const Step& producer = program_.steps()[static_cast<size_t>(value.producer)];
    if (!producer.kernel.IsCopy()) continue;
    const int s = producer.inputs[0];
    const ProgramValue& source = program_.values()[static_cast<size_t>(s)];
    Slot& made = SlotOf(s);
    if (source.role != ProgramValue::Role::kLocal || made.place == Place::kConstant) continue;
    if (expected && !in_place && !source.shape_only &&
        result.memory().device == session_.memories[source.memory].info.device)
      PutAt(s, &result, Place::kGiven);
    else if (made.place == Place::kGiven)
      PutAt(s, &made.own, Place::kOwn);
  }
}

/// Where a result is once all steps have run.
const Value& Frame::ResultOf(size_t output) const {
  if (!kept_results_.empty() && kept_results_[output].HasValue()) return kept_results_[output];
  return *slots_[static_cast<size_t>(program_.outputs()[output])].at;
}

/// All given buffers are compared before the first is written.
void Frame::CheckResults() const {
  for (size_t i = 0; i < program_.outputs().size(); ++i) {
    const Value& given = call_->results[i];
    if (!given.HasValue() || (!call_->wanted.empty() && call_->wanted[i] == 0)) continue;
    const Value& made = ResultOf(i);
    const bool fits = made.kind() == given.kind() &&
                      (!made.IsTensor() || (made.type() == given.type() && SameShape(made.tensor(), given.tensor())));
    if (!fits)
      throw Error(ORT_INVALID_ARGUMENT, Concat("output '", program_.output_facts()[i].info->name, "' is ",
                                               Describe(made), " but the buffer given for it is ", Describe(given),
                                               ": bind a buffer like the result, or let the run make it"));
  }
}

void Frame::CollectResults() {
  CheckResults();
  for (size_t i = 0; i < program_.outputs().size(); ++i) {
    const bool wanted = call_->wanted.empty() || call_->wanted[i] != 0;
    if (plan_ == nullptr) {
      const Value& made = ResultOf(i);
      result_shapes_[i].seen = wanted && made.IsTensor();
      if (result_shapes_[i].seen) result_shapes_[i].dims.Assign(made.tensor().shape, made.tensor().rank);
    }
    if (wanted) CollectResult(i);
  }
}

/// Whether nobody else has a result, now or later: then it goes to the caller as it is.
bool Frame::MayMove(size_t output, const MemoryDevice& wanted) const {
  const auto v = static_cast<size_t>(program_.outputs()[output]);
  const Slot& slot = slots_[v];
  if (slot.place != Place::kOwn || program_.values()[v].shape_only || program_.output_facts()[output].repeated)
    return false;
  if (!slot.own.IsTensor()) return true;
  // A kernel that gave the value itself may still hold its memory, or somebody else may.
  const bool shared = slot.made_in != run_ && slot.own.tensor().count != 0 && slot.own.storage().use_count() != 1;
  return !shared && (slot.own.IsString() || slot.own.memory().device == wanted);
}

void Frame::CollectResult(size_t output) {
  Value& result = call_->results[output];
  const Value& made = ResultOf(output);
  if (&made == &result) return;
  const size_t memory = call_->result_memory.empty() ? 0 : static_cast<size_t>(call_->result_memory[output]);
  const SessionMemory& wanted = session_.memories[memory];
  if (result.IsTensor()) {
    if (result.tensor().data != made.tensor().data) Copy(made, result, nullptr);
  } else if (result.HasValue()) {  // the caller's sequence, map or sparse tensor: all who share it see the result
    Value content = made;
    content.OwnElements();
    result.TakeContent(std::move(content));
  } else if (!kept_results_.empty() && &made == &kept_results_[output]) {
    result = std::move(kept_results_[output]);
  } else if (MayMove(output, wanted.info.device)) {
    result = std::move(SlotOf(program_.outputs()[output]).own);
    result.OwnElements();
  } else if (made.IsTensor()) {
    result = Value::Tensor(made.type(), made.tensor().shape, made.tensor().rank, wanted.allocator);
    Copy(made, result, nullptr);
  } else {
    result = made;
    result.OwnElements();
  }
}

}  // namespace ortrun
