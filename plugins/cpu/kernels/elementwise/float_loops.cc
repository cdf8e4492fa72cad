// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/elementwise/float_loops.h"

#include <cmath>
#include <cstring>
#include <iterator>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/elementwise/float_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "plugins/cpu/vector/math-inl.h"

#ifndef ORTRUN_FLOAT_LOOP_TABLES
#define ORTRUN_FLOAT_LOOP_TABLES
namespace ortrun::cpu {
namespace {

struct NamedUnary {
  const char* name;
  UnaryFloatLoop loop;
};
struct NamedBinary {
  const char* name;
  BinaryFloatLoops loops;
};
/// What one instruction set offers.
struct FloatLoopTable {
  const NamedUnary* unary;
  size_t unary_count;
  const NamedBinary* binary;
  size_t binary_count;
  SelectFloatLoop select;
};

}  // namespace
}  // namespace ortrun::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace math = ortrun::cpu::vector::HWY_NAMESPACE;
namespace {

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
constexpr size_t kMaxLanes = hn::MaxLanes(Tag());

HWY_INLINE Vec Constant(float value) { return hn::Set(Tag(), value); }

/// Loads the `count` < Lanes elements at the end of an array; the other lanes hold 1, which no function minds.
HWY_INLINE Vec LoadTail(const float* from, size_t count) {
  HWY_ALIGN float lanes[kMaxLanes];
  hn::Store(Constant(1.0F), Tag(), lanes);
  for (size_t i = 0; i < count; ++i) lanes[i] = from[i];
  return hn::Load(Tag(), lanes);
}

HWY_INLINE void StoreTail(Vec value, float* to, size_t count) {
  HWY_ALIGN float lanes[kMaxLanes];
  hn::Store(value, Tag(), lanes);
  for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
}

template <typename F>
HWY_INLINE void MapUnary(const float* x, float* y, size_t count, const F& f) {
  const size_t lanes = hn::Lanes(Tag());
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(hn::LoadU(Tag(), x + i)), Tag(), y + i);
  if (i < count) StoreTail(f(LoadTail(x + i, count - i)), y + i, count - i);
}

template <typename F>
HWY_INLINE void MapBoth(const float* a, const float* b, float* y, size_t count, const F& f) {
  const size_t lanes = hn::Lanes(Tag());
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(hn::LoadU(Tag(), a + i), hn::LoadU(Tag(), b + i)), Tag(), y + i);
  if (i < count) StoreTail(f(LoadTail(a + i, count - i), LoadTail(b + i, count - i)), y + i, count - i);
}

/// Each operator is a type with a static Apply; Parameters are p0 and p1 in every lane.
struct AddOp {
  static HWY_INLINE Vec Apply(Vec a, Vec b) { return hn::Add(a, b); }
};
struct SubOp {
  static HWY_INLINE Vec Apply(Vec a, Vec b) { return hn::Sub(a, b); }
};
struct MulOp {
  static HWY_INLINE Vec Apply(Vec a, Vec b) { return hn::Mul(a, b); }
};
struct DivOp {
  static HWY_INLINE Vec Apply(Vec a, Vec b) { return hn::Div(a, b); }
};
// The first operand wins when it is NaN; the comparison is false when the second is, and then it wins.
struct MaxOp {
  static HWY_INLINE Vec Apply(Vec a, Vec b) { return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b); }
};
struct MinOp {
  static HWY_INLINE Vec Apply(Vec a, Vec b) { return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b); }
};

