// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/rnn/recurrent_loops.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/rnn/recurrent_loops.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "plugins/cpu/vector/clamp-inl.h"
#include "plugins/cpu/vector/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace vec = vector::HWY_NAMESPACE;

template <typename T>
using Tag = hn::ScalableTag<T>;
template <typename T>
using Vec = hn::Vec<Tag<T>>;

/// Sums, a vector of each gate and a broadcast must fit the registers. Double is for correctness alone.
constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM;
template <typename T>
constexpr size_t kTileRows = sizeof(T) > sizeof(float) ? 1
                             : kManyRegisters          ? 6
                                                       : 3;
/// Sums that the machine needs under way to multiply and add without waiting.
constexpr size_t kSums = 8;

template <typename T>
HWY_NOINLINE void ActivateElements(const GateActivation& activation, T* x, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] = ActivateElement(activation, x[i]);
}

template <typename T>
HWY_INLINE Vec<T> Activate(const GateActivation& activation, Vec<T> x) {
  const Tag<T> d;
  if constexpr (sizeof(T) == sizeof(float)) {
    if (activation.function == GateFunction::kSigmoid) return vec::Sigmoid(d, x);
    if (activation.function == GateFunction::kTanh) return vec::Tanh(d, x);
  }
  if (activation.function == GateFunction::kRelu) return vec::AtLeast(hn::Zero(d), x);
  HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(T)];
  hn::Store(x, d, lanes);
  ActivateElements(activation, lanes, hn::Lanes(d));
  return hn::Load(d, lanes);
}

/// sums[row][gate][lane] = sum over k of h[row][k] panel[k][gate][lane]. The order of a sum depends on the sizes alone.
template <typename T, size_t kGates, size_t kRows>
void SumTile(const T* h, size_t stride, size_t length, const T* panel, T* sums) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kChains = std::max<size_t>(1, kSums / (kGates * kRows));
  Vec<T> sum[kChains][kRows][kGates];
#pragma GCC unroll 8
  for (size_t c = 0; c < kChains; ++c)
