// SPDX-License-Identifier: Apache-2.0
// com.microsoft MultiHeadAttention on the loops of the standard's Attention. Queries, keys and values come apart, or
// packed head by head: [batch, rows, heads, 3, size] or, keys and values, [batch, rows, heads, 2, size].

#include <cmath>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/attention/attention.h"
#include "plugins/cpu/kernels/attention/attention_operands.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {
namespace {

enum Inputs : size_t {
  kQuery,
  kKey,
  kValue,
  kBias,
  kKeyPadding,
  kAttentionBias,
  kPastKey,
  kPastValue,
  kPastLength,
  kBeams
};
enum Outputs : size_t { kOutput, kPresentKey, kPresentValue, kScores };

constexpr size_t kRowGrain = 16384;  ///< elements that pay for handing rows to another thread

size_t Dim(const Tensor& tensor, size_t axis) { return static_cast<size_t>(tensor.dim(axis)); }

/// One of queries, keys and values: where it lies in its tensor.
struct Operand {
  Tensor tensor;
  size_t batch = 0;
  size_t rows = 0;
  size_t size = 0;   ///< of one head
  size_t parts = 1;  ///< operands packed into each head of the tensor
  size_t part = 0;   ///< which of them this is
  bool heads_first = false;

  Operand(const Tensor& from, const char* name, size_t heads, size_t packed_parts, size_t packed_part) : tensor(from) {
    batch = from.rank() == 0 ? 0 : Dim(from, 0);
    if (from.rank() == 3) {
      Require(Dim(from, 2) % heads == 0, name, "'s last dimension ", from.dim(2),
              " is no multiple of num_heads = ", heads);
      rows = Dim(from, 1);
      size = Dim(from, 2) / heads;
    } else if (from.rank() == 4) {
      Require(packed_parts != 3 && Dim(from, 1) == heads, name,
              " with 4 dimensions must be [batch, num_heads = ", heads, ", rows, size] and a key or a value");
      rows = Dim(from, 2);
      size = Dim(from, 3);
      heads_first = true;
    } else {
      Require(from.rank() == 5 && Dim(from, 2) == heads && Dim(from, 3) == packed_parts, name,
              " must have 3 dimensions, or be packed as [batch, rows, num_heads = ", heads, ", ", packed_parts,
              ", size]");
      rows = Dim(from, 1);
      size = Dim(from, 4);
      parts = packed_parts;
      part = packed_part;
    }
    Require(size != 0, "the head size of ", name, " must not be 0");
  }

  HeadsView<const float> View(const float* data, size_t heads) const {
    if (heads_first) return HeadsFirst(data, heads, rows, size);
    return {data + part * size, rows * heads * parts * size, parts * size, heads * parts * size};
  }
};

class MultiHeadAttention : public Kernel {
 public:
  explicit MultiHeadAttention(const KernelInfo& info)
      : heads_(info.Int("num_heads")),
        filter_(info.Float("mask_filter_value", -10000.0F)),
        scale_(info.Float("scale", 0)),
        unidirectional_(info.Int("unidirectional", 0) != 0) {
    Require(heads_ > 0, "num_heads must be positive, is ", heads_);
  }

