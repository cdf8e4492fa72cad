// SPDX-License-Identifier: Apache-2.0
// What scales and shifts the channels of a convolution by constants (BatchNormalization, Mul, Add) goes into its
// weights and bias: y = s*(W*x + b) + t = (sW)*x + (sb + t).
#include <cmath>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// Per channel: y = scale * x + shift.
struct Affine {
  std::vector<double> scale, shift;
  bool scales = false;
};

/// The elements of a constant that broadcasts over [N,C,...] as one number per channel (or one for all).
std::optional<std::vector<double>> PerChannel(const ValueInfo* value, int64_t rank, size_t channels) {
  const Value* constant = ConstantOf(value);
  if (constant == nullptr || constant->type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) return std::nullopt;
  const OrtrunTensor& tensor = constant->tensor();
  const float* data = static_cast<const float*>(tensor.data);
  if (static_cast<int64_t>(tensor.rank) > rank) return std::nullopt;
  if (tensor.count == 1) return std::vector<double>(channels, data[0]);
  if (tensor.count != channels) return std::nullopt;
  // The channel axis counted from the back; all other dimensions must be 1.
  const int64_t axis = static_cast<int64_t>(tensor.rank) - (rank - 1);
  if (axis < 0 || tensor.shape[axis] != static_cast<int64_t>(channels)) return std::nullopt;
  return std::vector<double>(data, data + channels);
}

bool Append(const Node& node, const ValueInfo* input, int64_t rank, Affine& affine) {
  const size_t channels = affine.scale.size();
  if (node.Is("BatchNormalization")) {
    if (node.inputs.size() != 5 || OutputCount(&node) != 1 || node.Int("training_mode", 0) != 0 ||
        node.inputs[0] != input)
      return false;
    std::vector<std::vector<float>> parts;
    for (size_t i = 1; i < 5; ++i) {
      const auto part = FloatsOf(node.inputs[i], channels);
      if (!part || part->size() != channels) return false;
      parts.push_back(*part);
    }
    const double epsilon = node.Float("epsilon", 1e-5f);
    for (size_t c = 0; c < channels; ++c) {
      const double factor = parts[0][c] / std::sqrt(parts[3][c] + epsilon);
      affine.scale[c] *= factor;
      affine.shift[c] = (affine.shift[c] - parts[2][c]) * factor + parts[1][c];
    }
    affine.scales = true;
    return true;
  }
  const bool multiplies = node.Is("Mul");
  if ((!multiplies && !node.Is("Add")) || node.inputs.size() != 2) return false;
  const ValueInfo* other = node.inputs[0] == input ? node.inputs[1] : node.inputs[0];
  if (other == input) return false;
  const auto numbers = PerChannel(other, rank, channels);
  if (!numbers) return false;
  for (size_t c = 0; c < channels; ++c) {
    if (multiplies) affine.scale[c] *= (*numbers)[c];
    affine.shift[c] = multiplies ? affine.shift[c] * (*numbers)[c] : affine.shift[c] + (*numbers)[c];
  }
  affine.scales |= multiplies;
  return true;
}

bool Rewrite(Rewriter& rewriter, Node& conv) {
  if (!conv.Is("Conv") || conv.inputs.size() < 2 || conv.inputs[1] == nullptr || !conv.inputs[1]->IsConstant())
    return false;
  const Value& weight = *conv.inputs[1]->initializer;
  const int64_t rank = static_cast<int64_t>(weight.tensor().rank);
  if (weight.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || rank < 3 || weight.tensor().shape[0] < 1) return false;
  const size_t channels = static_cast<size_t>(weight.tensor().shape[0]);
  Affine affine{std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
  if (Input(&conv, 2) != nullptr) {
    const auto bias = FloatsOf(conv.inputs[2], channels);
    if (!bias || bias->size() != channels) return false;
    affine.shift.assign(bias->begin(), bias->end());
  }
  std::vector<Node*> absorbed;
  ValueInfo* last = conv.outputs[0];
  while (Node* next = OnlyUser(last)) {
    if (!Append(*next, last, rank, affine)) break;
    absorbed.push_back(next);
    last = next->outputs[0];
  }
  // A weight that somebody else reads too would be held twice.
  if (absorbed.empty() || (affine.scales && conv.inputs[1]->uses.size() != 1)) return false;
  // Numbers in float's range, whose product is not: the convolution may bring their first one down to where it fits.
  const std::vector<float> shift(affine.shift.begin(), affine.shift.end());
  for (size_t c = 0; c < channels; ++c) {
    if (!std::isfinite(affine.scale[c]) || !std::isfinite(shift[c])) return false;
  }
  Value scaled;
  if (affine.scales) {
    scaled = Value::CpuTensor(weight.type(), weight.tensor().shape, weight.tensor().rank);
    const size_t per_channel = weight.tensor().count / channels;
    const float* from = static_cast<const float*>(weight.tensor().data);
    float* to = static_cast<float*>(scaled.tensor().data);
    for (size_t i = 0; i < weight.tensor().count; ++i) {
      to[i] = static_cast<float>(from[i] * affine.scale[i / per_channel]);
      if (!std::isfinite(to[i])) return false;
    }
  }

  Patch patch = rewriter.Start(conv);
  patch.Take(&conv);
  patch.Take(absorbed);
  Node* made = patch.Add("Conv", "", conv.since_version, conv.inputs);
  made->attributes = conv.attributes;
  if (affine.scales) patch.SetInput(made, 1, patch.Constant(conv.inputs[1]->name, std::move(scaled)));
  patch.SetInput(made, 2,
                 patch.Constant(conv.name + "_bias", MakeTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                                                {static_cast<int64_t>(channels)}, shift)));
  patch.SetOutput(made, 0, last);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeConvolutionScaling(PassStage stage) {
  return MakePass("convolution_scaling", stage, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
