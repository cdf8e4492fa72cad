// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/gemm/gemm.h"

#include <limits>

#include "tests/unit/cpu/loops_testing.h"

namespace ortrun::cpu {
namespace {

enum class BForm { kPacked, kPlain, kTransposed, kPackedTransposed };

struct GemmCase {
  size_t m, n, k;
  BForm form = BForm::kPacked;
  bool transpose_a = false;
  Epilogue epilogue = {};
  float alpha = 1.0F;
  bool bias = false, row_bias = false, residual = false;
};

/// Runs the case with rows further apart than they are long, and checks each element and the gaps.
void Check(const GemmCase& c, size_t threads = 1, std::vector<float>* bits = nullptr) {
  SCOPED_TRACE("m " + std::to_string(c.m) + " n " + std::to_string(c.n) + " k " + std::to_string(c.k) + " form " +
               std::to_string(static_cast<int>(c.form)) + (c.transpose_a ? " a transposed" : "") + " activation " +
               std::to_string(static_cast<int>(c.epilogue.activation.kind)));
  const bool transposed = c.form == BForm::kTransposed || c.form == BForm::kPackedTransposed;
  const bool packed = c.form == BForm::kPacked || c.form == BForm::kPackedTransposed;
  GemmArguments g;
  g.m = c.m;
  g.n = c.n;
  g.k = c.k;
  g.alpha = c.alpha;
  g.transpose_a = c.transpose_a;
  g.lda = (c.transpose_a ? c.m : c.k) + 3;
  g.ldb = (transposed ? c.k : c.n) + 1;
  g.ldc = c.n + 2;
  // The last row ends with its last element: a read beyond it is caught by the address sanitizer.
  const auto extent = [](size_t rows, size_t columns, size_t ld) { return rows == 0 ? 0 : (rows - 1) * ld + columns; };
  const GuardedArray a(c.transpose_a ? extent(c.k, c.m, g.lda) : extent(c.m, c.k, g.lda), 1);
  const GuardedArray b(transposed ? extent(c.n, c.k, g.ldb) : extent(c.k, c.n, g.ldb), 2);
  GuardedArray out(extent(c.m, c.n, g.ldc), 3);
  const GuardedArray before = out;
  const GuardedArray bias(c.n, 4);
  const GuardedArray row_bias(c.m, 5);
  const GuardedArray residual(extent(c.m, c.n, c.n + 5), 6);
  const Parallel parallel = threads == 1 ? Parallel() : Threads(threads);
  g.a = a.data();
  g.c = out.data();
  std::vector<float> packed_b;
  if (packed) {
    packed_b.resize(PackedBSize(c.k, c.n) / sizeof(float));
    PackB(transposed, c.k, c.n, b.data(), g.ldb, packed_b.data(), parallel);
    g.packed_b = packed_b.data();
    packed_b.reserve(1);
    if (g.packed_b == nullptr) g.packed_b = &packed_b;  // empty B: never read
  } else {
    g.b = b.data();
    g.transpose_b = transposed;
  }
  g.epilogue = c.epilogue;
  if (c.bias) g.epilogue.bias = bias.data();
  if (c.row_bias) g.epilogue.row_bias = row_bias.data();
  if (c.residual) {
    g.epilogue.residual = residual.data();
    g.epilogue.residual_ld = c.n + 5;
  }
  std::vector<std::byte> scratch(GemmScratchSize(g, threads));
  Gemm(g, scratch.data(), parallel);

  for (size_t i = 0; i < c.m; ++i) {
    for (size_t j = 0; j < c.n; ++j) {
      double sum = 0;
      double magnitude = 1;
      for (size_t k = 0; k < c.k; ++k) {
        const double left = c.transpose_a ? a[k * g.lda + i] : a[i * g.lda + k];
        const double right = transposed ? b[j * g.ldb + k] : b[k * g.ldb + j];
        sum += left * right;
        magnitude += std::abs(left * right);
      }
      double value = sum * static_cast<double>(c.alpha);
      if (c.bias) value += bias[j];
      if (c.row_bias) value += row_bias[i];
      const double extra =
          c.residual ? static_cast<double>(residual[i * (c.n + 5) + j]) * static_cast<double>(c.epilogue.residual_scale)
                     : 0.0;
      if (!c.epilogue.residual_after) value += extra;
      value = ActivateReference(c.epilogue.activation, value);
      if (c.epilogue.residual_after) value += extra;
      ASSERT_NEAR(out[i * g.ldc + j], value, 1e-6 * magnitude) << "row " << i << " column " << j;
    }
    for (size_t j = c.n; j < g.ldc && i + 1 < c.m; ++j) ASSERT_EQ(out[i * g.ldc + j], before[i * g.ldc + j]);
  }
  EXPECT_TRUE(out.Intact());
  if (bits != nullptr) bits->assign(out.data(), out.data() + out.size());
}

constexpr BForm kForms[] = {BForm::kPacked, BForm::kPlain, BForm::kTransposed, BForm::kPackedTransposed};

TEST(Gemm, EveryTileHeightAndWidth) {
  ForEachTarget([] {
    for (const BForm form : kForms) {
      for (size_t m = 1; m <= 26; ++m) {
        for (const size_t n : {1, 3, 15, 16, 17, 24, 33, 48, 63, 64, 65, 100, 130}) Check({m, n, 5, form});
      }
    }
  });
}

TEST(Gemm, EmptySizes) {
  ForEachTarget([] {
    for (const BForm form : kForms) {
      GemmCase c{3, 20, 0, form};
      c.bias = true;
      Check(c);  // the epilogue of zero
      Check({0, 20, 4, form});
      Check({3, 0, 4, form});
    }
  });
}

TEST(Gemm, DepthInSeveralSlices) {
  ForEachTarget([] {
    for (const BForm form : kForms) {
      for (const size_t k : {1, 2, 31, 1023, 1024, 1025, 2500}) {
        GemmCase c{7, 50, k, form};
        c.bias = c.residual = true;
        c.epilogue.activation = {ActivationKind::kRelu};
        Check(c);
      }
    }
  });
}

TEST(Gemm, TransposedA) {
  ForEachTarget([] {
    for (const BForm form : kForms) Check({37, 41, 29, form, true});
  });
}

TEST(Gemm, Epilogues) {
  ForEachTarget([] {
    for (const BForm form : kForms) {
      for (const Activation& activation : AllActivations()) {
        for (int mask = 0; mask < 16; ++mask) {
          GemmCase c{5, 37, 9, form};
          c.epilogue.activation = activation;
          c.bias = (mask & 1) != 0;
          c.row_bias = (mask & 2) != 0;
          c.residual = (mask & 4) != 0;
          c.epilogue.residual_after = (mask & 8) != 0;
          c.epilogue.residual_scale = 0.5F;
          c.alpha = mask == 7 ? 1.0F : 0.75F;
          Check(c);
        }
      }
    }
  });
}

TEST(Gemm, OneResidualRowForAll) {
  const float a[6] = {1, 2, 3, 4, 5, 6};
  const float b[6] = {1, 0, 0, 1, 1, 1};
  const float row[2] = {10, 20};
  float out[4];
  GemmArguments g;
  g.m = g.n = 2;
  g.k = 3;
  g.a = a;
  g.lda = 3;
  g.b = b;
  g.ldb = 2;
  g.c = out;
  g.ldc = 2;
  g.epilogue.residual = row;
  Gemm(g, nullptr, Parallel());
  EXPECT_EQ(std::vector<float>(out, out + 4), (std::vector<float>{14, 25, 20, 31}));
}

TEST(Gemm, SameBitsAtAnyThreadCount) {
  ForEachTarget([] {
    for (const BForm form : kForms) {
      for (const size_t m : {1, 3, 11, 130, 400}) {
        GemmCase c{m, 390, 700, form};
        c.epilogue.activation = {ActivationKind::kGeluErf};
        std::vector<float> one;
        std::vector<float> many;
        Check(c, 1, &one);
        Check(c, 3, &many);
        EXPECT_EQ(one, many);
      }
    }
  });
}

TEST(Gemm, NanAndInfinityStay) {
  ForEachTarget([] {
    for (const Activation& activation : AllActivations()) {
      float a[2] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
      float b[1] = {1.0F};
      float out[2] = {};
      GemmArguments g;
      g.m = 2;
      g.n = g.k = g.lda = g.ldb = g.ldc = 1;
      g.a = a;
      g.b = b;
      g.c = out;
      g.epilogue.activation = activation;
      Gemm(g, nullptr, Parallel());
      EXPECT_TRUE(std::isnan(out[0])) << static_cast<int>(activation.kind);
      EXPECT_FLOAT_EQ(out[1], static_cast<float>(ActivateReference(activation, a[1])))
          << static_cast<int>(activation.kind);
    }
  });
}

TEST(Activations, SigmoidsOverTheirWholeRange) {
  ForEachTarget([] {
    std::vector<float> x;
    for (int i = -1100; i <= 1100; ++i) x.push_back(static_cast<float>(i) * 0.1F);
    for (const float value : {1e-30F, 88.3F, 88.5F, 88.8F, 1e30F}) x.insert(x.end(), {value, -value});
    for (const ActivationKind kind : {ActivationKind::kSigmoid, ActivationKind::kSilu}) {
      std::vector<float> y(x.size());
      Activate({kind}, x.data(), y.data(), x.size());
      for (size_t i = 0; i < x.size(); ++i) {
        const double want = ActivateReference({kind}, x[i]);
        EXPECT_NEAR(y[i], want, 4e-7 * std::abs(want) + 1e-35) << x[i];
      }
    }
  });
}

TEST(GemmBatch, EachProductIsThatOfGemm) {
  ForEachTarget([] {
    for (const size_t threads : {size_t{1}, size_t{3}}) {
      for (const size_t m : {2, 40}) {
        for (const bool transposed : {false, true}) {
          constexpr size_t kCount = 7;
          constexpr size_t kN = 50;
          constexpr size_t kK = 64;
          GuardedArray a(kCount * m * kK, 1);
          GuardedArray b(kCount * kN * kK, 2);
          GuardedArray c(kCount * m * kN, 3);
          GuardedArray expected(m * kN, 3);
          std::vector<const float*> as;
          std::vector<const float*> bs;
          std::vector<float*> cs;
          for (size_t i = 0; i < kCount; ++i) {
            as.push_back(a.data() + i * m * kK);
            bs.push_back(b.data() + i * kN * kK);
            cs.push_back(c.data() + i * m * kN);
          }
          GemmBatch batch;
          batch.shape.m = m;
          batch.shape.n = kN;
          batch.shape.k = kK;
          batch.shape.alpha = 0.125F;
          batch.shape.lda = kK;
          batch.shape.ldb = transposed ? kK : kN;
          batch.shape.ldc = kN;
          batch.shape.transpose_b = transposed;
          batch.count = kCount;
          batch.a = as.data();
          batch.b = bs.data();
          batch.c = cs.data();
          std::vector<std::byte> scratch(GemmBatchScratchSize(batch, threads));
          RunGemmBatch(batch, scratch.data(), threads == 1 ? Parallel() : Threads(threads));
          for (size_t i = 0; i < kCount; ++i) {
            GemmArguments g = batch.shape;
            g.a = as[i];
            g.b = bs[i];
            g.c = expected.data();
            std::vector<std::byte> space(GemmScratchSize(g, 1));
            Gemm(g, space.data(), Parallel());
            EXPECT_EQ(std::memcmp(cs[i], expected.data(), m * kN * sizeof(float)), 0) << "product " << i;
          }
          EXPECT_TRUE(c.Intact());
        }
      }
    }
  });
}

}  // namespace
}  // namespace ortrun::cpu
