// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/channels_last_rules.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace ortrun {

namespace {

/// Constants larger than this are not copied into the other layout.
constexpr size_t kMostConstantBytes = 1u << 20;

int64_t Moved(int64_t axis) { return kChannelsLastAxis[axis < 0 ? axis + 4 : axis]; }

bool IsAxis(int64_t axis) { return axis >= -4 && axis < 4; }

bool IsElementwise(const Node& node) {
  static const std::set<std::string> names = {"Add",         "Sub",
                                              "Mul",         "Div",
                                              "Max",         "Min",
                                              "Pow",         "Sum",
                                              "Mean",        "Abs",
                                              "Neg",         "Exp",
                                              "Log",         "Sqrt",
                                              "Reciprocal",  "Sigmoid",
                                              "Tanh",        "Erf",
                                              "Relu",        "LeakyRelu",
                                              "Clip",        "Elu",
                                              "HardSwish",   "HardSigmoid",
                                              "Softplus",    "Softsign",
                                              "Selu",        "Celu",
                                              "Floor",       "Ceil",
                                              "Cast",        "Round",
                                              "Sign",        "Sin",
                                              "Cos",         "Identity",
                                              "Where",       "Greater",
                                              "Less",        "Equal",
                                              "Not",         "And",
                                              "Or",          "Xor",
                                              "Gelu",        "Mish",
                                              "PRelu",       "GreaterOrEqual",
                                              "LessOrEqual", "ThresholdedRelu"};
  if (node.domain.empty()) return names.count(node.op_type) != 0;
  if (node.domain == "ortrun") return node.op_type == "ElementwiseChain";
  return node.domain == "com.microsoft" && (node.op_type == "Gelu" || node.op_type == "QuickGelu" ||
                                            (node.op_type == "FastGelu" && Input(&node, 1) == nullptr));
}

/// The constant with its axes (aligned to the back of [N,C,H,W]) in channels-last order.
std::optional<Value> Permuted(const Value& value) {
  const OrtrunTensor& tensor = value.tensor();
  if (!value.IsTensor() || value.IsString() || tensor.rank > 4 || ElementBits(tensor.type) < 8) return std::nullopt;
  std::vector<int64_t> dims(4 - tensor.rank, 1);
  dims.insert(dims.end(), tensor.shape, tensor.shape + tensor.rank);
  const std::vector<int64_t> moved = {dims[0], dims[2], dims[3], dims[1]};
  if (dims[1] == 1 || (dims[2] == 1 && dims[3] == 1)) return Reshaped(value, moved);  // the order stays
  const size_t bytes = ElementBits(tensor.type) / 8;
  if (value.bytes() > kMostConstantBytes) return std::nullopt;
  Value result = Value::CpuTensor(tensor.type, moved.data(), 4);
  const char* from = static_cast<const char*>(tensor.data);
  char* to = static_cast<char*>(result.tensor().data);
  const size_t area = static_cast<size_t>(dims[2] * dims[3]), channels = static_cast<size_t>(dims[1]);
  for (size_t n = 0; n < static_cast<size_t>(dims[0]); ++n) {
    for (size_t c = 0; c < channels; ++c) {
      for (size_t i = 0; i < area; ++i) {
        std::memcpy(to + ((n * area + i) * channels + c) * bytes, from + ((n * channels + c) * area + i) * bytes,
                    bytes);
      }
    }
  }
  return result;
}

class Rules {
 public:
  Rules(const Rewriter& rewriter, const ShapeAnalysis& shapes, const Node& node)
      : rewriter_(rewriter), shapes_(shapes), node_(node) {}

  std::optional<Adaptation> Find() {
    for (const ValueInfo* output : node_.outputs) {
      if (output != nullptr && !IsFourD(output)) return std::nullopt;
    }
    if (Input(&node_, 0) == nullptr || node_.outputs.empty()) return std::nullopt;
    if (rewriter_.context().kernels.WantsChannelsLast(node_.provider, node_)) return Wanted();
    if (IsElementwise(node_)) return Elementwise();
    if (!node_.domain.empty()) return std::nullopt;
    if (node_.Is("Concat")) return Concat();
    if (!IsFourD(node_.inputs[0])) return std::nullopt;
    if (node_.Is("Split")) return MoveAxis(0);
    if (node_.Is("Softmax") || node_.Is("LogSoftmax")) {
      if (node_.since_version < 13) return std::nullopt;
      return MoveAxis(-1);
    }
    if (node_.Is("Slice")) return Slice();
    if (node_.op_type.starts_with("Reduce")) return Reduce();
    if (node_.Is("Pad")) return Pad();
    if (node_.Is("Dropout") && OutputCount(&node_) == 1) return Adaptation{{0}, {}};
    return std::nullopt;
  }

