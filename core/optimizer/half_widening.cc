// SPDX-License-Identifier: Apache-2.0
// Connected nodes in float16 (or bfloat16) whose provider computes those types in float run in float as a whole: values
// are cast where they enter and leave, constants once. Steps in between are then not rounded; a rounding that the model
// spells out, by a Cast or by an operator that jumps where its input moves a little, stays where it is.
#include <numeric>
#include <set>
#include <unordered_map>

#include "core/graph/schema.h"
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

constexpr ElementType kWide = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;

/// Operators whose arithmetic costs much more than their operands' conversion, and those that fusions want in float.
bool Gains(const Node& node) {
  static const std::set<std::string> names = {"Attention",
                                              "AveragePool",
                                              "BatchNormalization",
                                              "Conv",
                                              "ConvTranspose",
                                              "DeformConv",
                                              "Einsum",
                                              "FusedMatMul",
                                              "GRU",
                                              "Gemm",
                                              "GlobalAveragePool",
                                              "GroupNormalization",
                                              "InstanceNormalization",
                                              "LRN",
                                              "LSTM",
                                              "LayerNormalization",
                                              "LogSoftmax",
                                              "LpNormalization",
                                              "MatMul",
                                              "MeanVarianceNormalization",
                                              "MultiHeadAttention",
                                              "RMSNormalization",
                                              "RNN",
                                              "SimplifiedLayerNormalization",
                                              "SkipLayerNormalization",
                                              "SkipSimplifiedLayerNormalization",
                                              "Softmax"};
  return names.count(node.op_type) != 0;
}

/// Operators that move or select elements and compute nothing: they convert nothing in a 16-bit type either.
bool Moves(const Node& node) {
  static const std::set<std::string> names = {
      "Concat",    "DepthToSpace", "Expand",       "Flatten", "Gather",          "GatherElements",
      "GatherND",  "Identity",     "Pad",          "Reshape", "ReverseSequence", "ScatterElements",
      "ScatterND", "Slice",        "SpaceToDepth", "Split",   "Squeeze",         "Tile",
      "Transpose", "Trilu",        "Unsqueeze",    "Where"};
  return names.count(node.op_type) != 0;
}

/// Operators that jump where their input moves a little, or look at its type: they see the rounded value.
bool NeedsRounded(const Node& node) {
  static const std::set<std::string> names = {"BitCast",    "Cast",    "CastLike",   "Ceil", "EyeLike",        "Floor",
                                              "GridSample", "Hardmax", "MaxRoiPool", "Mod",  "OneHot",         "Range",
                                              "RoiAlign",   "Round",   "Shrink",     "Sign", "ThresholdedRelu"};
  return names.count(node.op_type) != 0;
}

bool IsHalf(ElementType type) {
  return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
}

/// A node that can run in float.
struct Candidate {
  Node* node;
  ElementType stored;
  size_t parent;  ///< of a union-find forest over the candidates
};

/// A set of connected candidates and what decides about it, in elements.
struct Region {
  std::vector<Candidate*> members;
  bool gains = false;
  double conversions = 0;  ///< by the kernels in the 16-bit type
  double edges = 0;        ///< by the casts of the region
};

class Widening {
 public:
  explicit Widening(Rewriter& rewriter)
      : rewriter_(rewriter),
        shapes_(rewriter.graph(), rewriter.context().names),
        largest_input_(LargestInput(rewriter.graph())) {}

  void Run() {
    Collect();
    Connect();
    std::unordered_map<size_t, Region> regions;
    for (size_t i = 0; i < candidates_.size(); ++i) regions[Root(i)].members.push_back(&candidates_[i]);
    for (size_t i = 0; i < candidates_.size(); ++i) {  // in the order of the graph
      const auto found = regions.find(i);
      if (found != regions.end() && Pays(found->second)) Widen(found->second);
    }
  }

 private:
  void Collect() {
    if (rewriter_.context().model.Opset("") < 6) return;  // Cast names its type by a string there
    for (const auto& node : rewriter_.graph().nodes()) {
      const ElementType stored = StoredType(*node);
      if (stored != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && CanRunInFloat(*node, stored)) {
        index_[node.get()] = candidates_.size();
        candidates_.push_back({node.get(), stored, candidates_.size()});
      }
    }
  }

  /// The one 16-bit type among a node's tensors; undefined when no input has one, when it has both, or values that are
  /// no tensors or, as outputs, no floating-point numbers.
  static ElementType StoredType(const Node& node) {
    ElementType stored = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    bool fits = node.subgraphs.empty();
    const auto look = [&](const ValueInfo* value, bool output) {
      if (value == nullptr) return;
      const ElementType type = TypeOf(value);
      fits = fits && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && (!output || IsFloating(type));
      if (!IsHalf(type)) return;
      fits = fits && (stored == type || (stored == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && !output));
      stored = type;
    };
    for (const ValueInfo* input : node.inputs) look(input, false);
    for (const ValueInfo* output : node.outputs) look(output, true);
    return fits ? stored : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  }

