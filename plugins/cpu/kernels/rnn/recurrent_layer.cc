// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/rnn/recurrent_layer.h"

#include <algorithm>
#include <type_traits>

#include "plugins/cpu/kernels/nn/float_product.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/rnn/step_team.h"

namespace ortrun::cpu {
namespace {

/// Elements of X W^T that are made at a time: the memory of a long sequence stays bounded, and the product large.
constexpr size_t kChunk = size_t{1} << 20;
/// Multiply-adds of the recurrence below which one thread is as good.
constexpr size_t kWorthThreads = size_t{1} << 17;
/// Multiply-adds in a part of a step that are worth meeting the other threads for.
constexpr size_t kWorthMeeting = size_t{1} << 15;

size_t RoundedQuotient(size_t value, size_t unit) { return (value + unit - 1) / unit; }

template <typename T>
class Layer {
 public:
  Layer(KernelContext& context, const RecurrentCell& cell, const RecurrentAttributes& attributes,
        const RecurrentSizes& sizes, const RecurrentOperands<T>& operands)
      : context_(context), cell_(cell), attributes_(attributes), sizes_(sizes), operands_(operands) {
    steps_ = sizes.steps;
    if (operands.lengths != nullptr)
      steps_ = static_cast<size_t>(*std::max_element(operands.lengths, operands.lengths + sizes.batch));
    chunk_ = std::clamp<size_t>(kChunk / (sizes.batch * RowSize()), 1, std::max<size_t>(1, steps_));
    for (size_t d = 0; d < sizes.directions; ++d) {
      MakeWeights(d);
      MakeStates(d);
      MakeInput(d);
      if (operands.y != nullptr) MakeOutput(d);
    }
  }

  void Run() {
    for (size_t begin = 0; begin < steps_; begin += chunk_) {
      const size_t end = std::min(steps_, begin + chunk_);
      for (size_t d = 0; d < sizes_.directions; ++d) Project(d, begin, end);
      RunSteps(begin, end);
    }
    for (size_t d = 0; d < sizes_.directions; ++d) {
      WriteState(d, directions_[d].state[steps_ & 1], operands_.y_h);
      WriteState(d, directions_[d].cell, operands_.y_c);
    }
  }

 private:
  size_t RowSize() const { return cell_.gates * sizes_.hidden; }
  size_t Length(size_t row) const {
    return operands_.lengths == nullptr ? sizes_.steps : static_cast<size_t>(operands_.lengths[row]);
  }
  /// Where a row lies in initial_h and its like.
  size_t StateOffset(size_t d, size_t row) const {
    return (attributes_.batch_first ? row * sizes_.directions + d : d * sizes_.batch + row) * sizes_.hidden;
  }

  void MakeWeights(size_t d) {
    RecurrentDirection<T>& direction = directions_[d];
    const size_t hidden = sizes_.hidden;
    direction.batch = sizes_.batch;
    direction.hidden = hidden;
    direction.gates = cell_.gates;
    direction.stride = loops_.Blocks(hidden) * loops_.lanes;
    direction.reverse = attributes_.reverse[d];
    direction.lengths = operands_.lengths;
    direction.steps = steps_;
    direction.activations = attributes_.activations[d];
    direction.clip = attributes_.clip;
    direction.input_forget = cell_.input_forget;

    const size_t packed_size = PackedRecurrentSize<T>(cell_, hidden);
    const T* packed = operands_.packed_r == nullptr ? nullptr : operands_.packed_r + d * packed_size;
    if (packed == nullptr) {
      T* space = context_.Scratch<T>(packed_size);
      PackRecurrentWeights(cell_, hidden, operands_.r + d * RowSize() * hidden, space);
      packed = space;
    }
    for (size_t i = 0; i < cell_.phase_count; ++i) {
      direction.packed[i] = packed;
      packed += PackedRecurrentSize(loops_, cell_.phase[i], hidden);
    }
    if (operands_.peephole != nullptr) {
      T* space = context_.Scratch<T>(3 * direction.stride);
      for (size_t gate = 0; gate < 3; ++gate)
        CopyPadded(operands_.peephole + (d * 3 + gate) * hidden, space + gate * direction.stride);
      direction.peephole = space;
    }
  }

