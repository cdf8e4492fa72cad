// SPDX-License-Identifier: Apache-2.0
#include "core/execution/control_flow.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/execution/body.h"
#include "core/execution/frame.h"
#include "core/execution/scan.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

class IfKernel {
 public:
  explicit IfKernel(const KernelInfo& info) : then_(info, "then_branch"), else_(info, "else_branch") {
    for (const Body* body : {&then_, &else_})
      if (body->outputs() != info.node->outputs.size())
        throw Error(ORT_INVALID_GRAPH, Concat(info.node->Describe(), " has ", info.node->outputs.size(),
                                              " outputs but a branch has ", body->outputs()));
  }

  void Compute(OrtKernelContext& context) const {
    const bool condition = ScalarBool(*context.inputs[0], "the condition of If");
    std::vector<Value> results = (condition ? then_ : else_).Run(context, {});
    for (size_t i = 0; i < results.size(); ++i) TakeOutput(context, i, std::move(results[i]));
  }

 private:
  Body then_;
  Body else_;
};

/// Loop: inputs max_trip?, cond?, carried...; the body takes iteration, cond, carried... and gives cond, carried...,
/// scanned...
class LoopKernel {
 public:
  LoopKernel(const KernelInfo& info, OrtLoopKernelHelper* helper) : body_(info, "body") {
    const size_t inputs = info.node->inputs.size();
    carried_ = inputs < 2 ? 0 : inputs - 2;
    if (body_.formal_inputs() != carried_ + 2 || body_.outputs() < carried_ + 1 ||
        info.node->outputs.size() > body_.outputs() - 1)
      throw Error(ORT_INVALID_GRAPH, Concat(info.node->Describe(), " carries ", carried_, " values but its body has ",
                                            body_.formal_inputs(), " inputs and ", body_.outputs(), " outputs"));
    helper_ = OwnHelper(helper);
  }

  void Compute(OrtKernelContext& context) const {
    const auto given = [&](size_t i) { return i < context.inputs.size() ? context.inputs[i] : nullptr; };
    const int64_t trips =
        given(0) == nullptr ? std::numeric_limits<int64_t>::max() : ScalarInt64(*given(0), "the trip count of Loop");
    bool condition = given(1) == nullptr || ScalarBool(*given(1), "the condition of Loop");
    std::vector<Value> carried;
    for (size_t i = 0; i < carried_; ++i) carried.push_back(given(i + 2) == nullptr ? Value() : *given(i + 2));
    const size_t scanned_count = body_.outputs() - 1 - carried_;
    std::vector<std::vector<Value>> scanned(scanned_count);
    for (int64_t iteration = 0; iteration < trips && condition; ++iteration) {
      Value number = Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, nullptr, 0);
      *static_cast<int64_t*>(number.tensor().data) = iteration;
      Value flag = Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, nullptr, 0);
      *static_cast<bool*>(flag.tensor().data) = condition;
      std::vector<const Value*> formal{&number, &flag};
      for (const Value& value : carried) formal.push_back(&value);
      std::vector<Value> results = body_.Run(context, formal);
      condition = ScalarBool(results[0], "the condition that the body of Loop gives");
      for (size_t i = 0; i < carried_; ++i) carried[i] = std::move(results[i + 1]);
      for (size_t i = 0; i < scanned_count; ++i) scanned[i].push_back(std::move(results[i + 1 + carried_]));
    }
    for (size_t i = 0; i < carried_; ++i) TakeCarried(context, i, std::move(carried[i]));
    for (size_t i = 0; i < scanned_count; ++i) Join(context, carried_ + i, scanned[i]);
  }

 private:
  /// A value that no iteration changed is still the caller's: the output gets a copy of its own.
  void TakeCarried(OrtKernelContext& context, size_t index, Value value) const {
    const Value* given = context.inputs[index + 2];
    const bool borrowed = given != nullptr && value.IsTensor() && given->IsTensor() &&
                          value.tensor().data == given->tensor().data && value.tensor().count != 0;
    if (!borrowed) {
      TakeOutput(context, index, std::move(value));
      return;
    }
    Value* output = context.Output(index, value.tensor().shape, value.tensor().rank);
    if (output == nullptr || output->tensor().data == value.tensor().data) return;
    const Value* from = &value;
    context.frame->session().env->CopyTensors(&from, &output, nullptr, 1);
  }

  void Join(OrtKernelContext& context, size_t index, const std::vector<Value>& parts) const {
    CheckAlike(parts, "Loop", index);
    std::vector<int64_t> dims{static_cast<int64_t>(parts.size())};
    const TensorType& declared = body_.output_info(index + 1).type.tensor;
    if (!parts.empty()) {
      const OrtrunTensor& first = parts.front().tensor();
      dims.insert(dims.end(), first.shape, first.shape + first.rank);
    } else if (declared.has_shape) {
      for (const int64_t dim : declared.dims) dims.push_back(std::max<int64_t>(dim, 0));
    }
    Value* output = context.Output(index, dims.data(), dims.size());
    if (output == nullptr) return;
    if (!parts.empty() && parts.front().type() != output->type())
      throw Error(ORT_INVALID_ARGUMENT,
                  Concat("scan output ", index, " of Loop is declared as ", TypeName(output->TypeOf()),
                         " but its body gives ", TypeName(parts.front().TypeOf())));
    if (output->tensor().count == 0) return;
    std::vector<const Value*> pointers;
    for (const Value& part : parts) pointers.push_back(&part);
    if (output->IsString()) {
      size_t next = 0;
      for (const Value* part : pointers)
        for (size_t i = 0; i < part->tensor().count; ++i) output->strings()[next++] = part->strings()[i];
      return;
    }
    void* stream = context.stream() == nullptr ? nullptr : context.stream()->handle();
    ThrowOnError(Api(), helper_->ConcatOutput(helper_.get(), stream, pointers.data(), pointers.size(),
                                              output->tensor().data, output->bytes()));
  }

  Body body_;
  std::shared_ptr<OrtLoopKernelHelper> helper_;
  size_t carried_ = 0;
};

/// The C face of a kernel of the host.
template <typename K>
struct HostKernel : OrtKernelImpl {
  K kernel;
  template <typename... Args>
  explicit HostKernel(Args&&... args) : OrtKernelImpl{}, kernel(std::forward<Args>(args)...) {
    ort_version_supported = ORT_API_VERSION;
    OrtKernelImpl::Compute = [](OrtKernelImpl* self, OrtKernelContext* context) -> OrtStatus* {
      return Guard(Api(), [&] { static_cast<HostKernel*>(self)->kernel.Compute(*context); });
    };
    OrtKernelImpl::Release = [](OrtKernelImpl* self) { delete static_cast<HostKernel*>(self); };
  }
};

}  // namespace

OrtKernelImpl* CreateIfKernel(const KernelInfo& info) { return std::make_unique<HostKernel<IfKernel>>(info).release(); }

OrtKernelImpl* CreateLoopKernel(const KernelInfo& info, OrtLoopKernelHelper* helper) {
  return std::make_unique<HostKernel<LoopKernel>>(info, helper).release();
}

OrtKernelImpl* CreateScanKernel(const KernelInfo& info, OrtScanKernelHelper* helper) {
  return std::make_unique<HostKernel<ScanKernel>>(info, helper).release();
}

}  // namespace ortrun
