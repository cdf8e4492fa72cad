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
      : rewriter_(rewriter), shapes_(rewriter.graph()), largest_input_(LargestInput(rewriter.graph())) {}

  size_t Run() {
    Collect();
    Connect();
    std::unordered_map<size_t, Region> regions;
    for (size_t i = 0; i < candidates_.size(); ++i) regions[Root(i)].members.push_back(&candidates_[i]);
    size_t count = 0;
    for (size_t i = 0; i < candidates_.size(); ++i) {  // in the order of the graph
      const auto found = regions.find(i);
      if (found == regions.end() || !Pays(found->second)) continue;
      for (const Candidate* member : found->second.members) WidenOutputs(*member);
      for (const Candidate* member : found->second.members) WidenInputs(*member);
      count += found->second.members.size();
    }
    if (count != 0) Finish();
    return count;
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
    if (NeedsRounded(node) || kernels.ComputeType(node, stored) != kWide) return false;
    for (const char* names_type : {"dtype", "output_dtype", "output_datatype"})
      if (node.Attribute(names_type) != nullptr) return false;
    const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
    if (schema == nullptr || !schema->deterministic) return false;
    if (!rewriter_.Has(node, "", "Cast", rewriter_.Version("Cast"), stored) ||
        !rewriter_.Has(node, "", "Cast", rewriter_.Version("Cast"), kWide))
      return false;
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
    return kernels.Serves(wide);
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
    const auto found = node == nullptr ? index_.end() : index_.find(node);
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
      return use.index < 0 || (!InRegion(use.node, member) && !ReadsShape(*use.node));
    });
  }

  static bool ReadsShape(const Node& node) { return node.Is("Shape") || node.Is("Size"); }

  void WidenOutputs(const Candidate& member) {
    for (size_t i = 0; i < member.node->outputs.size(); ++i) {
      ValueInfo* value = member.node->outputs[i];
      if (!Converts(value, member.stored)) continue;
      ValueInfo* wide = rewriter_.graph().AddValue(value->name, WideType(*value));
      rewriter_.graph().SetOutput(member.node, i, wide);
      wide_[value] = wide;
      made_.emplace_back(value, member.node);
    }
  }

  void WidenInputs(const Candidate& member) {
    for (size_t i = 0; i < member.node->inputs.size(); ++i) {
      ValueInfo* value = member.node->inputs[i];
      if (!Converts(value, member.stored)) continue;
      ValueInfo*& wide = wide_[value];
      if (wide == nullptr) wide = Enter(value, *member.node);
      rewriter_.graph().SetInput(member.node, i, wide);
    }
  }

  /// The float value of what enters a region: a constant of its own, or a Cast.
  ValueInfo* Enter(ValueInfo* value, const Node& reader) {
    ValueInfo* source = value;
    // What is exact in the 16-bit type needs no step through it.
    const Node* cast = MadeBy(value, "Cast");
    if (cast != nullptr && TypeOf(cast->inputs[0]) == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL) source = cast->inputs[0];
    ValueInfo* wide = MakeCast(source, reader, WideType(*value));
    if (ConstantOf(value) == nullptr) return wide;
    const auto folded = rewriter_.context().kernels.Evaluate(*wide->producer);
    if (!folded || folded->size() != 1 || !folded->front().IsTensor()) return wide;
    rewriter_.Remove(wide->producer);
    return rewriter_.Constant(value->name, folded->front());
  }

  ValueInfo* MakeCast(ValueInfo* from, const Node& like, const TypeInfo& type) {
    ValueInfo* made = rewriter_.Make(like, "Cast", "", 0, {from}, type);
    SetAttribute(made->producer, "to", static_cast<int64_t>(type.tensor.type));
    return made;
  }

  /// Rounds the values that somebody reads in the 16-bit type.
  void Finish() {
    for (const auto& [value, maker] : made_) {
      ValueInfo* wide = wide_.at(value);
      const std::vector<Use> uses = value->uses;
      for (const Use& use : uses)
        if (use.index >= 0 && ReadsShape(*use.node))
          rewriter_.graph().SetInput(use.node, static_cast<size_t>(use.index), wide);
      if (value->uses.empty() && !value->is_output) continue;
      Node* cast = rewriter_.Add(*maker, "Cast", "", 0, {wide}, {});
      SetAttribute(cast, "to", static_cast<int64_t>(TypeOf(value)));
      rewriter_.graph().SetOutput(cast, 0, value);
    }
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  const std::optional<double> largest_input_;
  std::vector<Candidate> candidates_;
  std::unordered_map<const Node*, size_t> index_;
  std::unordered_map<const ValueInfo*, ValueInfo*> wide_;
  std::vector<std::pair<ValueInfo*, const Node*>> made_;  ///< values that a region makes, and their makers
};

size_t Run(Rewriter& rewriter) { return Widening(rewriter).Run(); }

}  // namespace

std::unique_ptr<Pass> MakeHalfWidening() {
  return MakePass("half_widening", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
