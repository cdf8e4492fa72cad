// SPDX-License-Identifier: Apache-2.0
// MelWeightMatrix: triangles over the bins of a spectrum, spaced evenly on the mel scale.
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/signal/signal.h"

namespace ortrun::cpu {
namespace {

double ToMel(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double FromMel(double mel) { return 700 * (std::pow(10.0, mel / 2595) - 1); }

class MelWeightMatrix : public Kernel {
 public:
  explicit MelWeightMatrix(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const int64_t bands = Integer(context, 0, "num_mel_bins");
    const int64_t length = Integer(context, 1, "dft_length");
    const int64_t rate = Integer(context, 2, "sample_rate");
    const double lower = Number(context.Input(3), "lower_edge_hertz");
    const double upper = Number(context.Input(4), "upper_edge_hertz");
    Require(bands >= 1 && length >= 1 && rate >= 1,
            "num_mel_bins, dft_length and sample_rate must be 1 or more, they are ", bands, ", ", length, " and ",
            rate);
    Require(lower >= 0 && upper >= lower && std::isfinite(upper), "the edges ", lower, " and ", upper,
            " Hz must rise from 0");
    const int64_t bins = length / 2 + 1;
    CheckedCount(Shape{bins, bands}.dims());
    const double step = (ToMel(upper) - ToMel(lower)) / (static_cast<double>(bands) + 2);
    const auto edge = [&](int64_t i) {
      const double hertz = FromMel(ToMel(lower) + static_cast<double>(i) * step);
      const double bin = std::floor((static_cast<double>(length) + 1) * hertz / static_cast<double>(rate));
      Require(bin < static_cast<double>(bins), "a band reaches bin ", bin, " of a spectrum of ", bins,
              ": upper_edge_hertz must not exceed half of sample_rate");
      return static_cast<int64_t>(bin);
    };
    for (int64_t i = 0; i < bands + 2; ++i) edge(i);  // refuse before an output is made
    const Tensor y = context.Output(0, Shape{bins, bands});
    DispatchType<Types>(y.type(), [&]<typename T>(std::type_identity<T>) {
      std::fill_n(y.data<T>(), y.count(), static_cast<T>(0.0F));
      for (int64_t band = 0; band < bands; ++band) {
        const int64_t first = edge(band);
        const int64_t centre = edge(band + 1);
        const int64_t last = edge(band + 2);
        const auto set = [&](int64_t bin, int64_t part, int64_t whole) {
          const double weight = static_cast<double>(part) / static_cast<double>(whole);
          y.data<T>()[bin * bands + band] = static_cast<T>(static_cast<Wide<T>>(weight));
        };
        if (first == centre) set(centre, 1, 1);
        for (int64_t bin = first; first != centre && bin <= centre; ++bin) set(bin, bin - first, centre - first);
        for (int64_t bin = centre; bin < last; ++bin) set(bin, last - bin, last - centre);
      }
    });
  }

  using Types = NumbersAndHalf;

 private:
  template <typename T>
  using Wide = std::conditional_t<std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>, float, double>;

  static int64_t Integer(const KernelContext& context, size_t index, const char* name) {
    const Tensor tensor = context.Input(index);
    Require(tensor.count() == 1, "input ", name, " must be a scalar");
    return ReadIntegers(tensor)[0];
  }

  static double Number(const Tensor& tensor, const char* name) {
    Require(tensor.count() == 1, "input ", name, " must be a scalar");
    double value = 0;
    DispatchType<AllFloats>(tensor.type(),
                            [&]<typename T>(std::type_identity<T>) { value = static_cast<double>(*tensor.data<T>()); });
    return value;
  }
};

}  // namespace

void RegisterMelWeightMatrix(KernelList& list) {
  list.Add({.op = "MelWeightMatrix",
            .since = 17,
            .types = {{"T3", MelWeightMatrix::Types::Values()}},
            .make = MakeKernel<MelWeightMatrix>});
}

}  // namespace ortrun::cpu