  void CopyPadded(const T* from, T* to) const {
    std::fill(std::copy_n(from, sizes_.hidden, to), to + directions_[0].stride, T{0});
  }

  void MakeStates(size_t d) {
    RecurrentDirection<T>& direction = directions_[d];
    const size_t size = sizes_.batch * direction.stride;
    for (T*& state : direction.state) state = context_.Scratch<T>(size);
    ReadState(d, operands_.initial_h, direction.state[0]);
    if (cell_.is_lstm()) {
      direction.cell = context_.Scratch<T>(size);
      ReadState(d, operands_.initial_c, direction.cell);
    }
    if (cell_.phase_count > 1) {
      direction.update = context_.Scratch<T>(size);
      direction.reset = context_.Scratch<T>(size);
    }
  }

  void ReadState(size_t d, const T* initial, T* state) const {
    const size_t stride = directions_[d].stride;
    if (initial == nullptr) {
      std::fill_n(state, sizes_.batch * stride, T{0});
      return;
    }
    for (size_t row = 0; row < sizes_.batch; ++row) CopyPadded(initial + StateOffset(d, row), state + row * stride);
  }

  void WriteState(size_t d, const T* state, T* to) const {
    if (to == nullptr) return;
    for (size_t row = 0; row < sizes_.batch; ++row) {
      T* place = to + StateOffset(d, row);
      if (Length(row) == 0)
        std::fill_n(place, sizes_.hidden, T{0});
      else
        std::copy_n(state + row * directions_[d].stride, sizes_.hidden, place);
    }
  }

  /// The buffer of X W^T, the bias that goes into it, and W.
  void MakeInput(size_t d) {
    RecurrentDirection<T>& direction = directions_[d];
    Input& input = inputs_[d];
    input.product = context_.Scratch<T>(chunk_ * sizes_.batch * RowSize() + loops_.lanes);
    direction.input = input.product;
    if constexpr (std::is_same_v<T, float>) {
      const size_t bytes = PackedInputSize(cell_, sizes_);
      if (operands_.packed_w != nullptr) {
        input.packed = static_cast<const char*>(operands_.packed_w) + d * bytes;
      } else {
        void* space = context_.Scratch(bytes);
        PackInputWeights(cell_, sizes_, operands_.w + d * RowSize() * sizes_.input, space);
        input.packed = space;
      }
    }
    if (operands_.bias == nullptr) return;
    const T* w_bias = operands_.bias + 2 * d * RowSize();
    const T* r_bias = w_bias + RowSize();
    T* bias = context_.Scratch<T>(RowSize());
    std::transform(w_bias, w_bias + RowSize(), r_bias, bias, [](T w, T r) { return w + r; });
    if (cell_.phase[0] == Phase::kGruLinear) {
      const size_t last = 2 * sizes_.hidden;
      std::copy_n(w_bias + last, sizes_.hidden, bias + last);
      T* hidden_bias = context_.Scratch<T>(direction.stride);
      CopyPadded(r_bias + last, hidden_bias);
      direction.hidden_bias = hidden_bias;
    }
    input.bias = bias;
  }

  /// The strides of Y, and zeros where a sequence has ended.
  void MakeOutput(size_t d) {
    RecurrentDirection<T>& direction = directions_[d];
    const size_t row = sizes_.hidden;
    if (attributes_.batch_first) {
      direction.output = operands_.y + d * row;
      direction.output_time_stride = sizes_.directions * row;
      direction.output_row_stride = sizes_.steps * sizes_.directions * row;
    } else {
      direction.output = operands_.y + d * sizes_.batch * row;
      direction.output_time_stride = sizes_.directions * sizes_.batch * row;
      direction.output_row_stride = row;
    }
    for (size_t b = 0; b < sizes_.batch; ++b)
      for (size_t t = Length(b); t < sizes_.steps; ++t)
        std::fill_n(direction.output + t * direction.output_time_stride + b * direction.output_row_stride, row, T{0});
  }