 private:
  bool IsFourD(const ValueInfo* value) const { return shapes_.Rank(value) == 4; }

  bool IsOne(const ValueInfo* value) const {
    const SymbolicShape* shape = shapes_.ShapeOf(value);
    return shape != nullptr && std::all_of(shape->begin(), shape->end(), [](const Dim& dim) { return dim.Is(1); });
  }

  /// The provider's own channels-last operators.
  std::optional<Adaptation> Wanted() {
    static const std::set<std::string> names = {"Conv",          "FusedConv", "MaxPool",      "AveragePool",
                                                "GlobalMaxPool", "Resize",    "DepthToSpace", "GlobalAveragePool"};
    const bool standard = node_.domain.empty();
    if (names.count(node_.op_type) == 0 || (!standard && node_.domain != "com.microsoft")) return std::nullopt;
    if (!IsFourD(node_.inputs[0]) || OutputCount(&node_) != 1) return std::nullopt;
    Adaptation change{{0}, {}, true};
    if (node_.op_type == "FusedConv" && Input(&node_, 3) != nullptr) change.tensors.push_back(3);
    std::function<void(Patch&, Node*)> more;
    if (node_.op_type == "Resize") {
      const auto resize = ResizeConstants();
      if (!resize) return std::nullopt;
      more = *resize;
    }
    change.apply = [more](Patch& patch, Node* made) {
      if (more) more(patch, made);
      made->domain = kChannelsLastDomain;
    };
    Patch trial = rewriter_.Start(node_);
    Node* moved = trial.Copy(node_);
    for (ValueInfo* output : node_.outputs) moved->outputs.push_back(output);
    change.apply(trial, moved);
    return rewriter_.context().kernels.Serves(node_.provider, *moved) ? std::optional(change) : std::nullopt;
  }

  /// Resize keeps roi, scales and sizes in the order of the axes.
  std::optional<std::function<void(Patch&, Node*)>> ResizeConstants() const {
    if (node_.since_version < 11 || !node_.Ints("axes").empty()) return std::nullopt;
    std::vector<std::pair<size_t, Value>> constants;
    for (size_t i = 1; i < node_.inputs.size(); ++i) {
      const Value* value = ConstantOf(node_.inputs[i]);
      if (node_.inputs[i] == nullptr) continue;
      if (value == nullptr) return std::nullopt;
      const size_t count = value->tensor().count;
      if (count == 0) continue;
      if (count != (i == 1 ? 8u : 4u)) return std::nullopt;
      const size_t bytes = ElementBits(value->type()) / 8;
      if (bytes == 0) return std::nullopt;
      Value moved = Value::CpuTensor(value->type(), value->tensor().shape, value->tensor().rank);
      for (size_t j = 0; j < count; ++j) {
        const size_t to = j / 4 * 4 + static_cast<size_t>(kChannelsLastAxis[j % 4]);
        std::memcpy(static_cast<char*>(moved.tensor().data) + to * bytes,
                    static_cast<const char*>(value->tensor().data) + j * bytes, bytes);
      }
      constants.emplace_back(i, std::move(moved));
    }
    return SetConstants(std::move(constants));
  }

  std::optional<Adaptation> Elementwise() {
    Adaptation change;
    std::vector<std::pair<size_t, Value>> constants;
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      const ValueInfo* input = node_.inputs[i];
      if (input == nullptr || IsOne(input)) continue;
      if (const Value* constant = ConstantOf(input)) {
        auto moved = Permuted(*constant);
        if (!moved) return std::nullopt;
        constants.emplace_back(i, std::move(*moved));
      } else if (IsFourD(input)) {
        change.tensors.push_back(i);
      } else {
        return std::nullopt;
      }
    }
    if (change.tensors.empty()) {  // e.g. everything is a single number
      for (size_t i = 0; i < node_.inputs.size(); ++i) {
        if (ConstantOf(node_.inputs[i]) == nullptr && IsFourD(node_.inputs[i])) change.tensors.push_back(i);
      }
    }
    change.apply = SetConstants(std::move(constants));
    return change;
  }

