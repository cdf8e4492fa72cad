// SPDX-License-Identifier: Apache-2.0
// Casts to the type that a value has, and casts of casts where the first step lost nothing and the second one cannot
// tell.
#include "core/optimizer/match.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// What numbers a type has: integers of so many bits, or floating-point numbers of so many digits and exponents.
struct Numbers {
  enum class Kind { kOther, kInteger, kFloating } kind = Kind::kOther;
  int digits = 0;        ///< binary, without the sign
  bool negative = true;  ///< has numbers below 0
  int exponent = 0;      ///< floating point: the largest one
};

Numbers NumbersOf(ElementType type) {
  using Kind = Numbers::Kind;
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return {Kind::kInteger, 1, false};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return {Kind::kInteger, 8, false};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return {Kind::kInteger, 16, false};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return {Kind::kInteger, 32, false};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return {Kind::kInteger, 64, false};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return {Kind::kInteger, 7};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return {Kind::kInteger, 15};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return {Kind::kInteger, 31};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return {Kind::kInteger, 63};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return {Kind::kFloating, 11, true, 15};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return {Kind::kFloating, 8, true, 127};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return {Kind::kFloating, 24, true, 127};
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return {Kind::kFloating, 53, true, 1023};
    default:
      return {};
  }
}

/// Whether every number of `from` is a number of `to`.
bool Widens(const Numbers& from, const Numbers& to) {
  using Kind = Numbers::Kind;
  if (from.kind == Kind::kOther || to.kind == Kind::kOther || (from.negative && !to.negative)) return false;
  if (from.kind == Kind::kInteger && to.kind == Kind::kFloating) {
    return from.digits <= to.digits && from.digits <= to.exponent;
  }
  return from.kind == to.kind && from.digits <= to.digits && from.exponent <= to.exponent;
}

/// Whether from -> between -> to is from -> to for every number, where the first step widens. Texts tell the types
/// apart, and what does not fit an integer becomes a number that depends on the type it comes from.
bool SameAsDirect(ElementType from, ElementType between, ElementType to) {
  using Kind = Numbers::Kind;
  const Numbers first = NumbersOf(from), middle = NumbersOf(between), last = NumbersOf(to);
  if (!Widens(first, middle)) return false;
  if (from == to || to == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL || last.kind == Kind::kFloating) return true;
  if (last.kind != Kind::kInteger) return false;
  return first.kind == Kind::kInteger && (middle.kind == Kind::kInteger || Widens(first, last));
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) {
    ValueInfo* input = Input(&node, 0);
    ValueInfo* output = Output(&node, 0);
    if (!node.Is("Cast") || input == nullptr || output == nullptr) return false;
    const ElementType to = TypeOf(output);
    if (to == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) return false;
    if (TypeOf(input) == to) return rewriter.Bypass(&node, input);
    Node* first = MadeBy(input, "Cast");
    ValueInfo* start = first == nullptr ? nullptr : Input(first, 0);
    if (start == nullptr || !SameAsDirect(TypeOf(start), TypeOf(input), to)) return false;
    if (TypeOf(start) == to) return rewriter.Bypass(&node, start);
    Patch patch = rewriter.Start(node);
    patch.Take(&node);
    Node* made = patch.Copy(node);
    patch.SetInput(made, 0, start);
    patch.SetOutput(made, 0, output);
    return rewriter.Apply(patch);
  });
}

}  // namespace

std::unique_ptr<Pass> MakeCastRemoval() {
  return MakePass("cast_removal", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
