// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace ortrun::cpu {

// Loops over float arrays, written once over vector width and chosen at load for the machine. The output may be one of
// the inputs. The names are those of the operators in `ortrun.ElementwiseChain`.

/// y[i] = f(x[i]); p0 and p1 are the operator's parameters (alpha, min ...), ignored by those that have none.
using UnaryFloatLoop = void (*)(const float* x, float* y, size_t count, float p0, float p1);

/// y[i] = f(a[i], b[i]), with `a` or `b` a single element in the other two forms.
using BinaryFloatLoop = void (*)(const float* a, const float* b, float* y, size_t count);
struct BinaryFloatLoops {
  BinaryFloatLoop both;
  BinaryFloatLoop a_single;
  BinaryFloatLoop b_single;
};

/// y[i] = c[i] != 0 ? a[i] : b[i]; an operand whose step is 0 is a single element.
using SelectFloatLoop = void (*)(const float* c, size_t c_step, const float* a, size_t a_step, const float* b,
                                 size_t b_step, float* y, size_t count);

/// Answers NULL for a name that has no loop.
UnaryFloatLoop FindUnaryFloatLoop(std::string_view name);
const BinaryFloatLoops* FindBinaryFloatLoops(std::string_view name);
SelectFloatLoop GetSelectFloatLoop();

}  // namespace ortrun::cpu
