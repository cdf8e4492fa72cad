// SPDX-License-Identifier: Apache-2.0
// DFT and STFT. Complex numbers are a last axis of 2, real ones of 1; the real signals of an STFT may lack it.
#include <algorithm>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/signal/fourier.h"
#include "plugins/cpu/kernels/signal/signal.h"

namespace ortrun::cpu {
namespace {

using Complex = FourierTransform::Complex;

/// The value of an optional input of one integer.
int64_t ReadScalar(const Tensor& tensor, int64_t otherwise, const char* name) {
  if (!tensor) return otherwise;
  Require(tensor.count() == 1, "input ", name, " must be a scalar, it has ", tensor.count(), " elements");
  return ReadIntegers(tensor)[0];
}

template <typename T>
T FromDouble(double value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else
    return static_cast<T>(static_cast<float>(value));
}

void CheckSignal(const Tensor& x) {
  Require(x.rank() >= 2 && (x.dim(x.rank() - 1) == 1 || x.dim(x.rank() - 1) == 2),
          "the last dimension must be 1 (real) or 2 (complex) of a signal of rank 2 or more");
}

/// The work of one thread at a time: a line of the signal and what the transform needs.
struct Workspace {
  Complex* line;
  Complex* work;
};

/// Calls body(i, workspace) for each i in [0, count), on several threads.
template <typename Body>
void ForEachLine(KernelContext& context, const FourierTransform& transform, size_t count, const Body& body) {
  const size_t each = transform.length() + transform.work();
  const size_t workers = std::min(count, context.Concurrency());
  auto* memory = context.Scratch<Complex>(workers * each);
  context.ParallelFor(workers, [&](size_t worker) {
    Complex* line = memory + worker * each;
    for (size_t i = count * worker / workers; i < count * (worker + 1) / workers; ++i)
      body(i, Workspace{line, line + transform.length()});
  });
}

class Dft : public Kernel {
 public:
  explicit Dft(const KernelInfo& info)
      : axis_by_input_(info.SinceVersion() >= 20),
        axis_(axis_by_input_ ? -2 : info.Int("axis", 1)),
        inverse_(info.Int("inverse", 0) != 0),
        one_sided_(info.Int("onesided", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    CheckSignal(x);
    const int64_t wanted_axis = axis_by_input_ ? ReadScalar(context.OptionalInput(2), axis_, "axis") : axis_;
    const size_t axis = NormalizeAxis(wanted_axis, x.rank());
    Require(axis != x.rank() - 1, "the axis of a DFT must not be the last, which holds the parts of complex numbers");
    const bool to_real = inverse_ && one_sided_;  // from half of a spectrum back to a real signal
    const bool is_complex = x.dim(x.rank() - 1) == 2;
    Require(!one_sided_ || inverse_ || !is_complex, "attribute onesided=1 needs a real signal, this one is complex");
    const int64_t length =
        ReadScalar(context.OptionalInput(1), to_real ? 2 * (x.dim(axis) - 1) : x.dim(axis), "dft_length");
    Require(length >= 1, "the length of the DFT is ", length, ", it must be at least 1");
    Shape shape = x.shape();
    shape[axis] = one_sided_ && !inverse_ ? length / 2 + 1 : length;
    shape[x.rank() - 1] = to_real ? 1 : 2;
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    const FourierTransform transform(static_cast<size_t>(length), inverse_);
    const auto inner = static_cast<size_t>(x.shape().Count(axis + 1, x.rank() - 1));
    const auto lines = static_cast<size_t>(x.shape().Count(0, axis)) * inner;
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const size_t parts = is_complex ? 2 : 1;
      const auto extent = static_cast<size_t>(x.dim(axis));
      const auto out_extent = static_cast<size_t>(shape[axis]);
      const size_t out_parts = to_real ? 1 : 2;
      ForEachLine(context, transform, lines, [&](size_t i, const Workspace& own) {
        const T* from = x.data<T>() + (i / inner * extent * inner + i % inner) * parts;
        T* to = y.data<T>() + (i / inner * out_extent * inner + i % inner) * out_parts;
        Load(from, extent, inner * parts, is_complex, transform.length(), to_real, own.line);
        transform.Run(own.line, own.work);
        const double scale = inverse_ ? 1.0 / static_cast<double>(length) : 1.0;
        for (size_t k = 0; k < out_extent; ++k) {
          to[k * inner * out_parts] = FromDouble<T>(own.line[k].real() * scale);
          if (!to_real) to[k * inner * out_parts + 1] = FromDouble<T>(own.line[k].imag() * scale);
        }
      });
    });
  }