struct NegOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Neg(x); }
};
struct AbsOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Abs(x); }
};
struct SqrtOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Sqrt(x); }
};
struct ReciprocalOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Div(Constant(1.0F), x); }
};
struct FloorOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Floor(x); }
};
struct CeilOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Ceil(x); }
};
struct RoundOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Round(x); }
};
struct SignOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) {
    const Vec magnitude = hn::IfThenElseZero(hn::Ne(x, hn::Zero(Tag())), Constant(1.0F));
    return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(magnitude, hn::Add(x, hn::Zero(Tag()))));
  }
};
// Written so that NaN stays NaN.
struct ReluOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(Tag())), x); }
};
struct LeakyReluOp {
  static HWY_INLINE Vec Apply(Vec x, Vec alpha, Vec) {
    return hn::IfThenElse(hn::Lt(x, hn::Zero(Tag())), hn::Mul(alpha, x), x);
  }
};
struct ClipOp {
  static HWY_INLINE Vec Apply(Vec x, Vec low, Vec high) {
    const Vec raised = hn::IfThenElse(hn::Lt(x, low), low, x);
    return hn::IfThenElse(hn::Gt(raised, high), high, raised);
  }
};
struct HardSigmoidOp {
  static HWY_INLINE Vec Apply(Vec x, Vec alpha, Vec beta) {
    return ClipOp::Apply(hn::MulAdd(alpha, x, beta), hn::Zero(Tag()), Constant(1.0F));
  }
};
struct HardSwishOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) {
    return hn::Mul(x, HardSigmoidOp::Apply(x, Constant(1.0F / 6.0F), Constant(0.5F)));
  }
};
struct ExpOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return math::Exp(Tag(), x); }
};
struct LogOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return math::Log(Tag(), x); }
};
struct TanhOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return math::Tanh(Tag(), x); }
};
struct SigmoidOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return math::Sigmoid(Tag(), x); }
};
struct ErfOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return math::Erf(Tag(), x); }
};
struct SiluOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Mul(x, math::Sigmoid(Tag(), x)); }
};
struct CubeOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) { return hn::Mul(hn::Mul(x, x), x); }
};
struct QuickGeluOp {
  static HWY_INLINE Vec Apply(Vec x, Vec alpha, Vec) { return hn::Mul(x, math::Sigmoid(Tag(), hn::Mul(alpha, x))); }
};
struct GeluOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) {
    const Vec half = hn::Mul(x, Constant(0.5F));
    return hn::MulAdd(half, math::Erf(Tag(), hn::Mul(x, Constant(0.70710678F))), half);
  }
};
struct GeluTanhOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) {
    const Vec half = hn::Mul(x, Constant(0.5F));
    const Vec inner =
        hn::Mul(x, hn::MulAdd(hn::Mul(x, x), Constant(0.7978845608F * 0.044715F), Constant(0.7978845608F)));
    return hn::MulAdd(half, math::Tanh(Tag(), inner), half);
  }
};
struct EluOp {
  static HWY_INLINE Vec Apply(Vec x, Vec alpha, Vec) {
    const Vec below = hn::Mul(alpha, hn::Sub(math::Exp(Tag(), x), Constant(1.0F)));
    return hn::IfThenElse(hn::Lt(x, hn::Zero(Tag())), below, x);
  }
};
struct SoftplusOp {
  static HWY_INLINE Vec Apply(Vec x, Vec, Vec) {
    const Vec tail = math::Exp(Tag(), hn::Neg(hn::Abs(x)));
    const Vec above = hn::IfThenZeroElse(hn::Lt(x, hn::Zero(Tag())), x);
    // ln(1 + t) loses small t; its series does not.
    const Vec series = hn::Mul(tail, hn::NegMulAdd(tail, Constant(0.5F), Constant(1.0F)));
    const Vec whole = math::Log(Tag(), hn::Add(tail, Constant(1.0F)));
    return hn::Add(above, hn::IfThenElse(hn::Lt(tail, Constant(1e-3F)), series, whole));
  }
};

template <typename Op>
void UnaryLoop(const float* x, float* y, size_t count, float p0, float p1) {
  const Vec v0 = Constant(p0);
  const Vec v1 = Constant(p1);
  MapUnary(x, y, count, [&](Vec v) HWY_ATTR { return Op::Apply(v, v0, v1); });
}

template <float (*F)(float)>
void ScalarLoop(const float* x, float* y, size_t count, float, float) {
  for (size_t i = 0; i < count; ++i) y[i] = F(x[i]);
}

template <typename Op>
constexpr BinaryFloatLoops BinaryLoops() {
  return {[](const float* a, const float* b, float* y, size_t count)
              HWY_ATTR { MapBoth(a, b, y, count, [](Vec p, Vec q) HWY_ATTR { return Op::Apply(p, q); }); },
          [](const float* a, const float* b, float* y, size_t count) HWY_ATTR {
            const Vec single = Constant(*a);
            MapUnary(b, y, count, [&](Vec v) HWY_ATTR { return Op::Apply(single, v); });
          },
          [](const float* a, const float* b, float* y, size_t count) HWY_ATTR {
            const Vec single = Constant(*b);
            MapUnary(a, y, count, [&](Vec v) HWY_ATTR { return Op::Apply(v, single); });
          }};
}

