// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/rnn/recurrent_kernel.h"

#include <string>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/float_view.h"

namespace ortrun::cpu {
namespace {

enum Input : size_t { kX, kW, kR, kB, kSequenceLens, kInitialH, kInitialC, kP };

std::string Text(std::span<const int64_t> shape) {
  std::string text = "[";
  for (int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

void RequireShape(const char* name, const Tensor& tensor, const Shape& expected) {
  if (!tensor || tensor.shape() == expected) return;
  Require(false, "input ", name, " has shape ", Text(tensor.dims()), ", expected ", Text(expected.dims()));
}

/// A weight or a state: of X's element type as well.
void RequireLike(const char* name, const Tensor& tensor, const Tensor& x, const Shape& expected) {
  RequireShape(name, tensor, expected);
  Require(!tensor || tensor.type() == x.type(), "input ", name, " has element type ", static_cast<int>(tensor.type()),
          ", input X has ", static_cast<int>(x.type()));
}

}  // namespace

bool RecurrentKernel::PrePack(size_t input, const ConstantTensor& tensor) {
  const size_t directions = attributes_.reverse.size();
  if (tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || tensor.shape.size() != 3 || tensor.count == 0) return false;
  const auto rows = static_cast<size_t>(tensor.shape[1]);
  const auto columns = static_cast<size_t>(tensor.shape[2]);
  // What Compute will refuse stays as it is.
  if (static_cast<size_t>(tensor.shape[0]) != directions || rows % cell_.gates != 0) return false;
  const size_t hidden = rows / cell_.gates;
  if (input == kW) {
    const RecurrentSizes sizes{0, 0, columns, hidden, directions};
    const size_t bytes = PackedInputSize(cell_, sizes);
    packed_w_ = Pack(
        tensor, Concat("recurrent input ", directions, 'x', rows, 'x', columns), directions * bytes, [&](void* to) {
          for (size_t d = 0; d < directions; ++d)
            PackInputWeights(cell_, sizes, tensor.as<float>() + d * rows * columns, static_cast<char*>(to) + d * bytes);
        });
    return true;
  }
  if (input != kR || columns != hidden) return false;
  const size_t size = PackedRecurrentSize<float>(cell_, hidden);
  std::string form = Concat("recurrent state ", directions, 'x', rows, 'x', columns, " phases");
  for (const Phase phase : cell_.phases()) form += ' ' + std::to_string(static_cast<int>(phase));
  packed_r_ = Pack(tensor, form, directions * size * sizeof(float), [&](void* to) {
    for (size_t d = 0; d < directions; ++d)
      PackRecurrentWeights(cell_, hidden, tensor.as<float>() + d * rows * columns, static_cast<float*>(to) + d * size);
  });
  return true;
}

RecurrentSizes RecurrentKernel::CheckInputs(const KernelContext& context) const {
  const Tensor x = context.Input(kX);
  const Tensor r = context.Input(kR);
  Require(x.rank() == 3, "input X has shape ", Text(x.dims()), ", expected three dimensions");
  Require(r.rank() == 3, "input R has shape ", Text(r.dims()), ", expected three dimensions");
  const auto directions = static_cast<int64_t>(attributes_.reverse.size());
  const auto gates = static_cast<int64_t>(cell_.gates);
  const int64_t steps = x.dim(attributes_.batch_first ? 1 : 0);
  const int64_t batch = x.dim(attributes_.batch_first ? 0 : 1);
  const int64_t hidden = attributes_.hidden != 0 ? static_cast<int64_t>(attributes_.hidden) : r.dim(2);
  Require(hidden > 0, "input R has shape ", Text(r.dims()), ", which leaves no hidden unit");
  const int64_t rows = CheckedCount(std::array{gates, hidden});
  // What is made of these sizes beside the tensors themselves must fit as well.
  CheckedCount(std::array{batch, rows + 4096, directions, int64_t{256}});

  RequireLike("W", context.Input(kW), x, Shape{directions, rows, x.dim(2)});
  RequireLike("R", r, x, Shape{directions, rows, hidden});
  RequireLike("B", context.OptionalInput(kB), x, Shape{directions, 2 * rows});
  const Shape state = attributes_.batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  RequireLike("initial_h", context.OptionalInput(kInitialH), x, state);
  if (cell_.is_lstm()) {
    RequireLike("initial_c", context.OptionalInput(kInitialC), x, state);
    RequireLike("P", context.OptionalInput(kP), x, Shape{directions, 3 * hidden});
  }
  if (const Tensor lengths = context.OptionalInput(kSequenceLens)) {
    RequireShape("sequence_lens", lengths, Shape{batch});
    Require(lengths.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "input sequence_lens has element type ",
            static_cast<int>(lengths.type()), ", expected int32");
    for (size_t i = 0; i < lengths.count(); ++i) {
      const int32_t length = lengths.data<int32_t>()[i];
      Require(length >= 0 && length <= steps, "sequence_lens[", i, "] is ", length, ", outside [0, ", steps, "]");
    }
  }
  const auto size = [](int64_t value) { return static_cast<size_t>(value); };
  return {size(steps), size(batch), size(x.dim(2)), size(hidden), size(directions)};
}

void RecurrentKernel::Compute(KernelContext& context) const {
  const RecurrentSizes sizes = CheckInputs(context);
  const auto steps = static_cast<int64_t>(sizes.steps);
  const auto batch = static_cast<int64_t>(sizes.batch);
  const auto hidden = static_cast<int64_t>(sizes.hidden);
  const auto directions = static_cast<int64_t>(sizes.directions);
  const bool batch_first = attributes_.batch_first;
  const Shape state = batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  const Tensor y = context.Output(
      0, batch_first ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden});
  const size_t outputs = context.OutputCount();
  const Tensor y_h = outputs > 1 ? context.Output(1, state) : Tensor();
  const Tensor y_c = outputs > 2 ? context.Output(2, state) : Tensor();
  const Tensor lengths = context.OptionalInput(kSequenceLens);

  const auto run = [&]<typename T>(const auto& read, T* to_y, T* to_h, T* to_c) {
    RecurrentOperands<T> operands;
    operands.x = read(context.Input(kX));
    operands.w = read(context.Input(kW));
    operands.r = read(context.Input(kR));
    operands.bias = read(context.OptionalInput(kB));
    operands.lengths = lengths ? lengths.data<int32_t>() : nullptr;
    operands.initial_h = read(context.OptionalInput(kInitialH));
    if (cell_.is_lstm()) {
      operands.initial_c = read(context.OptionalInput(kInitialC));
      operands.peephole = read(context.OptionalInput(kP));
    }
    operands.y = to_y;
    operands.y_h = to_h;
    operands.y_c = to_c;
    if constexpr (std::is_same_v<T, float>) {
      operands.packed_w = packed_w_.get();
      operands.packed_r = static_cast<const float*>(packed_r_.get());
    }
    RunRecurrentLayer(context, cell_, attributes_, sizes, operands);
  };
  if (context.Input(kX).type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE) {
    const auto place = [](const Tensor& tensor) { return tensor ? tensor.data<double>() : nullptr; };
    run([](const Tensor& tensor) { return tensor ? tensor.data<const double>() : nullptr; }, place(y), place(y_h),
        place(y_c));
    return;
  }
  const FloatOutput float_y(context, y);
  const FloatOutput float_h(context, y_h);
  const FloatOutput float_c(context, y_c);
  run([&](const Tensor& tensor) { return ReadFloats(context, tensor); }, float_y.data(), float_h.data(),
      float_c.data());
  for (const FloatOutput* output : {&float_y, &float_h, &float_c}) output->Finish();
}

}  // namespace ortrun::cpu
