// SPDX-License-Identifier: Apache-2.0
#include "core/execution/scan.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/execution/frame.h"
#include "ortrun/error.h"
#include "ortrun/kernel_context.h"

namespace ortrun {
namespace {

std::vector<int64_t> OrZeros(std::vector<int64_t> values, size_t count, const Node& node, const char* attribute) {
  if (values.empty()) values.assign(count, 0);
  if (values.size() != count)
    throw Error(ORT_INVALID_GRAPH, Concat(node.Describe(), ": attribute ", attribute, " has ", values.size(),
                                          " entries for ", count, " tensors"));
  return values;
}

/// Slice `index` of a tensor along its first axis, as a view.
Value SliceOf(const Value& tensor, size_t index) {
  const OrtrunTensor& whole = tensor.tensor();
  const size_t bytes = tensor.bytes() / static_cast<size_t>(whole.shape[0]);
  if (tensor.IsString()) {
    Value part = Value::CpuTensor(whole.type, whole.shape + 1, whole.rank - 1);
    std::copy_n(tensor.strings() + index * part.tensor().count, part.tensor().count, part.strings());
    return part;
  }
  return Value::View(whole.type, whole.shape + 1, whole.rank - 1, static_cast<char*>(whole.data) + index * bytes,
                     tensor.memory(), tensor.storage());
}

}  // namespace

ScanKernel::ScanKernel(const KernelInfo& info, OrtScanKernelHelper* helper)
    : body_(info, "body"), batched_(info.node->since_version < 9) {
  const Node& node = *info.node;
  const size_t inputs = node.inputs.size() - (batched_ ? 1 : 0);  // without the sequences' lengths
  const int64_t scan_inputs = node.Int("num_scan_inputs", 0);
  if (scan_inputs < 1 || static_cast<size_t>(scan_inputs) > inputs)
    throw Error(ORT_INVALID_GRAPH, Concat(node.Describe(), ": num_scan_inputs is ", scan_inputs));
  scan_inputs_ = static_cast<size_t>(scan_inputs);
  states_ = inputs - scan_inputs_;
  if (body_.formal_inputs() != inputs || body_.outputs() != node.outputs.size() || body_.outputs() < states_)
    throw Error(ORT_INVALID_GRAPH,
                Concat(node.Describe(), ": its body has ", body_.formal_inputs(), " inputs and ", body_.outputs(),
                       " outputs, the node ", inputs, " and ", node.outputs.size()));
  const size_t scan_outputs = body_.outputs() - states_;
  input_axes_ = OrZeros(node.Ints("scan_input_axes"), scan_inputs_, node, "scan_input_axes");
  const char* directions = batched_ ? "directions" : "scan_input_directions";
  input_directions_ = OrZeros(node.Ints(directions), scan_inputs_, node, directions);
  output_axes_ = OrZeros(node.Ints("scan_output_axes"), scan_outputs, node, "scan_output_axes");
  output_directions_ = OrZeros(node.Ints("scan_output_directions"), scan_outputs, node, "scan_output_directions");
  helper_ = OwnHelper(helper);
}

Value ScanKernel::MoveAxisFirst(const Value& tensor, size_t axis, const OrtKernelContext& context) const {
  if (axis == 0) return tensor;
  const OrtrunTensor& from = tensor.tensor();
  std::vector<size_t> permutation{axis};
  for (size_t i = 0; i < from.rank; ++i)
    if (i != axis) permutation.push_back(i);
  std::vector<int64_t> dims;
  for (const size_t i : permutation) dims.push_back(from.shape[i]);
  Value moved = Value::CpuTensor(from.type, dims.data(), dims.size());
  ThrowOnError(
      *OrtGetApiBase()->GetApi(ORT_API_VERSION),
      helper_->Transpose(helper_.get(), permutation.data(), permutation.size(), &tensor, context.stream(), &moved));
  return moved;
}

void ScanKernel::Compute(OrtKernelContext& context) const {
  if (batched_) return ComputeBatch(context);
  std::vector<Value> states;
  for (size_t i = 0; i < states_; ++i) states.push_back(*context.inputs[i]);
  std::vector<Value> sequences;
  int64_t length = -1;
  for (size_t i = 0; i < scan_inputs_; ++i) {
    const Value& input = *context.inputs[states_ + i];
    Require(input.IsTensor() && input.tensor().rank > 0, "scan input ", i, " must be a tensor of rank 1 or more");
    sequences.push_back(MoveAxisFirst(input, NormalizeAxis(input_axes_[i], input.tensor().rank), context));
    const int64_t steps = sequences.back().tensor().shape[0];
    Require(length < 0 || steps == length, "scan inputs have ", length, " and ", steps, " slices; they must agree");
    length = steps;
  }
  Results results = Iterate(context, std::move(states), sequences, length);
  for (size_t i = 0; i < states_; ++i) {
    if (length > 0) {
      TakeOutput(context, i, std::move(results.states[i]));
      continue;
    }
    const Value* from = &results.states[i];
    Value* output = context.Output(i, from->tensor().shape, from->tensor().rank);
    if (output != nullptr) context.frame->session().env->CopyTensors(&from, &output, nullptr, 1);
  }
  for (size_t i = 0; i < results.scanned.size(); ++i) {
    std::vector<Value>& parts = results.scanned[i];
    if (output_directions_[i] != 0) std::reverse(parts.begin(), parts.end());
    GiveOutput(context, i, parts);
  }
}

ScanKernel::Results ScanKernel::Iterate(const OrtKernelContext& context, std::vector<Value> states,
                                        const std::vector<Value>& sequences, int64_t length) const {
  Results done{std::move(states), std::vector<std::vector<Value>>(body_.outputs() - states_)};
  for (int64_t step = 0; step < length; ++step) {
    std::vector<Value> slices;
    for (size_t i = 0; i < scan_inputs_; ++i)
      slices.push_back(
          SliceOf(sequences[i], static_cast<size_t>(input_directions_[i] == 0 ? step : length - 1 - step)));
    std::vector<const Value*> formal;
    for (const Value& state : done.states) formal.push_back(&state);
    for (const Value& slice : slices) formal.push_back(&slice);
    std::vector<Value> results = body_.Run(context, formal);
    for (size_t i = 0; i < states_; ++i) done.states[i] = std::move(results[i]);
    for (size_t i = 0; i < done.scanned.size(); ++i) done.scanned[i].push_back(std::move(results[states_ + i]));
  }
  return done;
}

void ScanKernel::ComputeBatch(OrtKernelContext& context) const {
  const auto input = [&](size_t i) -> const Value& { return *context.inputs[i + 1]; };
  int64_t batch = -1;
  int64_t longest = -1;
  for (size_t i = 0; i < states_ + scan_inputs_; ++i) {
    const bool scanned = i >= states_;
    const OrtrunTensor& tensor = input(i).tensor();
    Require(input(i).IsTensor() && tensor.rank > (scanned ? 1U : 0U), "input ", i + 1, " must be a tensor of rank ",
            scanned ? 2 : 1, " or more: its first axis is the batch", scanned ? ", its second the sequence" : "");
    Require(batch < 0 || tensor.shape[0] == batch, "inputs have batches of ", batch, " and ", tensor.shape[0],
            "; they must agree");
    batch = tensor.shape[0];
    if (!scanned) continue;
    Require(longest < 0 || tensor.shape[1] == longest, "scan inputs have ", longest, " and ", tensor.shape[1],
            " slices; they must agree");
    longest = tensor.shape[1];
  }
  const Value* lengths = context.inputs[0];
  if (lengths != nullptr)
    Require(
        lengths->type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 && lengths->tensor().count == static_cast<size_t>(batch),
        "sequence_lens must be ", batch, " of int64, one for each sequence of the batch");

  std::vector<std::vector<Value>> states(states_);
  std::vector<std::vector<std::vector<Value>>> scanned(body_.outputs() - states_);  // by output, then by sequence
  for (size_t b = 0; b < static_cast<size_t>(batch); ++b) {
    const int64_t length = lengths == nullptr ? longest : static_cast<const int64_t*>(lengths->tensor().data)[b];
    Require(length >= 0 && length <= longest, "sequence_lens has ", length, " for a sequence of ", longest);
    std::vector<Value> initial;
    std::vector<Value> sequences;
    for (size_t i = 0; i < states_ + scan_inputs_; ++i)
      (i < states_ ? initial : sequences).push_back(SliceOf(input(i), b));
    Results done = Iterate(context, std::move(initial), sequences, length);
    for (size_t i = 0; i < states_; ++i) states[i].push_back(std::move(done.states[i]));
    for (size_t i = 0; i < scanned.size(); ++i) scanned[i].push_back(std::move(done.scanned[i]));
  }
  for (size_t i = 0; i < states_; ++i) {
    CheckAlike(states[i], "Scan", i);
    TakeOutput(context, i, Join(states[i], i));
  }
  for (size_t i = 0; i < scanned.size(); ++i) {
    const auto filled =
        std::find_if(scanned[i].begin(), scanned[i].end(), [](const auto& parts) { return !parts.empty(); });
    const Value zero = ZeroPart(states_ + i, filled == scanned[i].end() ? nullptr : &filled->front());
    std::vector<Value> all;
    for (std::vector<Value>& parts : scanned[i]) {
      parts.resize(static_cast<size_t>(longest), zero);
      std::move(parts.begin(), parts.end(), std::back_inserter(all));
    }
    CheckAlike(all, "Scan", i);
    Value joined = Join(all, states_ + i);
    std::vector<int64_t> dims(joined.tensor().shape, joined.tensor().shape + joined.tensor().rank);
    dims[0] = longest;
    dims.insert(dims.begin(), batch);
    joined.Retype(joined.type(), dims.data(), dims.size());
    TakeOutput(context, states_ + i, std::move(joined));
  }
}

Value ScanKernel::ZeroPart(size_t output, const Value* like) const {
  std::vector<int64_t> dims = DeclaredDims(output);
  if (like != nullptr) dims.assign(like->tensor().shape, like->tensor().shape + like->tensor().rank);
  Value zero = Value::CpuTensor(like == nullptr ? body_.output_info(output).type.tensor.type : like->type(),
                                dims.data(), dims.size());
  if (!zero.IsString() && zero.bytes() != 0) std::memset(zero.tensor().data, 0, zero.bytes());
  return zero;
}

std::vector<int64_t> ScanKernel::DeclaredDims(size_t output) const {
  std::vector<int64_t> dims;
  for (const int64_t dim : body_.output_info(output).type.tensor.dims) dims.push_back(std::max<int64_t>(dim, 0));
  return dims;
}

Value ScanKernel::Join(const std::vector<Value>& parts, size_t output) const {
  std::vector<int64_t> dims = DeclaredDims(output);
  if (!parts.empty()) dims.assign(parts[0].tensor().shape, parts[0].tensor().shape + parts[0].tensor().rank);
  dims.insert(dims.begin(), static_cast<int64_t>(parts.size()));
  Value joined = Value::CpuTensor(parts.empty() ? body_.output_info(output).type.tensor.type : parts[0].type(),
                                  dims.data(), dims.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const Value& part = parts[i];
    if (joined.IsString())
      std::copy_n(part.strings(), part.tensor().count, joined.strings() + i * part.tensor().count);
    else if (part.bytes() != 0)
      std::memcpy(static_cast<char*>(joined.tensor().data) + i * part.bytes(), part.tensor().data, part.bytes());
  }
  return joined;
}

void ScanKernel::GiveOutput(OrtKernelContext& context, size_t index, const std::vector<Value>& parts) const {
  CheckAlike(parts, "Scan", index);
  Value joined = Join(parts, states_ + index);
  const OrtrunTensor& tensor = joined.tensor();
  const std::vector<int64_t> dims(tensor.shape, tensor.shape + tensor.rank);
  const size_t axis = NormalizeAxis(output_axes_[index], dims.size());
  if (axis == 0) {
    TakeOutput(context, states_ + index, std::move(joined));
    return;
  }
  // The joined axis goes from the front to `axis`.
  std::vector<size_t> permutation;
  for (size_t i = 1; i <= axis; ++i) permutation.push_back(i);
  permutation.push_back(0);
  for (size_t i = axis + 1; i < dims.size(); ++i) permutation.push_back(i);
  std::vector<int64_t> moved;
  for (const size_t i : permutation) moved.push_back(dims[i]);
  Value* output = context.Output(states_ + index, moved.data(), moved.size());
  if (output == nullptr) return;
  if (output->type() != joined.type())
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("scan output ", index, " of Scan is declared as ", TypeName(output->TypeOf()),
                       " but its body gives ", TypeName(joined.TypeOf())));
  if (joined.tensor().count == 0) return;
  ThrowOnError(
      *OrtGetApiBase()->GetApi(ORT_API_VERSION),
      helper_->Transpose(helper_.get(), permutation.data(), permutation.size(), &joined, context.stream(), output));
}

}  // namespace ortrun