  bool CanRunInFloat(const Node& node, ElementType stored) const {
    const KernelLookup& kernels = rewriter_.context().kernels;
    if (NeedsRounded(node) || kernels.ComputeType(node.provider, node, stored) != kWide) return false;
    for (const char* names_type : {"dtype", "output_dtype", "output_datatype"})
      if (node.Attribute(names_type) != nullptr) return false;
    const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
    if (schema == nullptr || !schema->deterministic) return false;
    // The node with its types changed, as the provider would see it.
    std::vector<std::unique_ptr<ValueInfo>> values;
    const auto retyped = [&](const std::vector<ValueInfo*>& from, std::vector<ValueInfo*>& to) {
      for (ValueInfo* value : from) {
        to.push_back(value);
        if (value == nullptr || TypeOf(value) != stored) continue;
        values.push_back(std::make_unique<ValueInfo>());
        values.back()->name = value->name;
        values.back()->type = WideType(*value);
        to.back() = values.back().get();
      }
    };
    Node wide;
    wide.name = node.name;
    wide.op_type = node.op_type;
    wide.domain = node.domain;
    wide.since_version = node.since_version;
    wide.provider = node.provider;
    retyped(node.inputs, wide.inputs);
    retyped(node.outputs, wide.outputs);
    return kernels.Serves(node.provider, wide);
  }

  static TypeInfo WideType(const ValueInfo& value) {
    TypeInfo type = value.type;
    type.tensor.type = kWide;
    return type;
  }

  size_t Root(size_t i) {
    while (candidates_[i].parent != i) i = candidates_[i].parent = candidates_[candidates_[i].parent].parent;
    return i;
  }

  void Join(size_t a, size_t b) {
    a = Root(a);
    b = Root(b);
    candidates_[std::max(a, b)].parent = std::min(a, b);
  }

