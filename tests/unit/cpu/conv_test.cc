// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/conv/conv.h"

#include <limits>
#include <stdexcept>

#include "plugins/cpu/conv/pool.h"
#include "tests/unit/cpu/loops_testing.h"

namespace ortrun::cpu {
namespace {

/// Element (b, c, y, x) of an image in either layout.
size_t At(ConvLayout layout, size_t channels, size_t height, size_t width, size_t b, size_t c, size_t y, size_t x) {
  return layout == ConvLayout::kNhwc ? ((b * height + y) * width + x) * channels + c
                                     : ((b * channels + c) * height + y) * width + x;
}

/// `tolerance` is of the sum of the products' magnitudes.
void Check(const Conv2dShape& s, const Epilogue& form = {}, bool extras = false, size_t threads = 1,
           std::vector<float>* bits = nullptr, double tolerance = 2e-6) {
  SCOPED_TRACE("layout " + std::to_string(static_cast<int>(s.layout)) + " batch " + std::to_string(s.batch) + " in " +
               std::to_string(s.in_channels) + " out " + std::to_string(s.out_channels) + " groups " +
               std::to_string(s.groups) + " image " + std::to_string(s.in_height) + "x" + std::to_string(s.in_width) +
               " kernel " + std::to_string(s.kernel_height) + "x" + std::to_string(s.kernel_width) + " stride " +
               std::to_string(s.stride_height) + "," + std::to_string(s.stride_width) + " dilation " +
               std::to_string(s.dilation_height) + "," + std::to_string(s.dilation_width) + " activation " +
               std::to_string(static_cast<int>(form.activation.kind)));
  const ConvPlan plan(s);
  const size_t oh = plan.out_height();
  const size_t ow = plan.out_width();
  const size_t ic = s.in_channels / s.groups;
  const size_t oc = s.out_channels / s.groups;
  const std::vector<float> input = RandomFloats(s.batch * s.in_channels * s.in_height * s.in_width, 1);
  const std::vector<float> weights = RandomFloats(s.out_channels * ic * s.kernel_height * s.kernel_width, 2);
  const std::vector<float> bias = RandomFloats(s.out_channels, 3);
  const std::vector<float> residual = RandomFloats(s.batch * s.out_channels * oh * ow, 4);
  GuardedArray out(s.batch * s.out_channels * oh * ow, 5);
  const Parallel parallel = threads == 1 ? Parallel() : Threads(threads);
  std::vector<std::byte> packed(plan.PackedWeightsSize());
  plan.PackWeights(weights.data(), packed.data(), parallel);
  Epilogue epilogue = form;
  if (extras) {
    epilogue.bias = bias.data();
    epilogue.residual = residual.data();
  }
  std::vector<std::byte> scratch(plan.ScratchSize(threads));
  plan.Run(input.data(), packed.data(), out.data(), epilogue, scratch.data(), parallel);
  for (size_t b = 0; b < s.batch; ++b) {
    for (size_t c = 0; c < s.out_channels; ++c) {
      for (size_t y = 0; y < oh; ++y) {
        for (size_t x = 0; x < ow; ++x) {
          double sum = 0;
          double magnitude = 1;
          for (size_t k = 0; k < ic; ++k) {
            for (size_t ky = 0; ky < s.kernel_height; ++ky) {
              for (size_t kx = 0; kx < s.kernel_width; ++kx) {
                const size_t iy = y * s.stride_height + ky * s.dilation_height - s.pad_top;
                const size_t ix = x * s.stride_width + kx * s.dilation_width - s.pad_left;
                if (iy >= s.in_height || ix >= s.in_width) continue;
                const double product =
                    static_cast<double>(
                        input[At(s.layout, s.in_channels, s.in_height, s.in_width, b, c / oc * ic + k, iy, ix)]) *
                    static_cast<double>(weights[((c * ic + k) * s.kernel_height + ky) * s.kernel_width + kx]);
                sum += product;
                magnitude += std::abs(product);
              }
            }
          }
          const size_t at = At(s.layout, s.out_channels, oh, ow, b, c, y, x);
          if (extras) sum += bias[c];
          const double extra =
              extras ? static_cast<double>(residual[at]) * static_cast<double>(form.residual_scale) : 0;
          if (!form.residual_after) sum += extra;
          double value = ActivateReference(form.activation, sum);
          if (form.residual_after) value += extra;
          ASSERT_NEAR(out[at], value, tolerance * magnitude) << "b " << b << " c " << c << " y " << y << " x " << x;
        }
      }
    }
  }
  EXPECT_TRUE(out.Intact());
  if (bits != nullptr) bits->assign(out.data(), out.data() + out.size());
}

Conv2dShape Shape(ConvLayout layout, size_t in, size_t out, size_t image, size_t kernel, size_t stride, size_t pad,
                  size_t groups = 1) {
  Conv2dShape s;
  s.layout = layout;
  s.in_channels = in;
  s.out_channels = out;
  s.groups = groups;
  s.in_height = image;
  s.in_width = image;
  s.kernel_height = s.kernel_width = kernel;
  s.stride_height = s.stride_width = stride;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = pad;
  return s;
}

constexpr ConvLayout kLayouts[] = {ConvLayout::kNhwc, ConvLayout::kNchw};

TEST(Conv, ChannelsKernelsStridesPads) {
  ForEachTarget([] {
    for (const ConvLayout layout : kLayouts) {
      for (const size_t in : {1, 3, 4, 17, 40}) {
        for (const size_t out : {1, 3, 16, 24, 70}) {
          for (const size_t kernel : {1, 2, 3, 5}) {
            for (const size_t stride : {1, 2}) {
              for (const size_t pad : {size_t{0}, kernel / 2}) Check(Shape(layout, in, out, 7, kernel, stride, pad));
            }
          }
        }
      }
    }
  });
}

TEST(Conv, UnevenGeometry) {
  ForEachTarget([] {
    for (const ConvLayout layout : kLayouts) {
      for (const size_t groups : {1, 2, 20}) {
        Conv2dShape s = Shape(layout, 20, 20, 0, 1, 1, 0, groups);
        s.batch = 2;
        s.in_height = 9;
        s.in_width = 13;
        s.kernel_height = 3;
        s.kernel_width = 4;
        s.stride_height = 1;
        s.stride_width = 3;
        s.dilation_height = 2;
        s.dilation_width = 2;
        s.pad_top = 4;
        s.pad_left = 1;
        s.pad_bottom = 0;
        s.pad_right = 5;
        Check(s);
      }
      Conv2dShape line = Shape(layout, 6, 10, 1, 1, 1, 0);
      line.in_width = 50;
      line.kernel_width = 9;
      line.pad_left = 8;
      Check(line);
      Conv2dShape all_padding = Shape(layout, 18, 4, 1, 3, 1, 3);
      Check(all_padding);
    }
  });
}

TEST(Conv, Depthwise) {
  ForEachTarget([] {
    for (const ConvLayout layout : kLayouts) {
      for (const size_t channels : {2, 16, 19, 48}) {
        for (const size_t kernel : {1, 2, 3, 5, 7}) {
          for (const size_t stride : {1, 2, 3}) {
            for (const size_t pad : {size_t{0}, kernel / 2, kernel}) {
              Check(Shape(layout, channels, channels, 10, kernel, stride, pad, channels));
            }
          }
        }
      }
      Check(Shape(layout, 6, 12, 8, 3, 1, 1, 6));  // two filters a channel
    }
  });
}

TEST(Conv, Epilogues) {
  ForEachTarget([] {
    for (const ConvLayout layout : kLayouts) {
      for (const size_t groups : {1, 2, 18}) {
        for (const Activation& activation : AllActivations()) {
          for (const bool after : {false, true}) {
            Epilogue epilogue;
            epilogue.activation = activation;
            epilogue.residual_after = after;
            epilogue.residual_scale = 0.5F;
            Check(Shape(layout, 18, 18, 6, 3, 1, 1, groups), epilogue, true);
          }
        }
      }
    }
  });
}

TEST(Conv, DepthInSeveralSlices) {
  ForEachTarget([] {
    for (const ConvLayout layout : kLayouts) {
      Epilogue epilogue;
      epilogue.activation = {ActivationKind::kRelu};
      Check(Shape(layout, 300, 20, 5, 3, 1, 1), epilogue, true);
      Check(Shape(layout, 1100, 20, 3, 1, 1, 0), epilogue, true);
    }
  });
}

TEST(Conv, SameBitsAtAnyThreadCount) {
  ForEachTarget([] {
    for (const ConvLayout layout : kLayouts) {
      for (const Conv2dShape& s : {Shape(layout, 3, 40, 40, 7, 2, 3), Shape(layout, 64, 150, 14, 3, 1, 1),
                                   Shape(layout, 300, 200, 7, 1, 1, 0), Shape(layout, 96, 96, 30, 3, 1, 1, 96)}) {
        std::vector<float> one;
        std::vector<float> many;
        Check(s, {}, true, 1, &one);
        Check(s, {}, true, 3, &many);
        EXPECT_EQ(one, many);
      }
    }
  });
}

/// An image whose 3 x 3 convolution, padded by 1, goes by tiles of `tile`.
Conv2dShape TiledShape(size_t tile, size_t in, size_t out, size_t batch, size_t height, size_t width) {
  Conv2dShape s = Shape(ConvLayout::kNhwc, in, out, 0, 3, 1, 1);
  s.batch = batch;
  s.in_height = height;
  s.in_width = width;
  EXPECT_EQ(ConvPlan(s).weights_form(), tile == 2 ? ConvPlan::WeightsForm::kTiles2 : ConvPlan::WeightsForm::kTiles4);
  return s;
}

/// A tile adds and takes away the products of its other outputs too.
constexpr double kTileTolerance = 1e-5;

TEST(Conv, TilesOfEverySize) {
  ForEachTarget([] {
    for (const size_t threads : {1, 3}) {
      for (const size_t rest : {0, 1, 2, 3}) {
        for (const size_t channels : {16, 21, 40}) {
          Check(TiledShape(4, channels, 61 - channels, 1, 24 + rest, 28 + 3 * rest), {}, true, threads, nullptr,
                kTileTolerance);
          Check(TiledShape(4, channels, 61 - channels, 5, 9 + rest, 12 - rest), {}, true, threads, nullptr,
                kTileTolerance);
          Check(TiledShape(2, channels, 61 - channels, 1, 14 - rest, 17 + rest), {}, true, threads, nullptr,
                kTileTolerance);
          Check(TiledShape(2, channels, 61 - channels, 7, 5, 5 + rest % 2), {}, true, threads, nullptr, kTileTolerance);
        }
      }
    }
  });
}

TEST(Conv, TilesWithUnevenPads) {
  ForEachTarget([] {
    for (const size_t pad : {0, 2, 5}) {
      Conv2dShape s = Shape(ConvLayout::kNhwc, 18, 19, 0, 3, 1, 0);
      s.in_height = 25;
      s.in_width = 30;
      s.pad_top = pad;
      s.pad_right = pad + 1;
      ASSERT_EQ(ConvPlan(s).weights_form(), ConvPlan::WeightsForm::kTiles4);
      Check(s, {}, false, 1, nullptr, kTileTolerance);
      s.in_height = 11;
      s.in_width = 16;
      ASSERT_EQ(ConvPlan(s).weights_form(), ConvPlan::WeightsForm::kTiles2);
      Check(s, {}, false, 1, nullptr, kTileTolerance);
    }
  });
}

TEST(Conv, EpiloguesOfTiles) {
  ForEachTarget([] {
    for (const size_t tile : {2, 4}) {
      const size_t side = tile == 2 ? 13 : 25;
      for (const Activation& activation : AllActivations()) {
        for (const bool after : {false, true}) {
          Epilogue epilogue;
          epilogue.activation = activation;
          Check(TiledShape(tile, 16, 19, 1, side, side), epilogue, false, 1, nullptr, kTileTolerance);
          epilogue.residual_after = after;
          epilogue.residual_scale = 0.5F;
          Check(TiledShape(tile, 16, 19, 1, side, side), epilogue, true, 2, nullptr, kTileTolerance);
        }
      }
    }
  });
}

TEST(Conv, SameBitsOfTilesAtAnyThreadCount) {
  ForEachTarget([] {
    for (const Conv2dShape& s : {TiledShape(2, 70, 33, 2, 13, 14), TiledShape(4, 33, 70, 2, 30, 31)}) {
      std::vector<float> one;
      std::vector<float> many;
      Check(s, {}, true, 1, &one, kTileTolerance);
      for (const size_t threads : {2, 5}) {
        Check(s, {}, true, threads, &many, kTileTolerance);
        EXPECT_EQ(one, many);
      }
    }
  });
}

TEST(Conv, EmptyBatch) {
  for (const ConvLayout layout : kLayouts) {
    for (const size_t groups : {1, 4}) {
      Conv2dShape s = Shape(layout, 4, 4, 5, 3, 1, 1, groups);
      s.batch = 0;
      Check(s, {}, true, 2);
    }
  }
}

TEST(Conv, ImpossibleShapesAreRefused) {
  const Conv2dShape good = Shape(ConvLayout::kNhwc, 6, 6, 5, 3, 1, 1);
  EXPECT_NO_THROW(ConvPlan{good});
  const auto refuse = [&](auto change) {
    Conv2dShape bad = good;
    change(bad);
    EXPECT_THROW(ConvPlan{bad}, std::invalid_argument);
  };
  refuse([](Conv2dShape& s) { s.groups = 0; });
  refuse([](Conv2dShape& s) { s.groups = 4; });
  refuse([](Conv2dShape& s) { s.in_channels = 0; });
  refuse([](Conv2dShape& s) { s.out_channels = 0; });
  refuse([](Conv2dShape& s) { s.kernel_width = 0; });
  refuse([](Conv2dShape& s) { s.kernel_width = 8; });
  refuse([](Conv2dShape& s) { s.stride_height = 0; });
  refuse([](Conv2dShape& s) { s.dilation_height = 0; });
  refuse([](Conv2dShape& s) { s.dilation_height = std::numeric_limits<size_t>::max(); });
  refuse([](Conv2dShape& s) { s.pad_left = std::numeric_limits<size_t>::max(); });
  refuse([](Conv2dShape& s) { s.batch = std::numeric_limits<size_t>::max(); });
  refuse([](Conv2dShape& s) { s.out_channels = size_t{1} << 47; });
}

void CheckPool(PoolKind kind, const Pool2dShape& s, size_t threads) {
  SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)) + " layout " +
               std::to_string(static_cast<int>(s.layout)) + " channels " + std::to_string(s.channels) + " kernel " +
               std::to_string(s.kernel_height) + " stride " + std::to_string(s.stride_width));
  const GuardedArray input(s.batch * s.channels * s.in_height * s.in_width, 1);
  GuardedArray out(s.batch * s.channels * s.out_height * s.out_width, 2);
  Pool2d(kind, s, input.data(), out.data(), threads == 1 ? Parallel() : Threads(threads));
  for (size_t b = 0; b < s.batch; ++b) {
    for (size_t c = 0; c < s.channels; ++c) {
      for (size_t y = 0; y < s.out_height; ++y) {
        for (size_t x = 0; x < s.out_width; ++x) {
          double sum = 0;
          double most = -std::numeric_limits<double>::infinity();
          size_t inside = 0;
          size_t padded = 0;
          for (size_t ky = 0; ky < s.kernel_height; ++ky) {
            for (size_t kx = 0; kx < s.kernel_width; ++kx) {
              const size_t py = y * s.stride_height + ky * s.dilation_height;
              const size_t px = x * s.stride_width + kx * s.dilation_width;
              if (py < s.in_height + s.pad_top + s.pad_bottom && px < s.in_width + s.pad_left + s.pad_right) ++padded;
              const size_t iy = py - s.pad_top;
              const size_t ix = px - s.pad_left;
              if (iy >= s.in_height || ix >= s.in_width) continue;
              ++inside;
              const double value = input[At(s.layout, s.channels, s.in_height, s.in_width, b, c, iy, ix)];
              sum += value;
              most = std::max(most, value);
            }
          }
          const size_t counted = kind == PoolKind::kAverageWithPad ? padded : inside;
          const double expected = kind == PoolKind::kMax ? most : inside == 0 ? 0 : sum / static_cast<double>(counted);
          const double got = out[At(s.layout, s.channels, s.out_height, s.out_width, b, c, y, x)];
          if (std::isinf(expected)) {
            ASSERT_EQ(got, expected);
          } else {
            ASSERT_NEAR(got, expected, 1e-6) << "b " << b << " c " << c << " y " << y << " x " << x;
          }
        }
      }
    }
  }
  EXPECT_TRUE(out.Intact());
}