void PowBoth(const float* a, const float* b, float* y, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = std::pow(a[i], b[i]);
}
void PowBase(const float* a, const float* b, float* y, size_t count) {
  const float base = *a;  // y may be a
  for (size_t i = 0; i < count; ++i) y[i] = std::pow(base, b[i]);
}
void PowExponent(const float* a, const float* b, float* y, size_t count) {
  const float power = *b;
  if (power == 2.0F) return BinaryLoops<MulOp>().both(a, a, y, count);
  if (power == 0.5F) return UnaryLoop<SqrtOp>(a, y, count, 0, 0);
  if (power == 3.0F) return UnaryLoop<CubeOp>(a, y, count, 0, 0);
  for (size_t i = 0; i < count; ++i) y[i] = std::pow(a[i], power);
}

void Select(const float* c, size_t c_step, const float* a, size_t a_step, const float* b, size_t b_step, float* y,
            size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] = c[i * c_step] != 0 ? a[i * a_step] : b[i * b_step];
}

constexpr NamedUnary kUnary[] = {
    {"Abs", UnaryLoop<AbsOp>},
    {"Ceil", UnaryLoop<CeilOp>},
    {"Clip", UnaryLoop<ClipOp>},
    {"Cos", ScalarLoop<std::cos>},
    {"Elu", UnaryLoop<EluOp>},
    {"Erf", UnaryLoop<ErfOp>},
    {"Exp", UnaryLoop<ExpOp>},
    {"Floor", UnaryLoop<FloorOp>},
    {"Gelu", UnaryLoop<GeluOp>},
    {"GeluTanh", UnaryLoop<GeluTanhOp>},
    {"HardSigmoid", UnaryLoop<HardSigmoidOp>},
    {"HardSwish", UnaryLoop<HardSwishOp>},
    {"LeakyRelu", UnaryLoop<LeakyReluOp>},
    {"Log", UnaryLoop<LogOp>},
    {"Neg", UnaryLoop<NegOp>},
    {"QuickGelu", UnaryLoop<QuickGeluOp>},
    {"Reciprocal", UnaryLoop<ReciprocalOp>},
    {"Relu", UnaryLoop<ReluOp>},
    {"Round", UnaryLoop<RoundOp>},
    {"Sigmoid", UnaryLoop<SigmoidOp>},
    {"Sign", UnaryLoop<SignOp>},
    {"Silu", UnaryLoop<SiluOp>},
    {"Sin", ScalarLoop<std::sin>},
    {"Softplus", UnaryLoop<SoftplusOp>},
    {"Sqrt", UnaryLoop<SqrtOp>},
    {"Tanh", UnaryLoop<TanhOp>},
};

const NamedBinary kBinary[] = {
    {"Add", BinaryLoops<AddOp>()}, {"Div", BinaryLoops<DivOp>()}, {"Max", BinaryLoops<MaxOp>()},
    {"Min", BinaryLoops<MinOp>()}, {"Mul", BinaryLoops<MulOp>()}, {"Pow", {PowBoth, PowBase, PowExponent}},
    {"Sub", BinaryLoops<SubOp>()},
};

}  // namespace

FloatLoopTable GetFloatLoops() { return {kUnary, std::size(kUnary), kBinary, std::size(kBinary), Select}; }

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
namespace {

HWY_EXPORT(GetFloatLoops);

const FloatLoopTable& Loops() {
  static const FloatLoopTable table = HWY_DYNAMIC_DISPATCH(GetFloatLoops)();
  return table;
}

}  // namespace

UnaryFloatLoop FindUnaryFloatLoop(std::string_view name) {
  for (size_t i = 0; i < Loops().unary_count; ++i)
    if (name == Loops().unary[i].name) return Loops().unary[i].loop;
  return nullptr;
}

const BinaryFloatLoops* FindBinaryFloatLoops(std::string_view name) {
  for (size_t i = 0; i < Loops().binary_count; ++i)
    if (name == Loops().binary[i].name) return &Loops().binary[i].loops;
  return nullptr;
}

SelectFloatLoop GetSelectFloatLoop() { return Loops().select; }

}  // namespace ortrun::cpu
#endif
