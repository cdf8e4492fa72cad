// SPDX-License-Identifier: Apache-2.0
// Softmax(scale * Q K^T + masks) V -> the standard's Attention (version 23). Where queries, keys and values all come
// from [batch, length, heads*size] by Reshape and Transpose, the 3-D form takes those in, too, and a RotaryEmbedding
// behind them turns their rows. Keys and values of earlier runs are joined by the operator.
#include <map>
#include <tuple>

#include "core/optimizer/attention_past.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// Queries, keys or values before they were split into heads.
struct Rows {
  Node* reshape = nullptr;  ///< makes [B,S,N,D]
  int64_t heads = 0;
  int64_t size = 0;
  Node* rotary = nullptr;  ///< turns [B,N,S,D], or nullptr
};

class AttentionFusion {
 public:
  explicit AttentionFusion(Rewriter& rewriter) : rewriter_(rewriter), shapes_(rewriter.graph()) {}

  bool Rewrite(Node& softmax) {
    auto match = MatchAttention(softmax, shapes_);
    if (!match) return false;
    type_ = TypeOf(match->query);
    if (!rewriter_.Has(softmax, "", "Attention", 23, type_)) return false;
    past_ = PastOf(*match, shapes_);
    if (past_) {
      match->key = past_->keys->inputs[1];
      match->value = past_->values->inputs[1];
      match->nodes.insert(match->nodes.end(), {past_->keys, past_->values});
    }
    const auto q = RowsOf(match->query);
    const auto k = match->key_rows != nullptr ? RowsOf(match->key_rows) : RowsOf(match->key);
    const auto v = RowsOf(match->value);
    Node* transpose = OnlyUser(match->output);
    const bool rows_out = transpose != nullptr && transpose->Is("Transpose") &&
                          transpose->provider == softmax.provider &&
                          PermOf(transpose) == std::vector<int64_t>{0, 2, 1, 3};
    if (q && k && v && rows_out) return Fuse3D(softmax, *match, *q, *k, *v, *transpose);
    if (match->key == nullptr) return false;
    return Fuse4D(softmax, *match);
  }

 private:
  std::optional<Rows> RowsOf(Node* reshape) const {
    if (reshape == nullptr) return std::nullopt;
    const ValueInfo* split = reshape->outputs[0];
    const Rows rows{reshape, shapes_.NumberOf(split, 2), shapes_.NumberOf(split, 3)};
    const SymbolicShape* shape = shapes_.ShapeOf(split);
    if (shape == nullptr || shape->size() != 4 || rows.heads < 1 || rows.size < 1) return std::nullopt;
    if (shapes_.ShapeOf(reshape->inputs[0]) == nullptr || !FlatTarget(rows)) return std::nullopt;
    return rows;
  }

  std::optional<Rows> RowsOf(const ValueInfo* heads) const {
    if (Node* rotary = UsedOnce(heads) ? MadeBy(heads, "RotaryEmbedding") : nullptr) {
      auto rows = RowsOf(rotary->inputs[0]);
      if (!rows || rows->rotary != nullptr) return std::nullopt;
      rows->rotary = rotary;
      return rows;
    }
    Node* transpose = MadeBy(heads, "Transpose");
    if (transpose == nullptr || PermOf(transpose) != std::vector<int64_t>{0, 2, 1, 3}) return std::nullopt;
    Node* reshape = MadeBy(transpose->inputs[0], "Reshape");
    return reshape != nullptr && reshape->provider == transpose->provider ? RowsOf(reshape) : std::nullopt;
  }

  SymbolicShape FlatShape(const Rows& rows) const {
    const SymbolicShape& split = *shapes_.ShapeOf(rows.reshape->outputs[0]);
    return {split[0], split[1], {rows.heads * rows.size, 0}};
  }

  std::optional<std::vector<int64_t>> FlatTarget(const Rows& rows) const {
    return ReshapeTarget(*shapes_.ShapeOf(rows.reshape->inputs[0]), FlatShape(rows));
  }

