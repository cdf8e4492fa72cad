// SPDX-License-Identifier: Apache-2.0
// LinearAttention: instead of all keys and values a state of fixed size, which each row first lets decay, then corrects
// and reads. Columns of the state do not depend on each other, so tasks are blocks of columns of one head.

#include <algorithm>
#include <cmath>
#include <string>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/attention/attention.h"
#include "plugins/cpu/kernels/common/float_view.h"

namespace ortrun::cpu {
namespace {

enum Inputs : size_t { kQuery, kKey, kValue, kPastState, kDecay, kBeta };

/// Sizes of one call. Tensors are [batch, rows, heads * size]; the state is [batch, kv_heads, key_size, value_size].
struct Sizes {
  size_t batch;
  size_t rows;
  size_t heads;     ///< of the queries
  size_t kv_heads;  ///< of keys, values and states
  size_t key_size;
  size_t value_size;
  size_t decay_size;  ///< numbers a head and row: one, or one for each element of a key; 0: no decay
  size_t beta_heads;  ///< kv_heads, or 1 for all of them; 0: no correction
};

struct Operands {
  const float* query;
  const float* key;
  const float* value;
  const float* decay;
  const float* beta;
  float scale;
  float* output;
};

/// Lets one head's state (its columns [first, first + width), rows `stride` apart) go through all rows of a sample.
/// `work` holds 2 * width numbers.
void RunHead(const Sizes& s, const Operands& o, size_t sample, size_t head, size_t first, size_t width, float* state,
             size_t stride, float* work) {
  float* change = work;
  float* result = work + width;
  const size_t group = s.heads / s.kv_heads;
  for (size_t t = 0; t < s.rows; ++t) {
    const size_t row = sample * s.rows + t;
    const float* key = o.key + (row * s.kv_heads + head) * s.key_size;
    const float* value = o.value + (row * s.kv_heads + head) * s.value_size + first;
    if (s.decay_size != 0) {
      const float* decay = o.decay + (row * s.kv_heads + head) * s.decay_size;
      for (size_t d = 0; d < s.key_size; ++d) {
        const float factor = std::exp(decay[s.decay_size == 1 ? 0 : d]);
        float* line = state + d * stride;
        for (size_t i = 0; i < width; ++i) line[i] *= factor;
      }
    }
    std::copy_n(value, width, change);
    if (s.beta_heads != 0) {  // only what the state does not answer to this key yet
      for (size_t d = 0; d < s.key_size; ++d) {
        const float* line = state + d * stride;
        for (size_t i = 0; i < width; ++i) change[i] -= line[i] * key[d];
      }
      const float beta = o.beta[row * s.beta_heads + (s.beta_heads == 1 ? 0 : head)];
      for (size_t i = 0; i < width; ++i) change[i] *= beta;
    }
    for (size_t d = 0; d < s.key_size; ++d) {
      float* line = state + d * stride;
      for (size_t i = 0; i < width; ++i) line[i] += key[d] * change[i];
    }
    for (size_t g = 0; g < group; ++g) {
      const size_t reader = row * s.heads + head * group + g;
      const float* query = o.query + reader * s.key_size;
      std::fill_n(result, width, 0.0f);
      for (size_t d = 0; d < s.key_size; ++d) {
        const float* line = state + d * stride;
        for (size_t i = 0; i < width; ++i) result[i] += query[d] * line[i];
      }
      float* to = o.output + reader * s.value_size + first;
      for (size_t i = 0; i < width; ++i) to[i] = result[i] * o.scale;
    }
  }
}

class LinearAttention : public Kernel {
 public:
  explicit LinearAttention(const KernelInfo& info)
      : heads_(info.Int("q_num_heads")), kv_heads_(info.Int("kv_num_heads")), scale_(info.Float("scale", 0)) {
    Require(kv_heads_ > 0 && heads_ > 0 && heads_ % kv_heads_ == 0, "q_num_heads=", heads_,
            " must be a positive multiple of kv_num_heads=", kv_heads_);
    const std::string rule = info.String("update_rule", "gated_delta");
    Require(rule == "linear" || rule == "gated" || rule == "delta" || rule == "gated_delta", "attribute update_rule \"",
            rule, "\" is none of linear, gated, delta, gated_delta");
    decays_ = rule.starts_with("gated");
    corrects_ = rule.ends_with("delta");
  }

