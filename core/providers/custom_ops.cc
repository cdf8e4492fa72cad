// SPDX-License-Identifier: Apache-2.0
#include "core/providers/custom_ops.h"

#include <algorithm>
#include <climits>
#include <utility>

#include "core/execution/kernel_info.h"
#include "core/providers/shape_infer_context.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

// The version from which each later callback of OrtCustomOp may be read.
constexpr uint32_t kVariadicSince = 14;
constexpr uint32_t kStatusSince = 16;
constexpr uint32_t kInferenceSince = 17;

int StartVersion(const OrtCustomOp& op) {
  return op.version >= kInferenceSince && op.GetStartVersion != nullptr ? op.GetStartVersion(&op) : 1;
}

int EndVersion(const OrtCustomOp& op) {
  return op.version >= kInferenceSince && op.GetEndVersion != nullptr ? op.GetEndVersion(&op) : INT_MAX;
}

SchemaParameter Parameter(const OrtCustomOp& op, size_t index, bool input) {
  const ElementType type = input ? op.GetInputType(&op, index) : op.GetOutputType(&op, index);
  SchemaParameter parameter;
  parameter.name = Concat(input ? "input" : "output", index);
  parameter.type = type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ? Concat(input ? "I" : "O", index)
                                                                   : Concat("tensor(", ElementTypeName(type), ")");
  const auto characteristic = input ? op.GetInputCharacteristic : op.GetOutputCharacteristic;
  if (op.version >= 8 && characteristic != nullptr) {
    const auto kind = characteristic(&op, index);
    parameter.optional = kind == INPUT_OUTPUT_OPTIONAL;
    parameter.variadic = op.version >= kVariadicSince && kind == INPUT_OUTPUT_VARIADIC;
  }
  return parameter;
}

std::unique_ptr<OperatorSchema> MakeSchema(const std::string& domain, const OrtCustomOp& op) {
  auto schema = std::make_unique<OperatorSchema>();
  schema->domain = domain;
  schema->name = op.GetName(&op);
  schema->since_version = StartVersion(op);
  for (size_t i = 0; i < op.GetInputTypeCount(&op); ++i) {
    schema->inputs.push_back(Parameter(op, i, true));
    const SchemaParameter& added = schema->inputs.back();
    if (!added.optional && !added.variadic) ++schema->min_inputs;
  }
  for (size_t i = 0; i < op.GetOutputTypeCount(&op); ++i) {
    schema->outputs.push_back(Parameter(op, i, false));
    if (!schema->outputs.back().optional) ++schema->min_outputs;
  }
  schema->deterministic = false;  // nothing is known of it
  return schema;
}

/// Runs a custom op's kernel as one of the host's.
struct CustomKernel : OrtKernelImpl {
  const OrtCustomOp& op;
  void* kernel;

  CustomKernel(const OrtCustomOp& the_op, void* the_kernel) : OrtKernelImpl{}, op(the_op), kernel(the_kernel) {
    ort_version_supported = ORT_API_VERSION;
    OrtKernelImpl::Compute = [](OrtKernelImpl* self, OrtKernelContext* context) -> OrtStatus* {
      auto& custom = *static_cast<CustomKernel*>(self);
      if (custom.op.version >= kStatusSince && custom.op.KernelComputeV2 != nullptr)
        return custom.op.KernelComputeV2(custom.kernel, context);
      // An older op has no way to report an error but to throw one.
      return Guard(Api(), [&] { custom.op.KernelCompute(custom.kernel, context); });
    };
    OrtKernelImpl::Release = [](OrtKernelImpl* self) {
      auto* custom = static_cast<CustomKernel*>(self);
      if (custom->op.KernelDestroy != nullptr) custom->op.KernelDestroy(custom->kernel);
      delete custom;
    };
  }
};

/// Memory for an output is taken in the type that the op says, never in one that only a model's file says.
void RequireTypes(const Node& node) {
  const auto open = [](const ValueInfo* value) { return value != nullptr && !value->type.IsKnown(); };
  if (std::any_of(node.inputs.begin(), node.inputs.end(), open)) return;  // the run tells
  for (const ValueInfo* output : node.outputs)
    if (open(output))
      throw Error(ORT_FAIL,
                  Concat("type inference failed: ", node.Describe(), " does not say of which type its output '",
                         output->name, "' is: a custom operator names the type, takes an input of any type that the ",
                         "output shares, or has an InferOutputShapeFn that sets it"));
}

}  // namespace