TEST(Pool, WindowsStridesPads) {
  ForEachTarget([] {
    for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage, PoolKind::kAverageWithPad}) {
      for (const ConvLayout layout : kLayouts) {
        for (const size_t channels : {1, 16, 21}) {
          for (const size_t kernel : {1, 2, 3, 4}) {
            for (const size_t stride : {1, 2, 3}) {
              for (const size_t dilation : {1, 2}) {
                Pool2dShape s;
                s.layout = layout;
                s.batch = 2;
                s.channels = channels;
                s.in_height = 9;
                s.in_width = 70;
                s.kernel_height = s.kernel_width = kernel;
                s.stride_height = s.stride_width = stride;
                s.dilation_height = s.dilation_width = dilation;
                s.pad_top = s.pad_left = kernel / 2;
                s.pad_bottom = s.pad_right = kernel - 1;
                const size_t reach = dilation * (kernel - 1) + 1;
                // Rounded up: the last window may hang over.
                s.out_height = (9 + s.pad_top + s.pad_bottom - reach + stride - 1) / stride + 1;
                s.out_width = (70 + s.pad_left + s.pad_right - reach + stride - 1) / stride + 1;
                CheckPool(kind, s, 1 + channels % 2);
              }
            }
          }
        }
      }
    }
  });
}

TEST(Pool, Global) {
  ForEachTarget([] {
    for (const PoolKind kind : {PoolKind::kMax, PoolKind::kAverage}) {
      for (const ConvLayout layout : kLayouts) {
        for (const size_t channels : {1, 16, 200}) {
          for (const size_t pixels : {1, 49, 300}) {
            const GuardedArray input(2 * channels * pixels, 1);
            GuardedArray out(2 * channels, 2);
            GlobalPool(kind, layout, 2, channels, pixels, input.data(), out.data(), Threads(2));
            for (size_t b = 0; b < 2; ++b) {
              for (size_t c = 0; c < channels; ++c) {
                double sum = 0;
                double most = -2;
                for (size_t p = 0; p < pixels; ++p) {
                  const double value = input[At(layout, channels, 1, pixels, b, c, 0, p)];
                  sum += value;
                  most = std::max(most, value);
                }
                const double expected = kind == PoolKind::kMax ? most : sum / static_cast<double>(pixels);
                ASSERT_NEAR(out[b * channels + c], expected, 1e-6) << "b " << b << " c " << c;
              }
            }
            EXPECT_TRUE(out.Intact());
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace ortrun::cpu
