// SPDX-License-Identifier: Apache-2.0
// MatMulInteger and QLinearMatMul: numpy's matmul of quantised numbers, to int32 or quantised again.
#include <algorithm>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/packed_form.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matmul_shape.h"
#include "plugins/cpu/kernels/quantization/integer_product.h"
#include "plugins/cpu/kernels/quantization/quantization.h"
#include "plugins/cpu/kernels/quantization/quantization_layout.h"
#include "plugins/cpu/kernels/quantization/quantized_rows.h"

namespace ortrun::cpu {
namespace {

using Bytes = TypeList<uint8_t, int8_t>;
constexpr size_t kRowBlock = 32;  ///< rows of a that a task widens at a time

/// Zero points or scales of one side: one for all, or one a row of a (a column of b).
template <typename T>
struct PerLine {
  const T* values = nullptr;  ///< NULL: none
  size_t step = 0;
  T At(size_t line, T otherwise) const { return values == nullptr ? otherwise : values[line * step]; }
};

size_t LineStep(const Tensor& tensor, size_t lines, const char* name) {
  if (!tensor || tensor.count() == 1) return 0;
  Require(tensor.count() == lines, "input ", name, " has ", tensor.count(), " elements, 1 or ", lines, " are served");
  return 1;
}

class IntegerMatMul : public Kernel {
 public:
  explicit IntegerMatMul(size_t b_input, size_t b_zero_input, const KernelInfo& info)
      : b_input_(b_input), b_zero_input_(b_zero_input) {
    const auto constant = info.ConstantInput(b_zero_input);
    b_zero_known_ = constant.has_value() || !info.InputType(b_zero_input).has_value();
    if (!constant) return;
    DispatchType<Bytes>(constant->type, [&]<typename T>(std::type_identity<T>) {
      b_zero_.assign(constant->as<T>(), constant->as<T>() + constant->count);
    });
  }

  /// One matrix with known zero points is packed once.
  bool PrePack(size_t input, const ConstantTensor& b) override {
    if (input != b_input_ || !b_zero_known_ || b.shape.size() != 2) return false;
    const auto k = static_cast<size_t>(b.shape[0]);
    const auto n = static_cast<size_t>(b.shape[1]);
    if (b_zero_.size() > 1 && b_zero_.size() != n) return false;  // the call says what is wrong
    std::string form = Concat("integer columns ", static_cast<int>(b.type), ' ', k, 'x', n, " less");
    for (const int32_t zero : b_zero_) form += ' ' + std::to_string(zero);
    packed_ = Pack(b, form, PackedIntegerCount(k, n) * sizeof(int16_t), [&](void* to) {
      DispatchType<Bytes>(b.type, [&]<typename T>(std::type_identity<T>) {
        PackIntegerColumns(b.as<T>(), k, n, n, b_zero_.empty() ? nullptr : b_zero_.data(), b_zero_.size() > 1 ? 1 : 0,
                           static_cast<int16_t*>(to));
      });
    });
    return true;
  }

 protected:
  /// Calls finish(sums, row of the output, row of a's matrix) for each row of the int32 product.
  template <typename Finish>
  void Multiply(KernelContext& context, const MatMulShape& shape, const Tensor& a, const Tensor& a_zero,
                const Tensor& b, const Finish& finish) const {
    const Tensor b_zero = context.OptionalInput(b_zero_input_);
    const size_t lines = a.rank() == 1 ? 1 : static_cast<size_t>(a.dim(a.rank() - 2));
    const PerLine<int32_t> a_zeros{ReadZeroPoints(context, a_zero, a_zero ? a_zero.count() : 0),
                                   LineStep(a_zero, lines, "a_zero_point")};
    const int16_t* packed = static_cast<const int16_t*>(packed_.get());
    const size_t matrix = PackedIntegerCount(shape.k, shape.n);
    if (packed == nullptr) packed = PackAll(context, shape, b, b_zero, matrix);
    const size_t length = IntegerRowLength(shape.k);
    const size_t blocks = (shape.m + kRowBlock - 1) / kRowBlock;
    const size_t tasks = shape.batches * blocks;
    const size_t workers = std::min(tasks, context.Concurrency());
    auto* wide = context.Scratch<int16_t>(workers * kRowBlock * length);
    auto* sums = context.Scratch<int32_t>(workers * kRowBlock * shape.n);
    DispatchType<Bytes>(a.type(), [&]<typename T>(std::type_identity<T>) {
      context.ParallelFor(workers, [&](size_t worker) {
        int16_t* rows = wide + worker * kRowBlock * length;
        int32_t* out = sums + worker * kRowBlock * shape.n;
        for (size_t task = tasks * worker / workers; task < tasks * (worker + 1) / workers; ++task) {
          const size_t batch = task / blocks;
          const size_t first = task % blocks * kRowBlock;
          const size_t count = std::min(kRowBlock, shape.m - first);
          const T* from = a.data<T>() + (shape.a_matrix(batch) * shape.m + first) * shape.k;
          for (size_t r = 0; r < count; ++r)
            WidenIntegerRow(from + r * shape.k, shape.k, a_zeros.At((first + r) % lines, 0), rows + r * length);
          MultiplyIntegers(rows, count, packed + shape.b_matrix(batch) * matrix, shape.k, shape.n, out, shape.n);
          for (size_t r = 0; r < count; ++r)
            finish(out + r * shape.n, batch * shape.m + first + r, (first + r) % lines);
        }
      });
    });
  }