#pragma GCC unroll 6
    for (size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 4
      for (size_t g = 0; g < kGates; ++g) sum[c][r][g] = hn::Zero(d);
  const auto add = [&](size_t k, Vec<T>(&chain)[kRows][kGates]) HWY_ATTR {
    Vec<T> column[kGates];
#pragma GCC unroll 4
    for (size_t g = 0; g < kGates; ++g) column[g] = hn::LoadU(d, panel + (k * kGates + g) * lanes);
#pragma GCC unroll 6
    for (size_t r = 0; r < kRows; ++r) {
      const Vec<T> left = hn::Set(d, h[r * stride + k]);
#pragma GCC unroll 4
      for (size_t g = 0; g < kGates; ++g) chain[r][g] = hn::MulAdd(left, column[g], chain[r][g]);
    }
  };
  size_t k = 0;
  for (; k + kChains <= length; k += kChains)
#pragma GCC unroll 8
    for (size_t c = 0; c < kChains; ++c) add(k + c, sum[c]);
  for (; k < length; ++k) add(k, sum[0]);
#pragma GCC unroll 6
  for (size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (size_t g = 0; g < kGates; ++g) {
#pragma GCC unroll 8
      for (size_t c = 1; c < kChains; ++c) sum[0][r][g] = hn::Add(sum[0][r][g], sum[c][r][g]);
      hn::Store(sum[0][r][g], d, sums + (r * kGates + g) * lanes);
    }
}

template <typename T, size_t kGates>
void SumRows(size_t rows, const T* h, size_t stride, size_t length, const T* panel, T* sums) {
  if constexpr (kTileRows<T> >= 6) {
    if (rows == 6) return SumTile<T, kGates, 6>(h, stride, length, panel, sums);
    if (rows == 5) return SumTile<T, kGates, 5>(h, stride, length, panel, sums);
    if (rows == 4) return SumTile<T, kGates, 4>(h, stride, length, panel, sums);
  }
  if constexpr (kTileRows<T> >= 3) {
    if (rows == 3) return SumTile<T, kGates, 3>(h, stride, length, panel, sums);
    if (rows == 2) return SumTile<T, kGates, 2>(h, stride, length, panel, sums);
  }
  SumTile<T, kGates, 1>(h, stride, length, panel, sums);
}

/// One vector of units of one row: where it lies, and what enters its gates.
template <typename T>
struct Units {
  const RecurrentDirection<T>& direction;
  size_t at;       ///< in the arrays per row
  size_t unit;     ///< the first unit
  const T* sums;   ///< of the phase's gates
  const T* input;  ///< of the row's first gate, first unit of the row
  const T* previous;
  T* next;

  HWY_INLINE Vec<T> Sum(size_t gate) const { return hn::Load(Tag<T>(), sums + gate * hn::Lanes(Tag<T>())); }
  HWY_INLINE Vec<T> Input(size_t gate) const { return hn::LoadU(Tag<T>(), input + gate * direction.hidden + unit); }
  HWY_INLINE Vec<T> Bounded(Vec<T> x) const {
    const Tag<T> d;
    return vec::Clamp(hn::Set(d, -static_cast<T>(direction.clip)), hn::Set(d, static_cast<T>(direction.clip)), x);
  }
  HWY_INLINE Vec<T> Gate(size_t activation, Vec<T> x) const {
    return Activate<T>(direction.activations[activation], Bounded(x));
  }
};

struct LstmCell {
  static constexpr Phase kPhase = Phase::kLstm;
  template <typename T>
  static HWY_INLINE void Finish(const Units<T>& u) {
    const Tag<T> d;
    const RecurrentDirection<T>& direction = u.direction;
    const T* peephole = direction.peephole == nullptr ? nullptr : direction.peephole + u.unit;
    const auto peep = [&](size_t gate, Vec<T> x, Vec<T> cell) HWY_ATTR {
      return peephole == nullptr ? x : hn::MulAdd(hn::LoadU(d, peephole + gate * direction.stride), cell, x);
    };
    const Vec<T> before = hn::LoadU(d, direction.cell + u.at);
    const Vec<T> i = u.Gate(0, peep(0, hn::Add(u.Input(0), u.Sum(0)), before));
    const Vec<T> f = direction.input_forget ? hn::Sub(hn::Set(d, T{1}), i)
                                            : u.Gate(0, peep(2, hn::Add(u.Input(2), u.Sum(2)), before));
    const Vec<T> c = u.Gate(1, hn::Add(u.Input(3), u.Sum(3)));
    const Vec<T> cell = hn::MulAdd(f, before, hn::Mul(i, c));
    const Vec<T> o = u.Gate(0, peep(1, hn::Add(u.Input(1), u.Sum(1)), cell));
    hn::StoreU(cell, d, direction.cell + u.at);
    hn::StoreU(hn::Mul(o, Activate<T>(direction.activations[2], cell)), d, u.next);
  }
};

/// (1 - z) candidate + z h
template <typename T>
HWY_INLINE Vec<T> Blend(Vec<T> z, Vec<T> candidate, Vec<T> h) {
  return hn::MulAdd(z, hn::Sub(h, candidate), candidate);
}

struct GruLinearCell {
  static constexpr Phase kPhase = Phase::kGruLinear;
  template <typename T>
  static HWY_INLINE void Finish(const Units<T>& u) {
    const Tag<T> d;
    const Vec<T> z = u.Gate(0, hn::Add(u.Input(0), u.Sum(0)));
    const Vec<T> r = u.Gate(0, hn::Add(u.Input(1), u.Sum(1)));
    Vec<T> linear = u.Sum(2);
    if (u.direction.hidden_bias != nullptr) linear = hn::Add(linear, hn::LoadU(d, u.direction.hidden_bias + u.unit));
    const Vec<T> candidate = u.Gate(1, hn::MulAdd(r, linear, u.Input(2)));
    hn::StoreU(Blend<T>(z, candidate, hn::LoadU(d, u.previous)), d, u.next);
  }
};

struct GruGatesCell {
  static constexpr Phase kPhase = Phase::kGruGates;
  template <typename T>
  static HWY_INLINE void Finish(const Units<T>& u) {
    const Tag<T> d;
    hn::StoreU(u.Gate(0, hn::Add(u.Input(0), u.Sum(0))), d, u.direction.update + u.at);
    const Vec<T> r = u.Gate(0, hn::Add(u.Input(1), u.Sum(1)));
    hn::StoreU(hn::Mul(r, hn::LoadU(d, u.previous)), d, u.direction.reset + u.at);
  }
};

struct GruHiddenCell {
  static constexpr Phase kPhase = Phase::kGruHidden;
  template <typename T>
  static HWY_INLINE void Finish(const Units<T>& u) {
    const Tag<T> d;
    const Vec<T> candidate = u.Gate(1, hn::Add(u.Input(2), u.Sum(0)));
    const Vec<T> z = hn::LoadU(d, u.direction.update + u.at);
    hn::StoreU(Blend<T>(z, candidate, hn::LoadU(d, u.previous)), d, u.next);
  }
};

struct RnnCell {
  static constexpr Phase kPhase = Phase::kRnn;
  template <typename T>
  static HWY_INLINE void Finish(const Units<T>& u) {
    hn::StoreU(u.Gate(0, hn::Add(u.Input(0), u.Sum(0))), Tag<T>(), u.next);
  }
};

template <typename T, class Cell>
void RunPhase(const RecurrentDirection<T>& direction, size_t index, size_t step, Range tiles, Range blocks) {
  const Tag<T> d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kGates = kPhaseGates[static_cast<size_t>(Cell::kPhase)].count;
  constexpr bool kMakesState = Cell::kPhase != Phase::kGruGates;
  HWY_ALIGN T sums[kTileRows<T> * kGates * (HWY_MAX_BYTES / sizeof(T))];
  const size_t stride = direction.stride;
  const size_t hidden = direction.hidden;
  const T* previous = direction.state[step & 1];
  T* next = direction.state[1 - (step & 1)];
  const T* factor = Cell::kPhase == Phase::kGruHidden ? direction.reset : previous;
  const T* input = direction.input + (step - direction.first_step) * direction.batch * direction.gates * hidden;
  const size_t tile_count = (direction.batch + kTileRows<T> - 1) / kTileRows<T>;
  for (size_t i = blocks.begin; i < blocks.end; ++i) {
    // To and fro, so that a step begins with the part of R that the one before left in the cache.
    const size_t block = step % 2 == 0 ? i : blocks.end - 1 - (i - blocks.begin);
    const size_t unit = block * lanes;
    const T* panel = direction.packed[index] + unit * kGates * hidden;
    for (size_t tile = tiles.begin; tile < tiles.end; ++tile) {
      const Range rows = PartOf(direction.batch, tile_count, tile);
      SumRows<T, kGates>(rows.end - rows.begin, factor + rows.begin * stride, stride, hidden, panel, sums);
      for (size_t row = rows.begin; row < rows.end; ++row) {
        const size_t at = row * stride + unit;
        const size_t length =
            direction.lengths == nullptr ? direction.steps : static_cast<size_t>(direction.lengths[row]);
        if (step >= length) {
          if constexpr (kMakesState) hn::StoreU(hn::LoadU(d, previous + at), d, next + at);
          continue;
        }
        Cell::template Finish<T>(Units<T>{direction, at, unit, sums + (row - rows.begin) * kGates * lanes,
                                          input + row * direction.gates * hidden, previous + at, next + at});
        if (!kMakesState || direction.output == nullptr) continue;
        const size_t time = direction.reverse ? length - 1 - step : step;
        std::copy_n(next + at, std::min(lanes, hidden - unit),
                    direction.output + time * direction.output_time_stride + row * direction.output_row_stride + unit);
      }
    }
  }
}

template <typename T>
RecurrentLoops<T> MakeLoops() {
  return {hn::Lanes(Tag<T>()),
          kTileRows<T>,
          {&RunPhase<T, LstmCell>, &RunPhase<T, GruLinearCell>, &RunPhase<T, GruGatesCell>, &RunPhase<T, GruHiddenCell>,
           &RunPhase<T, RnnCell>}};
}

const RecurrentLoops<float>* FloatLoops() {
  static const RecurrentLoops<float> kLoops = MakeLoops<float>();
  return &kLoops;
}

const RecurrentLoops<double>* DoubleLoops() {
  static const RecurrentLoops<double> kLoops = MakeLoops<double>();
  return &kLoops;
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(FloatLoops);
HWY_EXPORT(DoubleLoops);

template <>
const RecurrentLoops<float>& BestRecurrentLoops() {
  return *HWY_DYNAMIC_DISPATCH(FloatLoops)();
}

template <>
const RecurrentLoops<double>& BestRecurrentLoops() {
  return *HWY_DYNAMIC_DISPATCH(DoubleLoops)();
}

template <typename T>
void PackRecurrent(const RecurrentLoops<T>& loops, Phase phase, size_t hidden, const T* r, T* packed) {
  const auto [first, gates] = kPhaseGates[static_cast<size_t>(phase)];
  const size_t lanes = loops.lanes;
  for (size_t block = 0; block < loops.Blocks(hidden); ++block) {
    const size_t unit = block * lanes;
    T* panel = packed + unit * gates * hidden;
    const size_t units = std::min(lanes, hidden - unit);
    for (size_t gate = 0; gate < gates; ++gate) {
      const T* from = r + ((first + gate) * hidden + unit) * hidden;
      for (size_t k = 0; k < hidden; ++k) {
        T* to = panel + (k * gates + gate) * lanes;
        for (size_t lane = 0; lane < units; ++lane) to[lane] = from[lane * hidden + k];
        std::fill(to + units, to + lanes, T{0});
      }
    }
  }
}

template void PackRecurrent(const RecurrentLoops<float>&, Phase, size_t, const float*, float*);
template void PackRecurrent(const RecurrentLoops<double>&, Phase, size_t, const double*, double*);

}  // namespace ortrun::cpu
#endif