  void Compute(KernelContext& context) const override {
    const auto heads = static_cast<size_t>(heads_);
    const Tensor key = context.OptionalInput(kKey);
    const Tensor value = context.OptionalInput(kValue);
    Require(!context.OptionalInput(kPastLength) && !context.OptionalInput(kBeams),
            "past_sequence_length and cache_indirection are not served: give past_key and past_value as they are");
    Require(key || context.Input(kQuery).rank() == 5, "key may be omitted only where query is packed");
    Require(key ? value || key.rank() == 5 : !value, "value may be omitted only where key or query is packed");
    const Operand q(context.Input(kQuery), "query", heads, 3, 0);
    const Operand k(key ? key : q.tensor, "key", heads, key ? 2 : 3, key ? 0 : 1);
    const Operand v(value ? value : k.tensor, "value", heads, key ? 2 : 3, key ? 1 : 2);
    Require(!(key && q.parts == 3), "query is packed: key must be omitted");
    Require(!(value && k.parts == 2) && v.parts <= k.parts, "key and value must be packed together or not at all");
    Require(k.heads_first == v.heads_first, "key and value must both have 4 dimensions or neither");
    Require(q.batch == k.batch && k.batch == v.batch, "query, key and value have different batches: ", q.batch, ", ",
            k.batch, " and ", v.batch);
    Require(q.size == k.size, "the head size of query is ", q.size, ", that of key is ", k.size);
    Require(k.rows == v.rows, "key has ", k.rows, " rows, value has ", v.rows);
    AttentionProblem<float> p;
    p.batch = q.batch;
    p.heads = heads;
    p.kv_heads = heads;
    p.queries = q.rows;
    p.past = PastRows(context, k, v);
    p.keys = p.past + k.rows;
    p.head_size = q.size;
    p.value_size = v.size;
    p.scale = scale_ != 0 ? static_cast<double>(scale_) : 1 / std::sqrt(static_cast<double>(q.size));
    if (unidirectional_) p.right = 0;
    p.masks = {KeyPadding(context, p), AttentionBias(context, p)};
    Run(context, p, q, k, v);
  }

 private:
  void Run(KernelContext& context, AttentionProblem<float>& p, const Operand& q, const Operand& k,
           const Operand& v) const {
    const auto dim = [](size_t value) { return static_cast<int64_t>(value); };
    const auto optional = [&](size_t index, const Shape& shape) {
      return index < context.OutputCount() ? context.Output(index, shape) : Tensor();
    };
    const Shape shape{dim(p.batch), dim(p.queries), dim(p.heads * p.value_size)};
    const FloatOutput output(context, context.Output(kOutput, shape));
    const FloatOutput present_key(context,
                                  optional(kPresentKey, {dim(p.batch), heads_, dim(p.keys), dim(p.head_size)}));
    const FloatOutput present_value(context,
                                    optional(kPresentValue, {dim(p.batch), heads_, dim(p.keys), dim(p.value_size)}));
    const FloatOutput scores(context, optional(kScores, {dim(p.batch), heads_, dim(p.queries), dim(p.keys)}));
    p.stage = ScoreStage::kMasked;
    p.scores = scores.data();

    const Tensor bias = context.OptionalInput(kBias);
    const size_t inputs = p.heads * p.head_size;
    const float* q_bias = ReadFloats(context, bias);
    Require(!bias || bias.count() == 2 * inputs + p.heads * p.value_size, "bias must have ",
            2 * inputs + p.heads * p.value_size, " elements, has ", bias.count());
    // Keys and values that come head by head were made by an earlier call, which added their bias.
    const bool adds = q_bias != nullptr && !k.heads_first;
    const float* q_data = ReadFloats(context, q.tensor);
    const float* k_data = k.tensor.raw() == q.tensor.raw() ? q_data : ReadFloats(context, k.tensor);
    const float* v_data = v.tensor.raw() == k.tensor.raw() ? k_data : ReadFloats(context, v.tensor);
    p.q = Biased(context, q, q_data, q_bias);
    const auto keys = Biased(context, k, k_data, adds ? q_bias + inputs : nullptr);
    const auto values = Biased(context, v, v_data, adds ? q_bias + 2 * inputs : nullptr);
    p.k = WithPast<float>(context, p.batch, p.heads, p.head_size, ReadFloats(context, context.OptionalInput(kPastKey)),
                          p.past, keys, k.rows, present_key.data(), p.k_rows);
    p.v =
        WithPast<float>(context, p.batch, p.heads, p.value_size, ReadFloats(context, context.OptionalInput(kPastValue)),
                        p.past, values, v.rows, present_value.data(), p.v_rows);
    p.y = RowsFirst(output.data(), p.heads, p.queries, p.value_size);
    RunAttention(context, p);
    output.Finish();
    present_key.Finish();
    present_value.Finish();
    scores.Finish();
  }

