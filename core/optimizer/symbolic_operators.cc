// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/symbolic_operators.h"

#include <set>

namespace ortrun {

namespace {

const std::set<std::string>& SameShapeOperators() {
  static const std::set<std::string> names = {"Abs",
                                              "Acos",
                                              "Acosh",
                                              "Asin",
                                              "Asinh",
                                              "Atan",
                                              "Atanh",
                                              "BatchNormalization",
                                              "BitwiseNot",
                                              "Cast",
                                              "Ceil",
                                              "Celu",
                                              "Clip",
                                              "Cos",
                                              "Cosh",
                                              "CumSum",
                                              "Dropout",
                                              "Elu",
                                              "Erf",
                                              "Exp",
                                              "FastGelu",
                                              "Floor",
                                              "Gelu",
                                              "GroupNormalization",
                                              "HardSigmoid",
                                              "HardSwish",
                                              "Hardmax",
                                              "Identity",
                                              "LeakyRelu",
                                              "IsInf",
                                              "IsNaN",
                                              "InstanceNormalization",
                                              "Log",
                                              "Mish",
                                              "LogSoftmax",
                                              "LayerNormalization",
                                              "Neg",
                                              "Not",
                                              "QuickGelu",
                                              "RMSNormalization",
                                              "Reciprocal",
                                              "Relu",
                                              "Round",
                                              "SimplifiedLayerNormalization",
                                              "Selu",
                                              "Shrink",
                                              "Sigmoid",
                                              "DequantizeLinear",
                                              "Sign",
                                              "Sin",
                                              "Sinh",
                                              "QuantizeLinear",
                                              "Softmax",
                                              "Softplus",
                                              "Softsign",
                                              "SkipLayerNormalization",
                                              "Sqrt",
                                              "Swish",
                                              "Tan",
                                              "SkipSimplifiedLayerNormalization",
                                              "Tanh",
                                              "Trilu",
                                              "RotaryEmbedding",
                                              "ThresholdedRelu",
                                              "BiasGelu",
                                              "LpNormalization"};
  return names;
}

const std::set<std::string>& BroadcastOperators() {
  static const std::set<std::string> names = {"Add",
                                              "Sub",
                                              "Mul",
                                              "Div",
                                              "Pow",
                                              "Max",
                                              "Min",
                                              "And",
                                              "Or",
                                              "Xor",
                                              "Equal",
                                              "Greater",
                                              "Less",
                                              "GreaterOrEqual",
                                              "Sum",
                                              "Where",
                                              "Mean",
                                              "Mod",
                                              "PRelu",
                                              "LessOrEqual",
                                              "BitShift",
                                              "BitwiseAnd",
                                              "ElementwiseChain",
                                              "BitwiseOr"};
  return names;
}

}  // namespace

bool KeepsShape(const std::string& op) { return SameShapeOperators().count(op) != 0; }

bool Broadcasts(const std::string& op) { return BroadcastOperators().count(op) != 0; }

}  // namespace ortrun