  static std::function<void(Patch&, Node*)> SetConstants(std::vector<std::pair<size_t, Value>> constants) {
    return [constants = std::move(constants)](Patch& patch, Node* made) {
      for (const auto& [index, value] : constants) {
        patch.SetInput(made, index, patch.Constant(made->name + "_channels_last", value));
      }
    };
  }

  std::optional<Adaptation> Concat() {
    const int64_t axis = node_.Int("axis", 1);
    if (!IsAxis(axis)) return std::nullopt;
    Adaptation change;
    std::vector<std::pair<size_t, Value>> constants;
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      if (!IsFourD(node_.inputs[i])) return std::nullopt;
      if (const Value* constant = ConstantOf(node_.inputs[i])) {
        auto moved = Permuted(*constant);
        if (!moved) return std::nullopt;
        constants.emplace_back(i, std::move(*moved));
      } else {
        change.tensors.push_back(i);
      }
    }
    change.apply = [axis, set = SetConstants(std::move(constants))](Patch& patch, Node* made) {
      set(patch, made);
      SetAttribute(made, "axis", Moved(axis));
    };
    return change;
  }

  std::optional<Adaptation> MoveAxis(int64_t otherwise) {
    const int64_t axis = node_.Int("axis", otherwise);
    if (!IsAxis(axis)) return std::nullopt;
    return Adaptation{{0}, [axis](Patch&, Node* made) { SetAttribute(made, "axis", Moved(axis)); }};
  }

  std::optional<Adaptation> Slice() {
    if (node_.since_version < 10 || node_.inputs.size() < 3) return std::nullopt;
    std::vector<int64_t> axes;
    if (Input(&node_, 3) != nullptr) {
      const auto given = IntsOf(node_.inputs[3]);
      if (!given) return std::nullopt;
      axes = *given;
    } else {
      const int64_t count = std::min<int64_t>(shapes_.NumberOf(node_.inputs[1], 0), 5);  // five are too many already
      for (int64_t i = 0; i < count; ++i) axes.push_back(i);
    }
    if (axes.empty()) return std::nullopt;
    for (int64_t& axis : axes) {
      if (!IsAxis(axis)) return std::nullopt;
      axis = Moved(axis);
    }
    // The axes must have the type of starts and ends.
    if (TypeOf(node_.inputs[1]) != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) return std::nullopt;
    return Adaptation{{0}, SetConstants({{3, MakeInts(axes)}})};
  }

  std::optional<Adaptation> Reduce() {
    if (node_.Int("keepdims", 1) == 0) return std::nullopt;
    auto axes = AxesOf(&node_, 4);
    if (!axes || axes->empty()) return std::nullopt;
    for (int64_t& axis : *axes) axis = Moved(axis);
    std::sort(axes->begin(), axes->end());
    if (Input(&node_, 1) != nullptr) return Adaptation{{0}, SetConstants({{1, MakeInts(*axes)}})};
    return Adaptation{{0}, [axes = *axes](Patch&, Node* made) { SetAttribute(made, "axes", axes); }};
  }

  std::optional<Adaptation> Pad() {
    if (Input(&node_, 3) != nullptr) return std::nullopt;
    const bool by_input = Input(&node_, 1) != nullptr;
    const auto pads = by_input ? IntsOf(node_.inputs[1]) : std::optional(node_.Ints("pads"));
    if (!pads || pads->size() != 8) return std::nullopt;
    std::vector<int64_t> moved(8);
    for (size_t i = 0; i < 8; ++i) moved[i / 4 * 4 + static_cast<size_t>(kChannelsLastAxis[i % 4])] = (*pads)[i];
    if (by_input) return Adaptation{{0}, SetConstants({{1, MakeInts(moved)}})};
    return Adaptation{{0}, [moved](Patch&, Node* made) { SetAttribute(made, "pads", moved); }};
  }

  const Rewriter& rewriter_;
  const ShapeAnalysis& shapes_;
  const Node& node_;
};

}  // namespace

std::optional<Adaptation> AdaptChannelsLast(const Rewriter& rewriter, const ShapeAnalysis& shapes, const Node& node) {
  if (!node.subgraphs.empty() || node.provider.empty()) return std::nullopt;
  auto change = Rules(rewriter, shapes, node).Find();
  if (change && change->tensors.empty()) return std::nullopt;
  return change;
}

}  // namespace ortrun