std::string CustomOpMismatch(const Node& node, const OrtCustomOp& op) {
  const size_t formal = op.GetInputTypeCount(&op);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool variadic = formal != 0 && Parameter(op, formal - 1, true).variadic;
    if (i >= formal && !variadic) return Concat("it takes ", formal, " inputs, the node has ", node.inputs.size());
    const size_t index = std::min(i, formal - 1);
    if (node.inputs[i] == nullptr) continue;
    const ElementType wanted = op.GetInputType(&op, index);
    const ElementType given = node.inputs[i]->type.tensor.type;
    if (wanted != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && given != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED &&
        wanted != given)
      return Concat("input ", i, " is ", ElementTypeName(given), ", it takes ", ElementTypeName(wanted));
  }
  return "";
}

CustomOpSchemas::CustomOpSchemas(const std::vector<const OrtCustomOpDomain*>& domains) : domains_(domains) {
  for (const OrtCustomOpDomain* domain : domains)
    for (const OrtCustomOp* op : domain->ops) schemas_.push_back(MakeSchema(domain->domain, *op));
}

const OperatorSchema* CustomOpSchemas::Find(const std::string& domain, const std::string& op, int) const {
  for (const auto& schema : schemas_)
    if (schema->domain == domain && schema->name == op) return schema.get();
  return nullptr;
}

const OrtCustomOp* CustomOpSchemas::FindOp(const Node& node, std::string* reason) const {
  for (const OrtCustomOpDomain* domain : domains_) {
    if (domain->domain != node.domain) continue;
    for (const OrtCustomOp* op : domain->ops) {
      if (node.op_type != op->GetName(op)) continue;
      const int opset = std::max(node.graph->model()->Opset(node.domain), 1);
      if (opset < StartVersion(*op) || opset > EndVersion(*op)) {
        *reason = Concat("it serves versions ", StartVersion(*op), "-", EndVersion(*op), ", the model imports ", opset);
        continue;
      }
      const std::string mismatch = CustomOpMismatch(node, *op);
      if (mismatch.empty()) return op;
      *reason = mismatch;
    }
  }
  return nullptr;
}

void CustomOpSchemas::InferOutputs(Node& node, const OrtCustomOp& op) {
  const size_t formal = op.GetOutputTypeCount(&op);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == nullptr || formal == 0) continue;
    const ElementType type = op.GetOutputType(&op, std::min(i, formal - 1));
    OrtTypeInfo& known = node.outputs[i]->type;
    if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) {
      if (known.kind == ONNX_TYPE_UNKNOWN) known = OrtTypeInfo::Tensor(type);
      known.tensor.type = type;
    } else if (known.tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && !node.inputs.empty() &&
               node.inputs[0] != nullptr) {
      // An output of any type has the type of the first input of any type, as ONNX Runtime takes it.
      for (size_t k = 0; k < node.inputs.size() && k < op.GetInputTypeCount(&op); ++k)
        if (node.inputs[k] != nullptr && op.GetInputType(&op, k) == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) {
          known = OrtTypeInfo::Tensor(node.inputs[k]->type.tensor.type);
          break;
        }
    }
  }
  if (op.version >= kInferenceSince && op.InferOutputShapeFn != nullptr) {
    OrtShapeInferContext context(node);
    ThrowOnError(Api(), op.InferOutputShapeFn(&op, &context));
  }
  RequireTypes(node);
}

OrtKernelImpl* CreateCustomOpKernel(const OrtCustomOp& op, const OrtKernelInfo& info) {
  void* kernel = nullptr;
  if (op.version >= kStatusSince && op.CreateKernelV2 != nullptr) {
    ThrowOnError(Api(), op.CreateKernelV2(&op, &Api(), &info, &kernel));
  } else {
    kernel = op.CreateKernel(&op, &Api(), &info);
  }
  return std::make_unique<CustomKernel>(op, kernel).release();
}

}  // namespace ortrun