 private:
  /// Reads one line, cut or filled with zeros to n; half of a spectrum is mirrored.
  template <typename T>
  static void Load(const T* from, size_t extent, size_t step, bool is_complex, size_t n, bool mirror, Complex* line) {
    const size_t known = mirror ? n / 2 + 1 : n;
    for (size_t i = 0; i < n; ++i) {
      const size_t at = i < known ? i : n - i;
      if (at >= extent) {
        line[i] = 0;
        continue;
      }
      const double imaginary = is_complex ? static_cast<double>(from[at * step + 1]) : 0.0;
      line[i] = {static_cast<double>(from[at * step]), i < known ? imaginary : -imaginary};
    }
    // What a real signal cannot have in its spectrum is ignored.
    if (mirror) line[0] = line[0].real();
    if (mirror && n % 2 == 0) line[n / 2] = line[n / 2].real();
  }

  bool axis_by_input_;
  int64_t axis_;
  bool inverse_;
  bool one_sided_;
};

class Stft : public Kernel {
 public:
  explicit Stft(const KernelInfo& info) : one_sided_(info.Int("onesided", 1) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    // Exporters leave out the last axis of real signals.
    const bool is_bare = x.rank() == 2;
    if (!is_bare) CheckSignal(x);
    Require(is_bare || x.rank() == 3, "the signal must be [batch, length, 1 or 2] or [batch, length], it has rank ",
            x.rank());
    const Tensor window = context.OptionalInput(2);
    Require(!window || window.rank() == 1, "input window must have rank 1");
    Require(!window || window.type() == x.type(), "input window must have the signal's type");
    const int64_t step = ReadScalar(context.Input(1), 0, "frame_step");
    const int64_t length = ReadScalar(context.OptionalInput(3), window ? window.dim(0) : x.dim(1), "frame_length");
    Require(step >= 1, "input frame_step=", step, " must be at least 1");
    Require(length >= 1 && length <= x.dim(1), "frames of ", length, " do not fit a signal of ", x.dim(1));
    Require(!window || window.dim(0) == length, "input window has ", window ? window.dim(0) : 0,
            " elements for frames of ", length);
    const bool is_complex = !is_bare && x.dim(2) == 2;
    Require(!one_sided_ || !is_complex, "attribute onesided=1 needs a real signal, this one is complex");
    const int64_t frames = 1 + (x.dim(1) - length) / step;
    const int64_t bins = one_sided_ ? length / 2 + 1 : length;
    CheckedCount(Shape{x.dim(0), frames, bins, 2}.dims());
    const Tensor y = context.Output(0, Shape{x.dim(0), frames, bins, 2});
    if (y.count() == 0) return;
    const FourierTransform transform(static_cast<size_t>(length), false);
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const T* weights = window ? window.data<T>() : nullptr;
      const size_t parts = is_complex ? 2 : 1;
      const auto per_signal = static_cast<size_t>(frames);
      const auto out = static_cast<size_t>(bins);
      ForEachLine(context, transform, static_cast<size_t>(x.dim(0)) * per_signal, [&](size_t i, const Workspace& own) {
        const size_t start =
            i / per_signal * static_cast<size_t>(x.dim(1)) + i % per_signal * static_cast<size_t>(step);
        const T* from = x.data<T>() + start * parts;
        for (size_t k = 0; k < transform.length(); ++k) {
          const double weight = weights == nullptr ? 1.0 : static_cast<double>(weights[k]);
          own.line[k] = {static_cast<double>(from[k * parts]) * weight,
                         is_complex ? static_cast<double>(from[k * parts + 1]) * weight : 0.0};
        }
        transform.Run(own.line, own.work);
        T* to = y.data<T>() + i * out * 2;
        for (size_t k = 0; k < out; ++k) {
          to[2 * k] = FromDouble<T>(own.line[k].real());
          to[2 * k + 1] = FromDouble<T>(own.line[k].imag());
        }
      });
    });
  }

 private:
  bool one_sided_;
};

}  // namespace

void RegisterFourierTransforms(KernelList& list) {
  list.Add({.op = "DFT", .since = 17, .types = {{"T1", AllFloats::Values()}}, .make = MakeKernel<Dft>});
  list.Add({.op = "STFT", .since = 17, .types = {{"T1", AllFloats::Values()}}, .make = MakeKernel<Stft>});
}

}  // namespace ortrun::cpu