  /// X of steps [begin, end), step after step as the direction takes them.
  const T* StepRows(size_t d, size_t begin, size_t end) {
    const size_t batch = sizes_.batch;
    const size_t width = sizes_.input;
    const bool time_first = !attributes_.batch_first || batch == 1;
    if (time_first && !attributes_.reverse[d]) return operands_.x + begin * batch * width;
    if (rows_ == nullptr) rows_ = context_.Scratch<T>(chunk_ * batch * width);
    const size_t time_stride = time_first ? batch * width : width;
    const size_t row_stride = time_first ? width : sizes_.steps * width;
    context_.ParallelRange(
        end - begin, std::max<size_t>(1, 65536 / std::max<size_t>(1, batch * width)), [&](size_t first, size_t last) {
          for (size_t i = first; i < last; ++i)
            for (size_t b = 0; b < batch; ++b) {
              const size_t step = begin + i;
              const size_t length = Length(b);
              const size_t time = attributes_.reverse[d] && step < length ? length - 1 - step : step;
              std::copy_n(operands_.x + time * time_stride + b * row_stride, width, rows_ + (i * batch + b) * width);
            }
        });
    return rows_;
  }

  void Project(size_t d, size_t begin, size_t end) {
    const Input& input = inputs_[d];
    directions_[d].first_step = begin;
    const T* rows = StepRows(d, begin, end);
    const size_t m = (end - begin) * sizes_.batch;
    const size_t n = RowSize();
    const size_t k = sizes_.input;
    if constexpr (std::is_same_v<T, float>) {
      GemmArguments product;
      product.m = m;
      product.n = n;
      product.k = k;
      product.a = rows;
      product.lda = k;
      product.packed_b = input.packed;
      product.c = input.product;
      product.ldc = n;
      product.epilogue.bias = input.bias;
      RunProduct(context_, product);
    } else {
      for (size_t row = 0; row < m; ++row) {
        T* to = input.product + row * n;
        input.bias == nullptr ? std::fill_n(to, n, T{0}) : std::copy_n(input.bias, n, to);
      }
      Multiply(m, n, k, T{1}, MatrixView<T>{rows, k, false}, MatrixView<T>{operands_.w + d * n * k, k, true}, T{1},
               input.product, n);
    }
  }

  /// Multiply-adds of so many steps.
  size_t Work(size_t steps) const { return steps * sizes_.directions * sizes_.batch * RowSize() * sizes_.hidden; }

  /// How the threads of one direction share it: groups of rows, which never meet, and in each group members that split
  /// the units of a step and meet after it.
  struct Shares {
    size_t groups;
    size_t members;
  };

  /// The split that leaves the busiest thread the least; meeting is taken to cost an eighth.
  Shares ShareOut(size_t tiles, size_t blocks) const {
    const size_t threads = std::max<size_t>(1, context_.Concurrency() / sizes_.directions);
    const size_t meetings = Work(1) / (sizes_.directions * cell_.phase_count * kWorthMeeting);
    Shares best{1, 1};
    size_t least = 8 * tiles * blocks;
    for (size_t groups = std::min(threads, tiles); groups > 0; --groups) {
      const size_t members = std::max<size_t>(1, std::min({threads / groups, blocks, meetings / groups}));
      const size_t load = (members == 1 ? 8 : 9) * RoundedQuotient(tiles, groups) * RoundedQuotient(blocks, members);
      if (load >= least) continue;
      least = load;
      best = {groups, members};
    }
    return best;
  }

