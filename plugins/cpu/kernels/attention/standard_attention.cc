// SPDX-License-Identifier: Apache-2.0
// Attention of the ONNX standard: since 23; version 24 adds nonpad_kv_seqlen, version 25 windows.

#include <cmath>
#include <limits>
#include <optional>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/attention/attention.h"
#include "plugins/cpu/kernels/attention/attention_operands.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {
namespace {

enum Inputs : size_t { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kNonpad };
enum Outputs : size_t { kY, kPresentKey, kPresentValue, kScores };

/// Heads, rows and elements of a row of one operand, however it is laid out.
struct HeadsShape {
  bool flat = false;  ///< [batch, rows, heads * size], else [batch, heads, rows, size]
  size_t batch = 0;
  size_t heads = 0;
  size_t rows = 0;
  size_t size = 0;

  Shape Dims() const {
    const auto dim = [](size_t value) { return static_cast<int64_t>(value); };
    return flat ? Shape{dim(batch), dim(rows), dim(heads * size)} : Shape{dim(batch), dim(heads), dim(rows), dim(size)};
  }

  template <typename T>
  HeadsView<T> View(T* data) const {
    return flat ? RowsFirst(data, heads, rows, size) : HeadsFirst(data, heads, rows, size);
  }
};

HeadsShape ReadShape(const Tensor& tensor, const char* name, int64_t heads, const char* attribute) {
  const auto dim = [&](size_t axis) { return static_cast<size_t>(tensor.dim(axis)); };
  Require(tensor.rank() == 3 || tensor.rank() == 4, name, " must have 3 or 4 dimensions, has ", tensor.rank());
  if (tensor.rank() == 4) return {false, dim(0), dim(1), dim(2), dim(3)};
  Require(heads > 0, "3-dimensional ", name, " needs the attribute ", attribute);
  Require(tensor.dim(2) % heads == 0, name, "'s last dimension ", tensor.dim(2), " is no multiple of ", attribute,
          " = ", heads);
  return {true, dim(0), static_cast<size_t>(heads), dim(1), static_cast<size_t>(tensor.dim(2) / heads)};
}

/// The three operands and the past, checked against each other.
struct AttentionShapes {
  HeadsShape q, k, v;
  size_t past = 0;

  AttentionShapes(const KernelContext& context, int64_t q_heads, int64_t kv_heads)
      : q(ReadShape(context.Input(kQuery), "Q", q_heads, "q_num_heads")),
        k(ReadShape(context.Input(kKey), "K", kv_heads, "kv_num_heads")),
        v(ReadShape(context.Input(kValue), "V", kv_heads, "kv_num_heads")) {
    Require(q.flat == k.flat && k.flat == v.flat, "Q, K and V must all have 3 or all have 4 dimensions");
    Require(q.batch == k.batch && k.batch == v.batch, "Q, K and V have different batches: ", q.batch, ", ", k.batch,
            " and ", v.batch);
    Require(q.size == k.size, "the head size of Q is ", q.size, ", that of K is ", k.size);
    Require(k.heads == v.heads, "K has ", k.heads, " heads, V has ", v.heads);
    Require(k.rows == v.rows, "K has ", k.rows, " rows, V has ", v.rows);
    Require(k.heads != 0 && q.heads % k.heads == 0, "the ", q.heads, " heads of Q are no multiple of the ", k.heads,
            " heads of K and V");
    Require(q.size != 0, "the head size must not be 0");
    const Tensor key = context.OptionalInput(kPastKey);
    const Tensor value = context.OptionalInput(kPastValue);
    Require(static_cast<bool>(key) == static_cast<bool>(value), "past_key and past_value must be given together");
    if (!key) return;
    Require(key.rank() == 4, "past_key must have 4 dimensions, has ", key.rank());
    past = static_cast<size_t>(key.dim(2));
    RequirePast(key, "past_key", k);
    RequirePast(value, "past_value", v);
  }

  size_t Keys() const { return past + k.rows; }

  HeadsShape Present(const HeadsShape& operand) const {
    return {false, operand.batch, operand.heads, Keys(), operand.size};
  }

