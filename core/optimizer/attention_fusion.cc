// SPDX-License-Identifier: Apache-2.0
// Softmax(scale * Q K^T + masks) V -> the standard's Attention (version 23). Where queries, keys and values all come
// from [batch, length, heads*size] by Reshape and Transpose, the 3-D form takes those in, too, and a RotaryEmbedding
// behind them turns their rows. Keys and values of earlier runs are joined by the operator.
#include <algorithm>
#include <cmath>
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

/// A constant below this takes up any score that is added to it.
constexpr double kAbsorbing = -1e30;

/// What was made of masks, for layers that share them.
struct SharedMasks {
  std::map<std::tuple<ValueInfo*, double, bool, ElementType>, ValueInfo*> filled;
  std::map<std::pair<ValueInfo*, Dim>, std::pair<ValueInfo*, const ValueInfo*>> spread;  ///< and the scores it was for
  std::map<std::pair<ValueInfo*, ValueInfo*>, ValueInfo*> sums;
};

class AttentionFusion {
 public:
  AttentionFusion(Rewriter& rewriter, const ShapeAnalysis& shapes, SharedMasks& shared, Node& softmax)
      : rewriter_(rewriter),
        shapes_(shapes),
        shared_(shared),
        masks_(shared),
        softmax_(softmax),
        patch_(rewriter.Start(softmax)) {}

  bool Rewrite() {
    auto match = MatchAttention(softmax_, shapes_);
    if (!match) return false;
    type_ = TypeOf(match->query);
    if (!Holds(match->scale)) return false;
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
                          transpose->provider == softmax_.provider &&
                          PermOf(transpose) == std::vector<int64_t>{0, 2, 1, 3};
    patch_.Take(match->nodes);
    bool described = false;
    if (q && k && v && rows_out) {
      described = Fuse3D(*match, *q, *k, *v, *transpose);
    } else if (match->key != nullptr) {
      described = Fuse4D(*match);
    }
    if (!described || !rewriter_.Apply(patch_)) return false;
    shared_ = std::move(masks_);
    return true;
  }

