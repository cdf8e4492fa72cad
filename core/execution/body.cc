// SPDX-License-Identifier: Apache-2.0
#include "core/execution/body.h"

#include <algorithm>
#include <utility>

#include "core/execution/frame.h"
#include "core/execution/type_check.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// Kernels inside the body were chosen for the types that the body declares.
void CheckFormal(const Node& node, const ValueInfo& declared, const Value* given) {
  if (given == nullptr ? declared.type.kind == ONNX_TYPE_OPTIONAL : FitsType(declared.type, *given)) return;
  throw Error(ORT_INVALID_ARGUMENT,
              Concat("input '", declared.name, "' of the body of ", node.Describe(), " is declared as ",
                     TypeName(declared.type), given == nullptr ? " but gets nothing" : " but gets ",
                     given == nullptr ? "" : TypeFound(declared.type, *given)));
}

}  // namespace

Body::Body(const KernelInfo& info, const std::string& attribute) {
  const Node& node = *info.node;
  const auto graph = std::find_if(node.subgraphs.begin(), node.subgraphs.end(),
                                  [&](const auto& body) { return body.first == attribute; });
  if (graph == node.subgraphs.end())
    throw Error(ORT_INVALID_GRAPH, Concat(node.Describe(), " has no body '", attribute, "'"));
  const auto program = info.session->bodies.find(graph->second.get());
  if (program == info.session->bodies.end())
    throw Error(ORT_FAIL, Concat("the body '", attribute, "' of ", node.Describe(), " is not prepared to run"));
  program_ = program->second.get();
  formal_inputs_ = graph->second->inputs().size();
  for (const ValueInfo* value : program_->outer_inputs()) {
    const auto found = std::find(node.implicit_inputs.begin(), node.implicit_inputs.end(), value->outer);
    if (found == node.implicit_inputs.end())
      throw Error(ORT_INVALID_GRAPH, Concat("the body '", attribute, "' of ", node.Describe(), " reads '", value->name,
                                            "', which the node does not hand to it"));
    outer_positions_.push_back(node.inputs.size() + static_cast<size_t>(found - node.implicit_inputs.begin()));
  }
}

const ValueInfo& Body::output_info(size_t index) const {
  return *program_->values()[static_cast<size_t>(program_->outputs()[index])].info;
}

std::vector<Value> Body::Run(const OrtKernelContext& context, const std::vector<const Value*>& formal) const {
  std::vector<const Value*> inputs(formal);
  inputs.resize(formal_inputs_);
  for (size_t i = 0; i < formal_inputs_; ++i) {
    const ValueInfo& info = *program_->values()[static_cast<size_t>(program_->inputs()[i])].info;
    if (inputs[i] == nullptr) inputs[i] = info.initializer.get();
    CheckFormal(*context.step->node, info, inputs[i]);
  }
  for (const size_t position : outer_positions_) inputs.push_back(context.inputs[position]);
  std::vector<Value> results(outputs());
  RunCall call;
  call.options = context.frame->call()->options;
  call.inputs = inputs;
  call.results = results;
  program_->Run(call);
  return results;
}

void TakeOutput(OrtKernelContext& context, size_t index, Value value) { context.SetOutput(index, std::move(value)); }

void CheckAlike(const std::vector<Value>& parts, const char* op, size_t index) {
  const auto describe = [](const Value& value) {
    return TypeName(value.TypeOf()) + " " + ShapeText(value.tensor().shape, value.tensor().rank);
  };
  for (const Value& part : parts) {
    const OrtrunTensor& first = parts.front().tensor();
    const OrtrunTensor& tensor = part.tensor();
    if (part.IsTensor() && tensor.type == first.type &&
        std::equal(tensor.shape, tensor.shape + tensor.rank, first.shape, first.shape + first.rank))
      continue;
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("the body of ", op, " gives values for scan output ", index,
                       " that cannot be joined: ", describe(parts.front()), " and ", describe(part)));
  }
}

bool ScalarBool(const Value& value, const char* what) {
  Require(value.IsTensor() && value.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL && value.tensor().count == 1, what,
          " must be one bool, got ", TypeName(value.TypeOf()), " of ", value.tensor().count, " elements");
  return *static_cast<const bool*>(value.tensor().data);
}

int64_t ScalarInt64(const Value& value, const char* what) {
  Require(value.IsTensor() && value.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 && value.tensor().count == 1, what,
          " must be one int64, got ", TypeName(value.TypeOf()), " of ", value.tensor().count, " elements");
  return *static_cast<const int64_t*>(value.tensor().data);
}

}  // namespace ortrun