  TypeInfo TypeFor(const SymbolicShape& shape) const {
    std::vector<int64_t> dims;
    for (const Dim& dim : shape) dims.push_back(dim.known() ? dim.value : -1);
    return DenseType(type_, dims);
  }

  /// The tensor [B,S,N*D]: what the Reshape read, or that under another shape.
  ValueInfo* Flat(const Rows& rows, double* scale) {
    const SymbolicShape shape = FlatShape(rows);
    ValueInfo* source = rows.reshape->inputs[0];
    // The Reshape dies with the old nodes when only they read it; then a scale before it may move too.
    if (scale != nullptr && OnlyUser(rows.reshape->outputs[0]) != nullptr) {
      source = Unscaled(source, scale, *rows.reshape);
    }
    if (*shapes_.ShapeOf(source) != shape) {
      ValueInfo* target = rewriter_.Constant("shape", MakeInts(*FlatTarget(rows)));
      source = rewriter_.Make(*rows.reshape, "Reshape", "", 0, {source, target}, TypeFor(shape));
    }
    return rows.rotary == nullptr ? source : Turned(rows, source);
  }

  /// The rows' RotaryEmbedding over the tensor [B,S,N*D].
  ValueInfo* Turned(const Rows& rows, ValueInfo* flat) {
    std::vector<ValueInfo*> inputs = rows.rotary->inputs;
    inputs[0] = flat;
    ValueInfo* turned = rewriter_.Make(*rows.rotary, "RotaryEmbedding", "", rows.rotary->since_version, inputs,
                                       TypeFor(FlatShape(rows)), {rows.rotary});
    turned->producer->attributes = rows.rotary->attributes;
    SetAttribute(turned->producer, "num_heads", rows.heads);
    return turned;
  }

  ValueInfo* MaskOf(const Node& like, const AttentionMask& mask) {
    if (mask.added != nullptr) return mask.added;
    ValueInfo*& made = filled_[{mask.condition, *ScalarOf(mask.fill), mask.inverted}];
    if (made == nullptr) {
      auto zero = MakeScalar(type_, 0);
      ValueInfo* keep = rewriter_.Constant("zero", std::move(*zero));
      TypeInfo type = mask.condition->type;
      type.tensor.type = type_;
      made = rewriter_.Make(like, "Where", "", 0,
                            {mask.condition, mask.inverted ? mask.fill : keep, mask.inverted ? keep : mask.fill}, type);
    }
    return made;
  }

  /// One additive mask from all, or nullptr. Layers that share their masks share the sum.
  ValueInfo* Mask(const Node& like, const std::vector<AttentionMask>& masks) {
    ValueInfo* sum = nullptr;
    for (const AttentionMask& mask : masks) {
      ValueInfo* next = MaskOf(like, mask);
      if (sum == nullptr) {
        sum = next;
        continue;
      }
      ValueInfo*& made = sums_[{sum, next}];
      if (made == nullptr) {
        const size_t rank = static_cast<size_t>(std::max(RankOf(sum), RankOf(next)));
        made = rewriter_.Make(like, "Add", "", 0, {sum, next}, DenseType(type_, std::vector<int64_t>(rank, -1)));
      }
      sum = made;
    }
    return sum;
  }

  bool MasksServed(const Node& like, const AttentionMatch& match) const {
    size_t sums = match.masks.size();
    for (const AttentionMask& mask : match.masks) {
      if (mask.added != nullptr && TypeOf(mask.added) != type_) return false;
      if (mask.added == nullptr && (!MakeScalar(type_, 0) || TypeOf(mask.fill) != type_ ||
                                    !rewriter_.Has(like, "", "Where", rewriter_.Version("Where"), type_))) {
        return false;
      }
    }
    return sums < 2 || rewriter_.Has(like, "", "Add", rewriter_.Version("Add"), type_);
  }

