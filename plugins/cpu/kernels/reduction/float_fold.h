// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ortrun::cpu {

enum class Fold { kSum, kProduct, kMax, kMin };
enum class Map { kNone, kAbs, kSquare, kExp, kMinus };

/// Folds map(x[0..n)) into one number, several vectors wide; the order of additions depends on n and the machine's
/// vector width only. `shift` is what kMinus subtracts, and is subtracted before kExp. n == 0 gives the identity of the
/// fold.
float FoldRow(Fold fold, Map map, const float* x, size_t n, float shift = 0.0f);

/// to[i] = fold(to[i], map(x[row * stride + i])) for i in [0, n) and every row in [0, rows). kExp is not served; kMinus
/// subtracts shifts[i].
void FoldColumns(Fold fold, Map map, float* to, const float* x, size_t n, size_t rows, size_t stride,
                 const float* shifts = nullptr);

/// Sum of a[i] * b[i].
float DotProduct(const float* a, const float* b, size_t n);

/// The value that folds away.
float FoldIdentity(Fold fold);

}  // namespace ortrun::cpu