  void RunSteps(size_t begin, size_t end) {
    const size_t phases = cell_.phase_count;
    const size_t count = (end - begin) * phases;
    const size_t tiles = loops_.Tiles(sizes_.batch);
    const size_t blocks = loops_.Blocks(sizes_.hidden);
    const auto run = [&](size_t d, size_t index, Range some_tiles, Range some_blocks) {
      const size_t phase = index % phases;
      loops_.run[static_cast<size_t>(cell_.phase[phase])](directions_[d], phase, begin + index / phases, some_tiles,
                                                          some_blocks);
    };
    const Shares shares = ShareOut(tiles, blocks);
    const size_t groups = shares.groups;
    const size_t members = shares.members;
    const size_t jobs = sizes_.directions * groups;
    if (context_.Concurrency() == 1 || Work(end - begin) < kWorthThreads || jobs * members == 1) {
      for (size_t d = 0; d < sizes_.directions; ++d)
        for (size_t index = 0; index < count; ++index) run(d, index, {0, tiles}, {0, blocks});
      return;
    }
    auto* lines = context_.Scratch<StepTeam::Line>(jobs * (members + 1));
    auto* teams = context_.Scratch<StepTeam>(jobs);
    for (size_t job = 0; job < jobs; ++job) std::construct_at(teams + job, lines + job * (members + 1), members, count);
    context_.ParallelFor(jobs * members, [&](size_t i) {
      const size_t job = i % jobs;
      const Range rows = PartOf(tiles, groups, job / sizes_.directions);
      teams[job].Work(i / jobs, [&](size_t index, size_t part) {
        run(job % sizes_.directions, index, rows, PartOf(blocks, members, part));
      });
    });
  }

  struct Input {
    T* product = nullptr;
    const T* bias = nullptr;
    const void* packed = nullptr;
  };

  KernelContext& context_;
  const RecurrentCell& cell_;
  const RecurrentAttributes& attributes_;
  const RecurrentSizes& sizes_;
  const RecurrentOperands<T>& operands_;
  const RecurrentLoops<T>& loops_ = BestRecurrentLoops<T>();
  size_t steps_ = 0;  ///< of the longest row
  size_t chunk_ = 1;  ///< steps whose X W^T is made at a time
  T* rows_ = nullptr;
  std::array<RecurrentDirection<T>, 2> directions_;
  std::array<Input, 2> inputs_;
};

}  // namespace

size_t PackedInputSize(const RecurrentCell& cell, const RecurrentSizes& sizes) {
  return PackedBSize(sizes.input, cell.gates * sizes.hidden);
}

template <typename T>
size_t PackedRecurrentSize(const RecurrentCell& cell, size_t hidden) {
  size_t size = 0;
  for (Phase phase : cell.phases()) size += PackedRecurrentSize(BestRecurrentLoops<T>(), phase, hidden);
  return size;
}

void PackInputWeights(const RecurrentCell& cell, const RecurrentSizes& sizes, const float* w, void* packed) {
  PackB(true, sizes.input, cell.gates * sizes.hidden, w, sizes.input, packed, Parallel{});
}

template <typename T>
void PackRecurrentWeights(const RecurrentCell& cell, size_t hidden, const T* r, T* packed) {
  const RecurrentLoops<T>& loops = BestRecurrentLoops<T>();
  for (Phase phase : cell.phases()) {
    PackRecurrent(loops, phase, hidden, r, packed);
    packed += PackedRecurrentSize(loops, phase, hidden);
  }
}

template <typename T>
void RunRecurrentLayer(KernelContext& context, const RecurrentCell& cell, const RecurrentAttributes& attributes,
                       const RecurrentSizes& sizes, const RecurrentOperands<T>& operands) {
  if (sizes.batch == 0) return;
  Layer<T>(context, cell, attributes, sizes, operands).Run();
}

template size_t PackedRecurrentSize<float>(const RecurrentCell&, size_t);
template void PackRecurrentWeights(const RecurrentCell&, size_t, const float*, float*);
template void RunRecurrentLayer(KernelContext&, const RecurrentCell&, const RecurrentAttributes&, const RecurrentSizes&,
                                const RecurrentOperands<float>&);
template void RunRecurrentLayer(KernelContext&, const RecurrentCell&, const RecurrentAttributes&, const RecurrentSizes&,
                                const RecurrentOperands<double>&);

}  // namespace ortrun::cpu