  Node* AddAttention(const Node& softmax, const AttentionMatch& match, ValueInfo* q, ValueInfo* k, ValueInfo* v,
                     double scale) {
    std::vector<ValueInfo*> inputs = {q, k, v};
    ValueInfo* mask = Mask(softmax, match.masks);
    if (mask != nullptr || past_) inputs.push_back(mask);
    if (past_) inputs.insert(inputs.end(), {past_->keys->inputs[0], past_->values->inputs[0]});
    Node* made = rewriter_.Add(softmax, "Attention", "", 23, inputs, {match.nodes.begin(), match.nodes.end()});
    SetAttribute(made, "scale", static_cast<float>(scale));
    return made;
  }

  /// `made` writes `output`, and what the keys and values were joined to.
  void Replace(const AttentionMatch& match, Node* made, ValueInfo* output) {
    ValueInfo* keys = past_ ? past_->keys->outputs[0] : nullptr;
    ValueInfo* values = past_ ? past_->values->outputs[0] : nullptr;
    rewriter_.Replace(match.nodes, made, output);
    if (!past_) return;
    rewriter_.graph().SetOutput(made, 1, keys);
    rewriter_.graph().SetOutput(made, 2, values);
  }

  bool Fuse4D(Node& softmax, const AttentionMatch& match) {
    if (!MasksServed(softmax, match)) return false;
    Node* made = AddAttention(softmax, match, match.query, match.key, match.value, match.scale);
    Replace(match, made, match.output);
    return true;
  }

  bool Fuse3D(Node& softmax, AttentionMatch& match, const Rows& q, const Rows& k, const Rows& v, Node& transpose) {
    if (!MasksServed(softmax, match)) return false;
    double scale = match.scale;
    ValueInfo* query = Flat(q, &scale);
    ValueInfo* key = Flat(k, &scale);
    ValueInfo* value = Flat(v, nullptr);
    Node* made = AddAttention(softmax, match, query, key, value, scale);
    SetAttribute(made, "q_num_heads", q.heads);
    SetAttribute(made, "kv_num_heads", k.heads);
    const SymbolicShape& batch = *shapes_.ShapeOf(q.reshape->outputs[0]);
    const SymbolicShape shape = {batch[0], batch[1], {q.heads * v.size, 0}};

    ValueInfo* by_row = transpose.outputs[0];  // [B,S,N,Dv]
    Node* reshape = OnlyUser(by_row);
    const SymbolicShape* after =
        reshape != nullptr && reshape->Is("Reshape") ? shapes_.ShapeOf(reshape->outputs[0]) : nullptr;
    match.nodes.push_back(&transpose);
    if (after != nullptr && *after == shape && reshape->provider == softmax.provider) {
      ValueInfo* output = reshape->outputs[0];
      match.nodes.push_back(reshape);
      Replace(match, made, output);
      return true;
    }
    ValueInfo* flat = rewriter_.graph().AddValue(softmax.name + "_attention", TypeFor(shape));
    ValueInfo* target = rewriter_.Constant("shape", MakeInts({0, 0, q.heads, v.size}));
    Node* split = rewriter_.Add(transpose, "Reshape", "", 0, {flat, target}, {});
    Replace(match, made, flat);
    rewriter_.graph().SetOutput(split, 0, by_row);
    return true;
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  std::optional<AttentionPast> past_;
  ElementType type_ = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::map<std::tuple<ValueInfo*, double, bool>, ValueInfo*> filled_;
  std::map<std::pair<ValueInfo*, ValueInfo*>, ValueInfo*> sums_;
};

size_t Run(Rewriter& rewriter) {
  AttentionFusion fusion(rewriter);
  return rewriter.ForEach([&](Node& node) { return node.Is("Softmax") && fusion.Rewrite(node); });
}

}  // namespace

std::unique_ptr<Pass> MakeAttentionFusion() {
  return MakePass("attention_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