 private:
  bool Holds(double scale) const { return IsFloatFactor(type_, scale); }

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
      double factor = 1;
      ValueInfo* unscaled = Unscaled(source, &factor, *rows.reshape);
      if (Holds(*scale * factor)) {
        *scale *= factor;
        source = unscaled;
      }
    }
    if (*shapes_.ShapeOf(source) != shape) {
      ValueInfo* target = patch_.Constant("shape", MakeInts(*FlatTarget(rows)));
      source = patch_.Make("Reshape", "", 0, {source, target}, TypeFor(shape), {rows.reshape});
    }
    return source;
  }

  /// The rows' RotaryEmbedding over the tensor [B,S,N*D]; the tensor where there is none.
  ValueInfo* Rotated(const Rows& rows, ValueInfo* flat) {
    if (rows.rotary == nullptr) return flat;
    std::vector<ValueInfo*> inputs = rows.rotary->inputs;
    inputs[0] = flat;
    ValueInfo* rotated =
        patch_.Make("RotaryEmbedding", "", rows.rotary->since_version, inputs, TypeFor(FlatShape(rows)), {rows.rotary});
    rotated->producer->attributes = rows.rotary->attributes;
    SetAttribute(rotated->producer, "num_heads", rows.heads);
    return rotated;
  }

  /// A mask of numbers to add: 0, and where the scores are filled, what takes up any score. Of several masks none may
  /// be filled with less than the model says.
  ValueInfo* Added(const AttentionMask& mask, bool alone) {
    if (mask.added != nullptr) return mask.added;
    double fill = *ScalarOf(mask.fill);
    if (fill > kAbsorbing && !alone) return nullptr;
    fill = std::min(fill, kAbsorbing);
    // Half types have no number that would do; the operator takes masks of another type than the scores'.
    const bool own = std::isinf(fill) || type_ == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    if (!own && !alone && type_ != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) return nullptr;
    const ElementType type = own ? type_ : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    ValueInfo*& made = masks_.filled[{mask.condition, fill, mask.inverted, type}];
    if (made == nullptr) {
      ValueInfo* keep = patch_.Constant("keep", *MakeScalar(type, 0));
      ValueInfo* drop = patch_.Constant("drop", *MakeScalar(type, fill));
      TypeInfo mask_type = mask.condition->type;
      mask_type.tensor.type = type;
      made = patch_.Make("Where", "", 0, {mask.condition, mask.inverted ? drop : keep, mask.inverted ? keep : drop},
                         mask_type);
    }
    return made;
  }

  /// The length of one axis as a tensor of one element.
  ValueInfo* LengthOf(ValueInfo* value, int64_t axis) {
    const TypeInfo one = DenseType(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {1});
    if (rewriter_.Version("Shape") >= 15) {
      ValueInfo* length = patch_.Make("Shape", "", 0, {value}, one);
      SetAttribute(length->producer, "start", axis);
      SetAttribute(length->producer, "end", axis + 1);
      return length;
    }
    ValueInfo* shape =
        patch_.Make("Shape", "", 0, {value}, DenseType(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {RankOf(value)}));
    return patch_.Make("Gather", "", 0, {shape, patch_.Constant("axis", MakeInts({axis}))}, one);
  }

  /// The mask with a number for each key. The operator takes shorter masks, which the sum of scores and masks does not:
  /// where no mask is known to have one number a key, an Expand sees to that.
  ValueInfo* Spread(ValueInfo* mask, const AttentionMatch& match, ValueInfo* key) {
    const Dim* keys = shapes_.DimAt(match.scores, -1);
    if (keys == nullptr) return nullptr;
    bool singles = true;
    for (const AttentionMask& each : match.masks) {
      const Dim* own = shapes_.DimAt(each.added != nullptr ? each.added : each.condition, -1);
      if (own != nullptr && *own == *keys) return mask;
      singles = singles && own != nullptr && own->Is(1);
    }
    if (singles) return mask;
    auto& [made, scores] = masks_.spread[{mask, *keys}];
    if (made != nullptr && shapes_.SameDim(match.scores, -1, scores, -1)) return made;
    scores = match.scores;
    TypeInfo type = mask->type;
    if (!type.tensor.dims.empty()) {
      type.tensor.dims.back() = keys->known() ? keys->value : -1;
      if (type.tensor.symbols.size() == type.tensor.dims.size()) type.tensor.symbols.back().clear();
    }
    made = patch_.Make("Expand", "", 0, {mask, KeysLength(key)}, type);
    return made;
  }

  /// The length of the keys, joined ones included, as a tensor of one element.
  ValueInfo* KeysLength(ValueInfo* key) {
    ValueInfo* length = LengthOf(key, RankOf(key) == 3 ? 1 : 2);
    if (!past_) return length;
    return patch_.Make("Add", "", 0, {LengthOf(past_->keys->inputs[0], 2), length},
                       DenseType(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {1}));
  }

  /// One additive mask from all; nothing where there can be none. Layers that share their masks share the sum.
  std::optional<ValueInfo*> Mask(const AttentionMatch& match, ValueInfo* key) {
    ValueInfo* sum = nullptr;
    for (const AttentionMask& mask : match.masks) {
      ValueInfo* next = Added(mask, match.masks.size() == 1);
      if (next == nullptr) return std::nullopt;
      if (sum == nullptr) {
        sum = next;
        continue;
      }
      ValueInfo*& made = masks_.sums[{sum, next}];
      if (made == nullptr) {
        const size_t rank = static_cast<size_t>(std::max(RankOf(sum), RankOf(next)));
        made = patch_.Make("Add", "", 0, {sum, next}, DenseType(TypeOf(sum), std::vector<int64_t>(rank, -1)));
      }
      sum = made;
    }
    if (sum == nullptr) return sum;
    sum = Spread(sum, match, key);
    return sum == nullptr ? std::nullopt : std::optional(sum);
  }

  Node* AddAttention(const AttentionMatch& match, ValueInfo* q, ValueInfo* k, ValueInfo* v, ValueInfo* mask,
                     double scale) {
    std::vector<ValueInfo*> inputs = {q, k, v};
    if (mask != nullptr || past_) inputs.push_back(mask);
    if (past_) inputs.insert(inputs.end(), {past_->keys->inputs[0], past_->values->inputs[0]});
    Node* made = patch_.Add("Attention", "", 23, inputs, {match.nodes.begin(), match.nodes.end()});
    SetAttribute(made, "scale", static_cast<float>(scale));
    // The operator has zeros for a row that masks leave no key, where the softmax of the model is not a number.
    if (mask != nullptr) SetAttribute(made, "__nan_without_keys", int64_t{1});
    if (past_) {
      patch_.SetOutput(made, 1, past_->keys->outputs[0]);
      patch_.SetOutput(made, 2, past_->values->outputs[0]);
    }
    return made;
  }

  bool Fuse4D(const AttentionMatch& match) {
    const auto mask = Mask(match, match.key);
    if (!mask) return false;
    patch_.SetOutput(AddAttention(match, match.query, match.key, match.value, *mask, match.scale), 0, match.output);
    return true;
  }

  bool Fuse3D(const AttentionMatch& match, const Rows& q, const Rows& k, const Rows& v, Node& transpose) {
    double scale = match.scale;
    ValueInfo* query = Flat(q, &scale);
    ValueInfo* key = Flat(k, &scale);
    ValueInfo* value = Flat(v, nullptr);
    const auto mask = Mask(match, key);
    if (!mask) return false;
    Node* made = AddAttention(match, Rotated(q, query), Rotated(k, key), Rotated(v, value), *mask, scale);
    SetAttribute(made, "q_num_heads", q.heads);
    SetAttribute(made, "kv_num_heads", k.heads);
    const SymbolicShape& batch = *shapes_.ShapeOf(q.reshape->outputs[0]);
    const SymbolicShape shape = {batch[0], batch[1], {q.heads * v.size, 0}};

    ValueInfo* by_row = transpose.outputs[0];  // [B,S,N,Dv]
    Node* reshape = OnlyUser(by_row);
    const SymbolicShape* after =
        reshape != nullptr && reshape->Is("Reshape") ? shapes_.ShapeOf(reshape->outputs[0]) : nullptr;
    patch_.Take(&transpose);
    if (after != nullptr && *after == shape && reshape->provider == softmax_.provider) {
      patch_.Take(reshape);
      patch_.SetOutput(made, 0, reshape->outputs[0]);
      return true;
    }
    ValueInfo* flat = patch_.Fresh(softmax_.name + "_attention", TypeFor(shape));
    patch_.SetOutput(made, 0, flat);
    ValueInfo* target = patch_.Constant("shape", MakeInts({0, 0, q.heads, v.size}));
    patch_.SetOutput(patch_.Add("Reshape", "", 0, {flat, target}, {&transpose}), 0, by_row);
    return true;
  }

  Rewriter& rewriter_;
  const ShapeAnalysis& shapes_;
  SharedMasks& shared_;
  SharedMasks masks_;
  Node& softmax_;
  Patch patch_;
  std::optional<AttentionPast> past_;
  ElementType type_ = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
};

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  SharedMasks shared;
  rewriter.ForEach(
      [&](Node& node) { return node.Is("Softmax") && AttentionFusion(rewriter, shapes, shared, node).Rewrite(); });
}

}  // namespace

std::unique_ptr<Pass> MakeAttentionFusion() {
  return MakePass("attention_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