 private:
  void RequirePast(const Tensor& tensor, const char* name, HeadsShape fresh) const {
    fresh.flat = false;
    fresh.rows = past;
    const Shape wanted = fresh.Dims();
    Require(tensor.shape() == wanted, name, " must have the shape [", wanted[0], ", ", wanted[1], ", ", wanted[2], ", ",
            wanted[3], "]");
  }
};

class Attention : public Kernel {
 public:
  explicit Attention(const KernelInfo& info)
      : version_(info.SinceVersion()),
        q_heads_(info.Int("q_num_heads", 0)),
        kv_heads_(info.Int("kv_num_heads", 0)),
        softcap_(info.Float("softcap", 0)),
        left_(info.Int("left_window_size", -1)),
        right_(info.Int("right_window_size", -1)),
        mode_(info.Int("qk_matmul_output_mode", 0)),
        precision_(info.Int("softmax_precision", ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED)),
        nan_without_keys_(info.Int("__nan_without_keys", 0) != 0) {
    if (info.HasAttribute("scale")) scale_ = info.Float("scale");
    if (info.Int("is_causal", 0) != 0) right_ = right_ < 0 ? 0 : std::min<int64_t>(right_, 0);
    Require(q_heads_ >= 0 && kv_heads_ >= 0, "q_num_heads and kv_num_heads must be positive");
    Require(softcap_ >= 0, "softcap must not be negative, is ", softcap_);
    Require(left_ >= -1 && right_ >= -1, "window sizes must be -1 or more");
    Require(mode_ >= 0 && mode_ <= 3, "qk_matmul_output_mode must be 0 to 3, is ", mode_);
    // Else softmax is computed in float, in double for double: at least as precise as what is asked for, or nearly.
    Require(precision_ == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED || precision_ == kTypeOf<float> ||
                precision_ == kTypeOf<double> || precision_ == kTypeOf<Float16> || precision_ == kTypeOf<BFloat16>,
            "softmax_precision must name a floating-point type, is ", precision_);
  }

  void Compute(KernelContext& context) const override {
    if (context.Input(kQuery).type() == kTypeOf<double>) {
      Run<double>(context);
    } else {
      Run<float>(context);
    }
  }

 private:
  template <typename T>
  void Run(KernelContext& context) const {
    const AttentionShapes shapes(context, q_heads_, kv_heads_);
    HeadsShape result = shapes.q;
    result.size = shapes.v.size;
    AttentionProblem<T> p;
    p.batch = shapes.q.batch;
    p.heads = shapes.q.heads;
    p.kv_heads = shapes.k.heads;
    p.queries = shapes.q.rows;
    p.keys = shapes.Keys();
    p.head_size = shapes.q.size;
    p.value_size = shapes.v.size;
    p.scale = scale_ ? static_cast<double>(*scale_) : 1 / std::sqrt(static_cast<double>(p.head_size));
    p.softcap = static_cast<double>(softcap_);
    p.past = shapes.past;
    p.left = left_;
    p.right = right_;
    p.stage = static_cast<ScoreStage>(mode_);
    if (nan_without_keys_) p.of_no_key = std::numeric_limits<T>::quiet_NaN();
    p.masks[0] = Mask<T>(context, p);
    p.valid_keys = ValidKeys(context, p.batch, p.keys);

    const OutputAs<T> y(context, context.Output(kY, result.Dims()));
    const OutputAs<T> present_key(context, Optional(context, kPresentKey, shapes.Present(shapes.k).Dims()));
    const OutputAs<T> present_value(context, Optional(context, kPresentValue, shapes.Present(shapes.v).Dims()));
    const auto dim = [](size_t value) { return static_cast<int64_t>(value); };
    const OutputAs<T> scores(
        context, Optional(context, kScores, Shape{dim(p.batch), dim(p.heads), dim(p.queries), dim(p.keys)}));
    p.q = shapes.q.View(ReadAs<T>(context, context.Input(kQuery)));
    p.k = WithPast<T>(context, p.batch, p.kv_heads, p.head_size, ReadAs<T>(context, context.OptionalInput(kPastKey)),
                      p.past, shapes.k.View(ReadAs<T>(context, context.Input(kKey))), shapes.k.rows, present_key.data(),
                      p.k_rows);
    p.v = WithPast<T>(context, p.batch, p.kv_heads, p.value_size, ReadAs<T>(context, context.OptionalInput(kPastValue)),
                      p.past, shapes.v.View(ReadAs<T>(context, context.Input(kValue))), shapes.v.rows,
                      present_value.data(), p.v_rows);
    if constexpr (std::is_same_v<T, float>) {
      if (IsHalf(context.Input(kQuery).type())) RoundSteps(context, p);
    }
    p.y = result.View(y.data());
    p.scores = scores.data();
    RunAttention(context, p);
    y.Finish();
    present_key.Finish();
    present_value.Finish();
    scores.Finish();
  }