 private:
  static const int16_t* PackAll(KernelContext& context, const MatMulShape& shape, const Tensor& b, const Tensor& b_zero,
                                size_t matrix) {
    const size_t matrices = b.count() / std::max<size_t>(1, shape.k * shape.n);
    auto* packed = context.Scratch<int16_t>(matrices * matrix);
    const int32_t* zeros = ReadZeroPoints(context, b_zero, b_zero ? b_zero.count() : 0);
    const size_t step = LineStep(b_zero, shape.n, "b_zero_point");
    DispatchType<Bytes>(b.type(), [&]<typename T>(std::type_identity<T>) {
      context.ParallelRange(matrices, 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          PackIntegerColumns(b.data<T>() + i * shape.k * shape.n, shape.k, shape.n, shape.n, zeros, step,
                             packed + i * matrix);
      });
    });
    return packed;
  }

  size_t b_input_;
  size_t b_zero_input_;
  bool b_zero_known_ = false;
  std::vector<int32_t> b_zero_;
  PackedForm packed_;
};

class MatMulInteger : public IntegerMatMul {
 public:
  explicit MatMulInteger(const KernelInfo& info) : IntegerMatMul(1, 3, info) {}

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const MatMulShape shape(a, false, b, false);
    const Tensor y = context.Output(0, shape.output);
    if (y.count() == 0) return;
    Multiply(context, shape, a, context.OptionalInput(2), b, [&](const int32_t* sums, size_t row, size_t) {
      std::copy_n(sums, shape.n, y.data<int32_t>() + row * shape.n);
    });
  }
};

class QLinearMatMul : public IntegerMatMul {
 public:
  explicit QLinearMatMul(const KernelInfo& info) : IntegerMatMul(3, 5, info) {}

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(3);
    const Tensor y_zero = context.Input(7);
    Require(context.Input(6).count() == 1 && y_zero.count() == 1, "y_scale and y_zero_point must be scalars");
    const MatMulShape shape(a, false, b, false);
    const Tensor y = context.Output(0, shape.output);
    if (y.count() == 0) return;
    const Tensor a_scale = context.Input(1);
    const Tensor b_scale = context.Input(4);
    const size_t lines = a.rank() == 1 ? 1 : static_cast<size_t>(a.dim(a.rank() - 2));
    const PerLine<float> rows{ReadFloats(context, a_scale), LineStep(a_scale, lines, "a_scale")};
    const size_t step = LineStep(b_scale, shape.n, "b_scale");
    const float* columns = ReadFloats(context, b_scale);
    const float y_scale = *ReadFloats(context, context.Input(6));
    const int32_t zero = *ReadZeroPoints(context, y_zero, 1);
    const size_t factor_count = step == 0 ? 1 : shape.n;
    float* factors = context.Scratch<float>(factor_count * lines);
    for (size_t line = 0; line < lines; ++line)
      for (size_t j = 0; j < factor_count; ++j)
        factors[line * factor_count + j] = rows.At(line, 1) * columns[j] / y_scale;
    DispatchType<Bytes>(y.type(), [&]<typename T>(std::type_identity<T>) {
      Multiply(context, shape, a, context.Input(2), b, [&](const int32_t* sums, size_t row, size_t line) {
        RequantizeRow(sums, factors + line * factor_count, step, zero, y.data<T>() + row * shape.n, shape.n);
      });
    });
  }
};

}  // namespace

void RegisterMatMulInteger(KernelList& list) {
  const auto bytes = Bytes::Values();
  list.Add(
      {.op = "MatMulInteger", .since = 10, .types = {{"T1", bytes}, {"T2", bytes}}, .make = MakeKernel<MatMulInteger>});
  list.Add({.op = "QLinearMatMul",
            .since = 10,
            .types = {{"T1", bytes}, {"T2", bytes}, {"T3", bytes}},
            .make = MakeKernel<QLinearMatMul>});
}

}  // namespace ortrun::cpu