  void Compute(KernelContext& context) const override {
    const Tensor query = context.Input(kQuery);
    const Tensor past = context.OptionalInput(kPastState);
    const Tensor decay = context.OptionalInput(kDecay);
    const Tensor beta = context.OptionalInput(kBeta);
    const Sizes s = Check(query, context.Input(kKey), context.Input(kValue), past, decay, beta);
    const Tensor output = context.Output(0, Shape{query.dim(0), query.dim(1), heads_ * Int(s.value_size)});
    const Tensor present = context.Output(1, Shape{query.dim(0), kv_heads_, Int(s.key_size), Int(s.value_size)});
    const size_t state_size = s.key_size * s.value_size;
    const size_t states = s.batch * s.kv_heads;
    const FloatOutput to(context, output);
    const FloatOutput state_to(context, present);
    float* all_states = state_to.data() != nullptr ? state_to.data() : context.Scratch<float>(states * state_size);
    if (past)
      std::copy_n(ReadFloats(context, past), states * state_size, all_states);
    else
      std::fill_n(all_states, states * state_size, 0.0f);
    const float scale = scale_ != 0 ? scale_ : 1 / std::sqrt(static_cast<float>(s.key_size));
    const Operands operands{ReadFloats(context, query),
                            ReadFloats(context, context.Input(kKey)),
                            ReadFloats(context, context.Input(kValue)),
                            ReadFloats(context, decay),
                            ReadFloats(context, beta),
                            scale,
                            to.data()};
    // Few heads are cut into blocks of columns, so that every thread has one.
    const size_t wanted = (context.Concurrency() + states - 1) / std::max<size_t>(1, states);
    const size_t blocks = std::clamp<size_t>(wanted, 1, std::max<size_t>(1, s.value_size / 16));
    float* work = context.Scratch<float>(states * 2 * s.value_size);
    context.ParallelFor(s.value_size == 0 ? 0 : states * blocks, [&](size_t task) {
      const size_t at = task / blocks;
      const size_t first = s.value_size * (task % blocks) / blocks;
      const size_t width = s.value_size * (task % blocks + 1) / blocks - first;
      RunHead(s, operands, at / s.kv_heads, at % s.kv_heads, first, width, all_states + at * state_size + first,
              s.value_size, work + 2 * (at * s.value_size + first));
    });
    to.Finish();
    state_to.Finish();
  }

 private:
  static int64_t Int(size_t value) { return static_cast<int64_t>(value); }

  Sizes Check(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& past, const Tensor& decay,
              const Tensor& beta) const {
    for (const Tensor& tensor : {query, key, value, decay, beta}) {
      Require(!tensor || tensor.rank() == 3, "query, key, value, decay and beta must have 3 dimensions, one has ",
              tensor ? tensor.rank() : 0);
      Require(!tensor || (tensor.dim(0) == query.dim(0) && tensor.dim(1) == query.dim(1)),
              "query, key, value, decay and beta must have the same batch and rows");
    }
    Require(static_cast<bool>(decay) == decays_, "input decay is ", decays_ ? "missing" : "given", ", the update_rule ",
            decays_ ? "needs it" : "has none");
    Require(static_cast<bool>(beta) == corrects_, "input beta is ", corrects_ ? "missing" : "given",
            ", the update_rule ", corrects_ ? "needs it" : "has none");
    const int64_t key_size = query.dim(2) / heads_;
    Require(query.dim(2) % heads_ == 0 && key.dim(2) == key_size * kv_heads_, "query and key have ", query.dim(2),
            " and ", key.dim(2), " numbers a row for ", heads_, " and ", kv_heads_, " heads");
    Require(value.dim(2) % kv_heads_ == 0, "value has ", value.dim(2), " numbers a row for ", kv_heads_, " heads");
    const int64_t value_size = value.dim(2) / kv_heads_;
    Require(!past || past.shape() == Shape{query.dim(0), kv_heads_, key_size, value_size},
            "past_state must be [batch, kv_num_heads, ", key_size, ", ", value_size, "]");
    Require(!decay || decay.dim(2) == kv_heads_ || decay.dim(2) == kv_heads_ * key_size, "decay has ",
            decay ? decay.dim(2) : 0, " numbers a row, it must have one a head or one for each element of a key");
    Require(!beta || beta.dim(2) == kv_heads_ || beta.dim(2) == 1, "beta has ", beta ? beta.dim(2) : 0,
            " numbers a row, it must have one, or one a head");
    const auto size = [](int64_t extent) { return static_cast<size_t>(extent); };
    return {size(query.dim(0)),
            size(query.dim(1)),
            size(heads_),
            size(kv_heads_),
            size(key_size),
            size(value_size),
            decay ? size(decay.dim(2) / kv_heads_) : 0,
            beta ? size(beta.dim(2)) : 0};
  }

  int64_t heads_;
  int64_t kv_heads_;
  float scale_;
  bool decays_ = false;
  bool corrects_ = false;
};

}  // namespace

void RegisterLinearAttention(KernelList& list) {
  const auto types = FloatAndHalf::Values();
  list.Add({.op = "LinearAttention",
            .since = 27,
            .types = {{"T", types}, {"S", types}},
            .make = MakeKernel<LinearAttention>});
}

}  // namespace ortrun::cpu