  /// Joins producers with their consumers, and the consumers of one value.
  void Connect() {
    std::unordered_map<const ValueInfo*, size_t> first;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const auto touch = [&](const ValueInfo* value) {
        if (!Converts(value, candidates_[i].stored) || ConstantOf(value) != nullptr) return;
        const auto [known, fresh] = first.emplace(value, i);
        if (!fresh && candidates_[known->second].node->provider == candidates_[i].node->provider)
          Join(known->second, i);
      };
      for (const ValueInfo* input : candidates_[i].node->inputs) touch(input);
      for (const ValueInfo* output : candidates_[i].node->outputs) touch(output);
    }
  }

  static bool Converts(const ValueInfo* value, ElementType stored) {
    return value != nullptr && TypeOf(value) == stored;
  }

  /// Whether a node of the region of `member` makes, or reads, a value.
  bool InRegion(const Node* node, const Candidate& member) {
    const auto found = index_.find(node);
    return found != index_.end() && Root(found->second) == Root(index_.at(member.node));
  }

  bool Pays(Region& region) {
    // Below this the conversions cost some microseconds, which are not worth another rounding.
    constexpr double kFew = 1 << 16;
    std::set<const ValueInfo*> entering;
    for (const Candidate* member : region.members) {
      const Node& node = *member->node;
      region.gains |= Gains(node);
      const auto read = [&](const ValueInfo* value) {
        if (!Converts(value, member->stored) || ConstantOf(value) != nullptr) return;
        if (!Moves(node)) region.conversions += Elements(*value);
        if (!InRegion(value->producer, *member)) entering.insert(value);
      };
      const auto write = [&](const ValueInfo* value) {
        if (!Converts(value, member->stored)) return;
        if (!Moves(node)) region.conversions += Elements(*value);
        if (Leaves(*value, *member)) region.edges += Elements(*value);
      };
      for (const ValueInfo* input : node.inputs) read(input);
      for (const ValueInfo* output : node.outputs) write(output);
    }
    for (const ValueInfo* value : entering) region.edges += Elements(*value);
    return region.gains && region.conversions > kFew && region.edges < region.conversions;
  }

  /// Elements of a value for the estimate of costs. An unknown dimension counts as a middling one; where the inputs are
  /// known, an unknown value as their largest.
  double Elements(const ValueInfo& value) const {
    constexpr double kUnknown = 64;
    double count = 1;
    bool all_known = true;
    if (const SymbolicShape* shape = shapes_.ShapeOf(&value)) {
      for (const Dim& dim : *shape) {
        all_known &= dim.known();
        count *= dim.known() ? static_cast<double>(dim.value) : kUnknown;
      }
    }
    return all_known || !largest_input_ ? count : std::min(count, *largest_input_);
  }

  /// The number of elements of the graph's largest input; nothing when some input's is open.
  static std::optional<double> LargestInput(const Graph& graph) {
    double largest = 1;
    for (const ValueInfo* input : graph.inputs()) {
      std::vector<int64_t> dims;
      if (!StaticShape(input, &dims)) return std::nullopt;
      double count = 1;
      for (int64_t dim : dims) count *= static_cast<double>(dim);
      largest = std::max(largest, count);
    }
    return graph.inputs().empty() ? std::nullopt : std::optional(largest);
  }

  bool Leaves(const ValueInfo& value, const Candidate& member) {
    if (value.is_output) return true;
    return std::any_of(value.uses.begin(), value.uses.end(), [&](const Use& use) {
      return !InRegion(use.node, member) && !ReadsShape(use, member.node->provider);
    });
  }

  static bool ReadsShape(const Use& use, const std::string& provider) {
    return use.index >= 0 && (use.node->Is("Shape") || use.node->Is("Size")) && use.node->provider == provider;
  }

  void Widen(const Region& region) {
    Patch patch = rewriter_.Start(*region.members.front()->node);
    std::unordered_map<const ValueInfo*, ValueInfo*> wide;
    for (const Candidate* member : region.members) {
      Node& node = *member->node;
      patch.Take(&node);
      Node* copy = patch.Copy(node);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (!Converts(node.inputs[i], member->stored)) continue;
        ValueInfo*& value = wide[node.inputs[i]];
        if (value == nullptr) value = Enter(patch, node.inputs[i], node);
        patch.SetInput(copy, i, value);
      }
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        ValueInfo* value = node.outputs[i];
        if (Converts(value, member->stored)) value = wide[value] = patch.Fresh(value->name, WideType(*value));
        patch.SetOutput(copy, i, value);
      }
    }
    for (const Candidate* member : region.members) {
      for (ValueInfo* value : member->node->outputs) {
        if (!Converts(value, member->stored)) continue;
        FollowShapeReaders(patch, *value, member->node->provider, wide[value]);
        if (Leaves(*value, *member)) {
          Node* cast = patch.Add("Cast", "", 0, {wide[value]}, {member->node});
          SetAttribute(cast, "to", static_cast<int64_t>(member->stored));
          patch.SetOutput(cast, 0, value);
        }
      }
    }
    if (!rewriter_.Apply(patch)) constants_.clear();
  }

  /// The float value of what enters a region: a constant of its own, or a Cast.
  ValueInfo* Enter(Patch& patch, ValueInfo* value, const Node& reader) {
    if (ConstantOf(value) != nullptr)
      if (ValueInfo* constant = WideConstant(patch, value, reader)) return constant;
    // What is exact in the 16-bit type needs no step through it.
    const Node* cast = MadeBy(value, "Cast");
    if (cast != nullptr && TypeOf(cast->inputs[0]) == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL) value = cast->inputs[0];
    TypeInfo type = WideType(*value);
    ValueInfo* made = patch.Make("Cast", "", 0, {value}, std::move(type), {&reader});
    SetAttribute(made->producer, "to", static_cast<int64_t>(kWide));
    return made;
  }

  /// A constant cast by the provider's own kernel, once for all regions; nullptr where that failed.
  ValueInfo* WideConstant(Patch& patch, ValueInfo* value, const Node& reader) {
    if (const auto known = constants_.find(value); known != constants_.end()) return known->second;
    ValueInfo result;
    result.type = WideType(*value);
    Node cast;
    cast.name = reader.name;
    cast.op_type = "Cast";
    cast.since_version = rewriter_.Version("Cast");
    cast.provider = reader.provider;
    cast.graph = value->graph;
    cast.inputs = {value};
    cast.outputs = {&result};
    SetAttribute(&cast, "to", static_cast<int64_t>(kWide));
    auto folded = rewriter_.context().kernels.Evaluate(cast);
    if (!folded || folded->size() != 1 || !folded->front().IsTensor()) return nullptr;
    return constants_[value] = patch.Constant(value->name, std::move(folded->front()));
  }

  /// Who reads only the shape reads that of the float value, which then need not be rounded.
  static void FollowShapeReaders(Patch& patch, const ValueInfo& value, const std::string& provider, ValueInfo* wide) {
    for (const Use& use : value.uses) {
      if (!ReadsShape(use, provider)) continue;
      patch.Take(use.node);
      Node* copy = patch.Copy(*use.node);
      patch.SetInput(copy, 0, wide);
      patch.SetOutput(copy, 0, use.node->outputs[0]);
    }
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  const std::optional<double> largest_input_;
  std::vector<Candidate> candidates_;
  std::unordered_map<const Node*, size_t> index_;
  std::unordered_map<const ValueInfo*, ValueInfo*> constants_;  ///< by the 16-bit ones; they live in the graph
};

void Run(Rewriter& rewriter) { Widening(rewriter).Run(); }

}  // namespace

std::unique_ptr<Pass> MakeHalfWidening() {
  return MakePass("half_widening", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
