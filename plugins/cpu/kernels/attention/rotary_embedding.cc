// SPDX-License-Identifier: Apache-2.0
// RotaryEmbedding of the ONNX standard: pairs of a head's elements turned by angles that depend on the row's place.

#include "ortrun/kernel.h"
#include "plugins/cpu/attention/attention_problem.h"
#include "plugins/cpu/kernels/attention/attention.h"
#include "plugins/cpu/kernels/common/float_view.h"

namespace ortrun::cpu {
namespace {

enum Inputs : size_t { kInput, kCosines, kSines, kPositions };

constexpr size_t kGrain = 8192;  ///< elements that pay for handing rows to another thread

/// The first 2 * half elements turn: neighbours when interleaved, else element i with element half + i.
void TurnRow(const float* x, const float* cosines, const float* sines, size_t half, bool interleaved, float* y) {
  const size_t step = interleaved ? 2 : 1;
  const size_t partner = interleaved ? 1 : half;
  for (size_t i = 0; i < half; ++i) {
    const float a = x[i * step];
    const float b = x[i * step + partner];
    y[i * step] = cosines[i] * a - sines[i] * b;
    y[i * step + partner] = sines[i] * a + cosines[i] * b;
  }
}

class RotaryEmbedding : public Kernel {
 public:
  explicit RotaryEmbedding(const KernelInfo& info)
      : interleaved_(info.Int("interleaved", 0) != 0),
        heads_(info.Int("num_heads", 0)),
        turned_(info.Int("rotary_embedding_dim", 0)) {
    Require(heads_ >= 0, "num_heads must be positive, is ", heads_);
    Require(turned_ >= 0 && turned_ % 2 == 0, "rotary_embedding_dim must be even and positive, is ", turned_);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(kInput);
    Require(x.rank() == 3 || x.rank() == 4, "the input must have 3 or 4 dimensions, has ", x.rank());
    const bool flat = x.rank() == 3;
    Require(!flat || heads_ > 0, "a 3-dimensional input needs the attribute num_heads");
    Require(!flat || x.dim(2) % heads_ == 0, "the input's last dimension ", x.dim(2),
            " is no multiple of num_heads = ", heads_);
    const auto batch = static_cast<size_t>(x.dim(0));
    const auto heads = static_cast<size_t>(flat ? heads_ : x.dim(1));
    const auto rows = static_cast<size_t>(x.dim(flat ? 1 : 2));
    const auto size = static_cast<size_t>(flat ? x.dim(2) / heads_ : x.dim(3));
    const size_t turned = turned_ == 0 ? size : static_cast<size_t>(turned_);
    Require(turned <= size && turned % 2 == 0, "cannot turn ", turned, " elements of heads of ", size,
            ": their number must be even and no more");
    const size_t half = turned / 2;
    const Angles angles(context, batch, rows, half);

    const Tensor out = context.Output(0, x.shape());
    if (!out || x.count() == 0) return;
    const float* from = ReadFloats(context, x);
    const float* cosines = ReadFloats(context, context.Input(kCosines));
    const float* sines = ReadFloats(context, context.Input(kSines));
    const FloatOutput to(context, out);
    const auto source = flat ? RowsFirst(from, heads, rows, size) : HeadsFirst(from, heads, rows, size);
    const auto target = flat ? RowsFirst(to.data(), heads, rows, size) : HeadsFirst(to.data(), heads, rows, size);
    context.ParallelRange(batch * rows, std::max<size_t>(1, kGrain / (heads * size)), [&](size_t begin, size_t end) {
      for (size_t at = begin; at < end; ++at) {
        const size_t angle = angles.Row(at) * half;
        for (size_t h = 0; h < heads; ++h) {
          const float* row = source.Row(at / rows, h, at % rows);
          float* result = target.Row(at / rows, h, at % rows);
          TurnRow(row, cosines + angle, sines + angle, half, interleaved_, result);
          std::copy(row + turned, row + size, result + turned);
        }
      }
    });
    to.Finish();
  }

 private:
  /// Which row of the caches belongs to a row of the input: [batch, rows, half] have one each; else positions choose
  /// from [places, half].
  struct Angles {
    const int64_t* positions = nullptr;

    Angles(const KernelContext& context, size_t batch, size_t rows, size_t half) {
      const Tensor cosines = context.Input(kCosines);
      const Tensor sines = context.Input(kSines);
      const Tensor chosen = context.OptionalInput(kPositions);
      Require(cosines.shape() == sines.shape(), "cos_cache and sin_cache have different shapes");
      const size_t rank = chosen ? 2 : 3;
      Require(cosines.rank() == rank, "cos_cache must have ", rank, " dimensions ", chosen ? "with" : "without",
              " position_ids, has ", cosines.rank());
      Require(static_cast<size_t>(cosines.dim(rank - 1)) == half, "the last dimension of cos_cache is ",
              cosines.dim(rank - 1), ", half of the turned elements is ", half);
      if (!chosen) {
        Require(static_cast<size_t>(cosines.dim(0)) == batch && static_cast<size_t>(cosines.dim(1)) == rows,
                "cos_cache must begin with the input's batch and rows, ", batch, " and ", rows);
        return;
      }
      Require(chosen.rank() == 2 && static_cast<size_t>(chosen.dim(0)) == batch &&
                  static_cast<size_t>(chosen.dim(1)) == rows,
              "position_ids must have the shape [", batch, ", ", rows, "]");
      positions = chosen.data<int64_t>();
      for (size_t i = 0; i < batch * rows; ++i) {
        Require(positions[i] >= 0 && positions[i] < cosines.dim(0), "position ", positions[i],
                " is outside the caches' ", cosines.dim(0), " rows");
      }
    }

    size_t Row(size_t at) const { return positions == nullptr ? at : static_cast<size_t>(positions[at]); }
  };

  bool interleaved_;
  int64_t heads_;
  int64_t turned_;
};

}  // namespace

void RegisterRotaryEmbedding(KernelList& list) {
  list.Add({.op = "RotaryEmbedding",
            .since = 23,
            .types = {{"T", FloatAndHalf::Values()}},
            .make = MakeKernel<RotaryEmbedding>});
}

}  // namespace ortrun::cpu
