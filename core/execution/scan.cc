// SPDX-License-Identifier: Apache-2.0
#include "core/execution/scan.h"

#include <algorithm>
#include <cstring>
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

ScanKernel::ScanKernel(const KernelInfo& info, OrtScanKernelHelper* helper) : body_(info, "body") {
  const Node& node = *info.node;
  if (node.since_version < 9)
    throw Error(ORT_NOT_IMPLEMENTED,
                Concat(node.Describe(), " is of version 8, with a batch axis; convert the model to opset 9 or newer"));
  const int64_t scan_inputs = node.Int("num_scan_inputs", 0);
  if (scan_inputs < 1 || static_cast<size_t>(scan_inputs) > node.inputs.size())
    throw Error(ORT_INVALID_GRAPH, Concat(node.Describe(), ": num_scan_inputs is ", scan_inputs));
  scan_inputs_ = static_cast<size_t>(scan_inputs);
  states_ = node.inputs.size() - scan_inputs_;
  if (body_.formal_inputs() != node.inputs.size() || body_.outputs() != node.outputs.size() ||
      body_.outputs() < states_)
    throw Error(ORT_INVALID_GRAPH,
                Concat(node.Describe(), ": its body has ", body_.formal_inputs(), " inputs and ", body_.outputs(),
                       " outputs, the node ", node.inputs.size(), " and ", node.outputs.size()));
  const size_t scan_outputs = body_.outputs() - states_;
  input_axes_ = OrZeros(node.Ints("scan_input_axes"), scan_inputs_, node, "scan_input_axes");
  input_directions_ = OrZeros(node.Ints("scan_input_directions"), scan_inputs_, node, "scan_input_directions");
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
  std::vector<std::vector<Value>> scanned(body_.outputs() - states_);
  for (int64_t step = 0; step < length; ++step) {
    std::vector<Value> slices;
    for (size_t i = 0; i < scan_inputs_; ++i)
      slices.push_back(
          SliceOf(sequences[i], static_cast<size_t>(input_directions_[i] == 0 ? step : length - 1 - step)));
    std::vector<const Value*> formal;
    for (const Value& state : states) formal.push_back(&state);
    for (const Value& slice : slices) formal.push_back(&slice);
    std::vector<Value> results = body_.Run(context, formal);
    for (size_t i = 0; i < states_; ++i) states[i] = std::move(results[i]);
    for (size_t i = 0; i < scanned.size(); ++i) scanned[i].push_back(std::move(results[states_ + i]));
  }
  for (size_t i = 0; i < states_; ++i) {
    if (length > 0) {
      TakeOutput(context, i, std::move(states[i]));
      continue;
    }
    Value* output = context.Output(i, states[i].tensor().shape, states[i].tensor().rank);
    const Value* from = &states[i];
    if (output != nullptr) context.frame->session().env->CopyTensors(&from, &output, nullptr, 1);
  }
  for (size_t i = 0; i < scanned.size(); ++i) {
    if (output_directions_[i] != 0) std::reverse(scanned[i].begin(), scanned[i].end());
    GiveOutput(context, i, scanned[i]);
  }
}

void ScanKernel::GiveOutput(OrtKernelContext& context, size_t index, const std::vector<Value>& parts) const {
  CheckAlike(parts, "Scan", index);
  const ValueInfo& info = body_.output_info(states_ + index);
  std::vector<int64_t> dims{static_cast<int64_t>(parts.size())};
  if (parts.empty())
    for (const int64_t dim : info.type.tensor.dims) dims.push_back(std::max<int64_t>(dim, 0));
  else
    dims.insert(dims.end(), parts[0].tensor().shape, parts[0].tensor().shape + parts[0].tensor().rank);
  Value joined = Value::CpuTensor(parts.empty() ? info.type.tensor.type : parts[0].type(), dims.data(), dims.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const Value& part = parts[i];
    if (joined.IsString())
      std::copy_n(part.strings(), part.tensor().count, joined.strings() + i * part.tensor().count);
    else if (part.bytes() != 0)
      std::memcpy(static_cast<char*>(joined.tensor().data) + i * part.bytes(), part.tensor().data, part.bytes());
  }
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