  /// With so few digits it matters where they are cut: as in the standard's definition, which scales both sides of the
  /// product by the root of the scale and leaves each step in the operands' type.
  void RoundSteps(KernelContext& context, AttentionProblem<float>& p) const {
    MakeAllRows(context, p);
    p.k_rows = {};
    p.v_rows = {};
    const ElementType type = context.Input(kQuery).type();
    const Tensor mask = context.OptionalInput(kMask);
    p.product_step = StepOf(type);
    // A mask of more digits widens the scores; so does, in bfloat16, the cap, which the definition gives as float.
    const bool widened = (mask && mask.type() == kTypeOf<float>) || (type == kTypeOf<BFloat16> && p.softcap != 0);
    p.score_step = widened ? StepType::kWide : p.product_step;
    p.softmax_step = precision_ == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ? p.score_step : StepOf(precision_);
    float root = static_cast<float>(std::sqrt(p.scale));
    DispatchType<Halves>(type, [&]<typename H>(std::type_identity<H>) { root = H(root); });
    p.scale = 1;
    p.q = Scaled(context, type, p.q, root, p.batch, p.heads, p.queries, p.head_size);
    p.k = Scaled(context, type, p.k, root, p.batch, p.kv_heads, p.keys, p.head_size);
  }

  static StepType StepOf(int64_t type) {
    if (type == kTypeOf<Float16>) return StepType::kFloat16;
    return type == kTypeOf<BFloat16> ? StepType::kBFloat16 : StepType::kWide;
  }

  static HeadsView<const float> Scaled(KernelContext& context, ElementType type, const HeadsView<const float>& from,
                                       float factor, size_t batch, size_t heads, size_t rows, size_t size) {
    float* copy = context.Scratch<float>(batch * heads * rows * size);
    const auto to = HeadsFirst(copy, heads, rows, size);
    context.ParallelRange(batch * heads, 1, [&](size_t begin, size_t end) {
      for (size_t at = begin * rows; at < end * rows; ++at) {
        const size_t head = at / rows;
        const float* x = from.Row(head / heads, head % heads, at % rows);
        float* y = to.Row(head / heads, head % heads, at % rows);
        DispatchType<Halves>(type, [&]<typename H>(std::type_identity<H>) {
          for (size_t i = 0; i < size; ++i) y[i] = H(x[i] * factor);
        });
      }
    });
    return HeadsFirst<const float>(copy, heads, rows, size);
  }

  static Tensor Optional(KernelContext& context, size_t index, const Shape& shape) {
    return index < context.OutputCount() ? context.Output(index, shape) : Tensor();
  }

  template <typename T>
  ScoreMask Mask(KernelContext& context, const AttentionProblem<T>& p) const {
    const Tensor tensor = context.OptionalInput(kMask);
    if (!tensor) return {};
    ScoreMask mask = MaskSteps(tensor.dims(), p.batch, p.heads, p.queries, p.keys, version_ < 24);
    mask.boolean = tensor.type() == kTypeOf<bool>;
    mask.data = mask.boolean ? tensor.raw() : ReadAs<T>(context, tensor);
    // A mask without elements may have no memory, and yet it masks.
    if (mask.columns == 0) mask.data = &kNothing;
    return mask;
  }

  const int64_t* ValidKeys(const KernelContext& context, size_t batch, size_t keys) const {
    const Tensor tensor = context.OptionalInput(kNonpad);
    if (!tensor) return nullptr;
    Require(!context.OptionalInput(kPastKey), "nonpad_kv_seqlen cannot be combined with past_key and past_value");
    Require(tensor.rank() == 1 && tensor.count() == batch, "nonpad_kv_seqlen must have the shape [", batch, "]");
    const auto* valid = tensor.data<int64_t>();
    for (size_t b = 0; b < batch; ++b) {
      Require(valid[b] >= 0 && valid[b] <= static_cast<int64_t>(keys), "nonpad_kv_seqlen of batch ", b, " is ",
              valid[b], ", outside [0, ", keys, "]");
    }
    return valid;
  }

  static constexpr double kNothing = 0;
  int version_;
  int64_t q_heads_;
  int64_t kv_heads_;
  std::optional<float> scale_;
  float softcap_;
  int64_t left_;
  int64_t right_;
  int64_t mode_;
  int64_t precision_;      ///< an ElementType, undefined: the scores' own; matters for 16-bit operands alone
  bool nan_without_keys_;  ///< a row that masks leave no key is what a softmax makes of it, not 0
};

}  // namespace

void RegisterStandardAttention(KernelList& list) {
  const std::vector<ElementType> floats = AllFloats::Values();
  std::vector<ElementType> masks = floats;
  masks.push_back(kTypeOf<bool>);
  list.Add({.op = "Attention",
            .since = 23,
            .types = {{"T1", floats}, {"T2", floats}, {"U", masks}},
            .make = MakeKernel<Attention>});
}

}  // namespace ortrun::cpu
