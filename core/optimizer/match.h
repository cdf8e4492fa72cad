// SPDX-License-Identifier: Apache-2.0
#pragma once

// What passes ask of a graph. All functions accept odd graphs: omitted inputs, unknown types, values of
// outer graphs; a question that cannot be answered is answered with "no".

#include <optional>
#include <string>
#include <vector>

#include "core/optimizer/rewriter.h"

namespace ortrun {

// Questions about values.

/// The constant behind a value of this or of an outer graph, or nullptr.
const Value* ConstantOf(const ValueInfo* value);
/// The one element of a floating-point or integer constant, exact; nothing for other types or counts.
std::optional<double> ScalarOf(const ValueInfo* value);
/// The elements of an int64 or int32 constant of rank 0 or 1.
std::optional<std::vector<int64_t>> IntsOf(const ValueInfo* value);
/// The elements of a float constant with at most `limit` of them.
std::optional<std::vector<float>> FloatsOf(const ValueInfo* value, size_t limit);
/// Whether the one element is `expected`, to the last bit.
bool IsScalarOf(const ValueInfo* value, double expected);
/// Whether the constant `number` of a type is meant to be `expected`, which that type cannot hold exactly.
bool IsNear(ElementType type, double number, double expected);
/// Whether a float attribute holds the number as it is.
inline bool IsExactFloat(double number) { return static_cast<double>(static_cast<float>(number)) == number; }
/// Whether a float attribute can be this factor of elements of `type`: in double it must not be rounded, and in no type
/// may a product of factors that each were in float's range leave it.
bool IsFloatFactor(ElementType type, double number);

ElementType TypeOf(const ValueInfo* value);  ///< undefined when unknown
bool IsFloating(ElementType type);           ///< float16, bfloat16, float, double
bool IsInteger(ElementType type);            ///< of 8 to 64 bits
/// -1 when unknown.
int64_t RankOf(const ValueInfo* value);
/// -1 when unknown; a negative axis counts from the back.
int64_t DimOf(const ValueInfo* value, int64_t axis);
bool StaticShape(const ValueInfo* value, std::vector<int64_t>* dims);
/// `type` with dimensions that may be -1.
TypeInfo DenseType(ElementType type, std::vector<int64_t> dims);

/// Whether exactly one input of one node reads it, no subgraph does, and it is no graph output.
bool UsedOnce(const ValueInfo* value);
/// The node that alone reads it, or nullptr.
Node* OnlyUser(const ValueInfo* value);
/// The node of this graph that makes it when it is a call of that operator, or nullptr.
Node* MadeBy(const ValueInfo* value, const char* op, const char* domain = "");
ValueInfo* Input(const Node* node, size_t index);   ///< nullptr when omitted
ValueInfo* Output(const Node* node, size_t index);  ///< nullptr when omitted
/// The number of outputs that somebody names.
size_t OutputCount(const Node* node);

/// For a two-input node with a one-element constant: the other input and the constant.
struct ScalarOperand {
  ValueInfo* other = nullptr;
  double scalar = 0;
  size_t index = 0;  ///< of the constant
};
std::optional<ScalarOperand> WithScalar(const Node* node);

/// Axes of Squeeze, Unsqueeze and the reductions, wherever the operator's version keeps them, counted from the front of
/// a tensor of `rank`; nothing when they are not constant. Empty when the operator names none.
std::optional<std::vector<int64_t>> AxesOf(const Node* node, int64_t rank);
/// Whether perm is 0, 1, 2, ...
bool IsIdentityPerm(const std::vector<int64_t>& perm);
/// The permutation of a Transpose (the default spelled out); empty when its rank is unknown.
std::vector<int64_t> PermOf(const Node* node);

// Attributes.

void SetAttribute(Node* node, const std::string& name, int64_t value);
void SetAttribute(Node* node, const std::string& name, float value);
void SetAttribute(Node* node, const std::string& name, const std::string& value);
void SetAttribute(Node* node, const std::string& name, std::vector<int64_t> value);
void SetAttribute(Node* node, const std::string& name, std::vector<float> value);
void SetAttribute(Node* node, const std::string& name, std::vector<std::string> value);
void RemoveAttribute(Node* node, const std::string& name);

// Constants.

/// A constant of `dims` with those elements; T is the C++ type of `type`.
template <typename T>
Value MakeTensor(ElementType type, const std::vector<int64_t>& dims, const std::vector<T>& elements) {
  Value value = Value::CpuTensor(type, dims.data(), dims.size());
  T* data = static_cast<T*>(value.tensor().data);
  for (size_t i = 0; i < elements.size(); ++i) data[i] = elements[i];
  return value;
}
Value MakeInts(const std::vector<int64_t>& elements);  ///< int64, rank 1
/// One element of a floating type with rank 0; nothing for other types.
std::optional<Value> MakeScalar(ElementType type, double element);
/// The same data under other dimensions; no copy.
Value Reshaped(const Value& value, const std::vector<int64_t>& dims);

}  // namespace ortrun