  size_t PastRows(const KernelContext& context, const Operand& k, const Operand& v) const {
    const Tensor key = context.OptionalInput(kPastKey);
    const Tensor value = context.OptionalInput(kPastValue);
    Require(static_cast<bool>(key) == static_cast<bool>(value), "past_key and past_value must be given together");
    if (!key) return 0;
    const auto fits = [&](const Tensor& past, const Operand& fresh) {
      return past.rank() == 4 && Dim(past, 0) == fresh.batch && past.dim(1) == heads_ && past.dim(2) == key.dim(2) &&
             Dim(past, 3) == fresh.size;
    };
    Require(key.rank() == 4 && fits(key, k) && fits(value, v),
            "past_key and past_value must have the shape [batch, num_heads, past rows, head size]");
    return Dim(key, 2);
  }

  /// The operand with its bias, [heads * size], added: a copy in scratch.
  HeadsView<const float> Biased(KernelContext& context, const Operand& operand, const float* data,
                                const float* bias) const {
    const auto heads = static_cast<size_t>(heads_);
    const HeadsView<const float> from = operand.View(data, heads);
    if (bias == nullptr) return from;
    const size_t width = heads * operand.size;
    const size_t rows = operand.batch * operand.rows;
    float* copy = context.Scratch<float>(rows * width);
    context.ParallelRange(rows, std::max<size_t>(1, kRowGrain / width), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        for (size_t h = 0; h < heads; ++h) {
          const float* x = from.Row(row / operand.rows, h, row % operand.rows);
          float* y = copy + row * width + h * operand.size;
          for (size_t i = 0; i < operand.size; ++i) y[i] = x[i] + bias[h * operand.size + i];
        }
      }
    });
    return RowsFirst<const float>(copy, heads, operand.rows, operand.size);
  }

  /// The integer mask as one that is added: [batch], lengths of the keys; [batch, keys] or [batch, queries, keys],
  /// 0 where masked.
  ScoreMask KeyPadding(KernelContext& context, const AttentionProblem<float>& p) const {
    const Tensor mask = context.OptionalInput(kKeyPadding);
    if (!mask) return {};
    const bool lengths = mask.rank() == 1 && Dim(mask, 0) == p.batch;
    const bool by_query = mask.rank() == 3;
    const size_t rows = p.batch * (by_query ? p.queries : 1);
    Require(lengths || ((mask.rank() == 2 || (by_query && Dim(mask, 1) == p.queries)) && Dim(mask, 0) == p.batch &&
                        Dim(mask, mask.rank() - 1) == p.keys),
            "key_padding_mask must have the shape [batch = ", p.batch, "], [batch, ", p.keys, "] or [batch, ",
            p.queries, ", ", p.keys, "]");
    const auto* given = mask.data<int32_t>();
    float* added = context.Scratch<float>(rows * p.keys);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t j = 0; j < p.keys; ++j) {
        const bool keeps = lengths ? static_cast<int64_t>(j) < given[row] : given[row * p.keys + j] != 0;
        added[row * p.keys + j] = keeps ? 0.0F : filter_;
      }
    }
    ScoreMask result;
    result.data = added;
    result.batch = p.keys * (by_query ? p.queries : 1);
    result.row = by_query ? p.keys : 0;
    result.column = 1;
    result.columns = p.keys;
    return result;
  }

  static ScoreMask AttentionBias(KernelContext& context, const AttentionProblem<float>& p) {
    const Tensor bias = context.OptionalInput(kAttentionBias);
    if (!bias) return {};
    Require(bias.rank() == 4 && Dim(bias, 3) == p.keys, "attention_bias must have the shape [batch or 1, heads or 1, ",
            p.queries, ", ", p.keys, "]");
    ScoreMask mask = MaskSteps(bias.dims(), p.batch, p.heads, p.queries, p.keys, false);
    mask.data = ReadFloats(context, bias);
    return mask;
  }

  int64_t heads_;
  float filter_;
  float scale_;
  bool unidirectional_;
};

}  // namespace

void RegisterMultiHeadAttention(KernelList& list) {
  list.Add({.domain = "com.microsoft",
            .op = "MultiHeadAttention",
            .types = {{"T", FloatAndHalf::Values()}, {"QK", FloatAndHalf::Values()}},
            .make = MakeKernel<MultiHeadAttention>});
}

}  // namespace ortrun::cpu
