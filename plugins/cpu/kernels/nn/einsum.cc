// SPDX-License-Identifier: Apache-2.0
// Einsum: operands are contracted one after another, each pair as a batched matrix product.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/strided_copy.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

/// Letters are 0..51; axes under an ellipsis follow, counted from the last one.
constexpr size_t kLetters = 52;
constexpr size_t kLabels = kLetters + Shape::kMaxRank;
using LabelList = std::vector<size_t>;

/// One side of the equation for one tensor; `ellipsis` is where it stands among the labels, if it does.
struct Term {
  static constexpr size_t kNone = SIZE_MAX;
  LabelList labels;
  size_t ellipsis = kNone;
};

struct Equation {
  std::vector<Term> inputs;
  Term output;
  bool has_output = false;
};

Term ParseTerm(const std::string& text, const std::string& equation) {
  Term term;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (c >= 'a' && c <= 'z') {
      term.labels.push_back(static_cast<size_t>(c - 'a'));
    } else if (c >= 'A' && c <= 'Z') {
      term.labels.push_back(static_cast<size_t>(c - 'A') + 26);
    } else {
      Require(c == '.' && text.compare(i, 3, "...") == 0, "attribute equation=\"", equation, "\" has '", c,
              "' where a letter or an ellipsis must be");
      Require(term.ellipsis == Term::kNone, "a term of equation=\"", equation, "\" has two ellipses");
      term.ellipsis = term.labels.size();
      i += 2;
    }
  }
  return term;
}

Equation ParseEquation(const std::string& text) {
  Equation equation;
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  for (size_t begin = 0;;) {
    const size_t comma = left.find(',', begin);
    equation.inputs.push_back(ParseTerm(left.substr(begin, comma - begin), text));
    if (comma == std::string::npos) break;
    begin = comma + 1;
  }
  equation.has_output = arrow != std::string::npos;
  if (equation.has_output) equation.output = ParseTerm(text.substr(arrow + 2), text);
  return equation;
}

/// A tensor whose axes have labels, each at most once, in memory of any strides.
template <typename T>
struct Labelled {
  const T* data = nullptr;
  LabelList labels;
  std::array<int64_t, kLabels> extent{};  ///< 0: the label is not here
  std::array<int64_t, kLabels> stride{};

  bool Has(size_t label) const { return std::find(labels.begin(), labels.end(), label) != labels.end(); }
};

int64_t CountOf(const LabelList& labels, const std::array<int64_t, kLabels>& extent) {
  int64_t count = 1;
  for (size_t label : labels)
    Require(!__builtin_mul_overflow(count, extent[label], &count), "an intermediate result of Einsum is too large");
  return count;
}

/// The tensor with its axes in this order, dense.
template <typename T>
const T* Arrange(KernelContext& context, const Labelled<T>& x, const LabelList& order) {
  std::vector<int64_t> extents;
  std::vector<int64_t> strides;
  for (size_t label : order) {
    extents.push_back(x.extent[label]);
    strides.push_back(x.stride[label]);
  }
  const int64_t count = CountOf(order, x.extent);
  bool dense = true;
  for (int64_t i = static_cast<int64_t>(order.size()) - 1, step = 1; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    dense = dense && (extents[at] == 1 || strides[at] == step);
    step *= extents[at];
  }
  if (dense || count == 0) return x.data;
  T* copy = context.Scratch<T>(static_cast<size_t>(count));
  StridedCopy(context, x.data, copy, extents, strides, sizeof(T));
  return copy;
}

template <typename T>
Labelled<T> Dense(const T* data, const LabelList& labels, const std::array<int64_t, kLabels>& extent) {
  Labelled<T> result;
  result.data = data;
  result.labels = labels;
  int64_t step = 1;
  for (size_t i = labels.size(); i-- > 0;) {
    result.extent[labels[i]] = extent[labels[i]];
    result.stride[labels[i]] = step;
    step *= extent[labels[i]];
  }
  return result;
}

template <typename T>
void MultiplyMatrices(size_t m, size_t n, size_t k, const T* a, const T* b, T* c) {
  if constexpr (std::is_floating_point_v<T>) {
    Multiply(m, n, k, T{1}, MatrixView<T>{a, k, false}, MatrixView<T>{b, n, false}, T{0}, c, n);
  } else {
    using U = std::make_unsigned_t<T>;  // integers wrap
    std::fill_n(c, m * n, T{0});
    for (size_t i = 0; i < m; ++i)
      for (size_t p = 0; p < k; ++p)
        for (size_t j = 0; j < n; ++j)
          c[i * n + j] = static_cast<T>(static_cast<U>(c[i * n + j]) +
                                        static_cast<U>(a[i * k + p]) * static_cast<U>(b[p * n + j]));
  }
}

/// Sums over the labels that nobody needs any more.
template <typename T>
Labelled<T> SumOut(KernelContext& context, const Labelled<T>& x, const std::array<bool, kLabels>& needed) {
  LabelList kept;
  LabelList summed;
  for (size_t label : x.labels) (needed[label] ? kept : summed).push_back(label);
  if (summed.empty()) return x;
  LabelList order = kept;
  order.insert(order.end(), summed.begin(), summed.end());
  const T* data = Arrange(context, x, order);
  const auto rows = static_cast<size_t>(CountOf(kept, x.extent));
  const auto n = static_cast<size_t>(CountOf(summed, x.extent));
  T* sums = context.Scratch<T>(rows);
  context.ParallelRange(rows, std::max<size_t>(1, 4096 / std::max<size_t>(1, n)), [=](size_t begin, size_t end) {
    using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
    for (size_t row = begin; row < end; ++row) {
      Sum sum = 0;
      for (size_t i = 0; i < n; ++i) sum += static_cast<Sum>(data[row * n + i]);
      sums[row] = static_cast<T>(sum);
    }
  });
  return Dense<T>(sums, kept, x.extent);
}

template <typename T>
Labelled<T> Contract(KernelContext& context, const Labelled<T>& a, const Labelled<T>& b,
                     const std::array<bool, kLabels>& needed) {
  LabelList batch;
  LabelList rows;
  LabelList columns;
  LabelList inner;
  for (size_t label : a.labels) (!b.Has(label) ? rows : needed[label] ? batch : inner).push_back(label);
  for (size_t label : b.labels)
    if (!a.Has(label)) columns.push_back(label);
  const auto join = [](std::initializer_list<const LabelList*> parts) {
    LabelList all;
    for (const LabelList* part : parts) all.insert(all.end(), part->begin(), part->end());
    return all;
  };
  const T* left = Arrange(context, a, join({&batch, &rows, &inner}));
  const T* right = Arrange(context, b, join({&batch, &inner, &columns}));
  std::array<int64_t, kLabels> extent = a.extent;
  for (size_t label : columns) extent[label] = b.extent[label];
  const auto batches = static_cast<size_t>(CountOf(batch, extent));
  const auto m = static_cast<size_t>(CountOf(rows, extent));
  const auto n = static_cast<size_t>(CountOf(columns, extent));
  const auto k = static_cast<size_t>(CountOf(inner, extent));
  const LabelList labels = join({&batch, &rows, &columns});
  const auto count = static_cast<size_t>(CountOf(labels, extent));
  T* product = context.Scratch<T>(count);
  if (k == 0) std::fill_n(product, count, T{0});
  if (count != 0 && k != 0)
    context.ParallelFor(batches, [&](size_t i) {
      MultiplyMatrices(m, n, k, left + i * m * k, right + i * k * n, product + i * m * n);
    });
  return Dense<T>(product, labels, extent);
}

class Einsum : public Kernel {
 public:
  explicit Einsum(const KernelInfo& info) : text_(info.String("equation")), equation_(ParseEquation(text_)) {}

  void Compute(KernelContext& context) const override {
    const size_t inputs = context.InputCount();
    Require(inputs == equation_.inputs.size(), "attribute equation=\"", text_, "\" names ", equation_.inputs.size(),
            " operands, the node has ", inputs, " inputs");
    std::vector<LabelList> labels(inputs);
    std::array<int64_t, kLabels> extent{};
    std::array<size_t, kLabels> uses{};
    size_t broadcast = 0;  // axes under the widest ellipsis
    for (size_t i = 0; i < inputs; ++i) {
      const Tensor x = context.Input(i);
      labels[i] = LabelsOf(equation_.inputs[i], x.rank(), broadcast);
      for (size_t axis = 0; axis < labels[i].size(); ++axis) {
        int64_t& known = extent[labels[i][axis]];
        const int64_t dim = x.dim(axis);
        Require(uses[labels[i][axis]] == 0 || known == dim || known == 1 || dim == 1, "operand ", i, " has ", dim,
                " along axis ", axis, " where another has ", known, " in equation=\"", text_, "\"");
        if (uses[labels[i][axis]]++ == 0 || known == 1) known = dim;
      }
    }
    const LabelList output = OutputLabels(uses, broadcast);
    Shape shape;
    for (size_t label : output) {
      Require(uses[label] != 0, "the output of equation=\"", text_, "\" has a label that no operand has");
      Require(std::count(output.begin(), output.end(), label) == 1, "the output of equation=\"", text_,
              "\" names a label twice");
      shape.Append(extent[label]);
    }
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    DispatchType<Types>(y.type(), [&]<typename T>(std::type_identity<T>) {
      if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>) {
        const FloatOutput to(context, y);
        Run<float>(context, labels, extent, output, to.data(), y.count());
        to.Finish();
      } else {
        Run<T>(context, labels, extent, output, y.data<T>(), y.count());
      }
    });
  }

  using Types = TypeList<float, double, int32_t, int64_t, Float16, BFloat16>;

 private:
  LabelList LabelsOf(const Term& term, size_t rank, size_t& broadcast) const {
    LabelList labels = term.labels;
    Require(term.ellipsis == Term::kNone ? labels.size() == rank : labels.size() <= rank, "equation=\"", text_,
            "\" has a term of ", labels.size(), " labels for an operand of rank ", rank);
    if (term.ellipsis == Term::kNone) return labels;
    const size_t hidden = rank - labels.size();
    Require(hidden <= Shape::kMaxRank, "an operand of rank ", rank,
            " has more dimensions under the ellipsis of equation=\"", text_, "\" than the ", Shape::kMaxRank,
            " supported");
    broadcast = std::max(broadcast, hidden);
    for (size_t i = 0; i < hidden; ++i)
      labels.insert(labels.begin() + static_cast<std::ptrdiff_t>(term.ellipsis + i), kLetters + hidden - 1 - i);
    return labels;
  }

  /// Without an arrow: the ellipsis, then the letters used once, in order of the alphabet (capitals first).
  LabelList OutputLabels(const std::array<size_t, kLabels>& uses, size_t broadcast) const {
    LabelList labels;
    const auto hidden = [&] {
      for (size_t i = broadcast; i-- > 0;) labels.push_back(kLetters + i);
    };
    if (equation_.has_output) {
      for (size_t i = 0; i <= equation_.output.labels.size(); ++i) {
        if (i == equation_.output.ellipsis) hidden();
        if (i < equation_.output.labels.size()) labels.push_back(equation_.output.labels[i]);
      }
      return labels;
    }
    hidden();
    for (size_t i = 0; i < kLetters; ++i)
      if (const size_t label = (i + 26) % kLetters; uses[label] == 1) labels.push_back(label);
    return labels;
  }

  template <typename T>
  static const T* Data(KernelContext& context, const Tensor& x) {
    if constexpr (std::is_same_v<T, float>)
      return ReadFloats(context, x);
    else
      return x.data<T>();
  }

  /// The operand with each label once: repeated ones walk the diagonal, a single element that repeats has no axis.
  template <typename T>
  static Labelled<T> Operand(KernelContext& context, size_t index, const LabelList& labels,
                             const std::array<int64_t, kLabels>& extent) {
    const Tensor x = context.Input(index);
    Labelled<T> result;
    result.data = Data<T>(context, x);
    int64_t step = 1;
    for (size_t axis = labels.size(); axis-- > 0;) {
      const size_t label = labels[axis];
      if (x.dim(axis) == extent[label]) {
        if (!result.Has(label)) result.labels.insert(result.labels.begin(), label);
        result.extent[label] = extent[label];
        result.stride[label] += step;
      }
      step *= x.dim(axis);
    }
    return result;
  }

  template <typename T>
  static void Run(KernelContext& context, const std::vector<LabelList>& labels,
                  const std::array<int64_t, kLabels>& extent, const LabelList& output, T* y, size_t count) {
    std::vector<Labelled<T>> operands;
    for (size_t i = 0; i < labels.size(); ++i) operands.push_back(Operand<T>(context, i, labels[i], extent));
    const auto needed_beside = [&](size_t first, size_t second) {
      std::array<bool, kLabels> needed{};
      for (size_t label : output) needed[label] = true;
      for (size_t i = 0; i < operands.size(); ++i)
        if (i != first && i != second)
          for (size_t label : operands[i].labels) needed[label] = true;
      return needed;
    };
    for (size_t i = 0; i < operands.size(); ++i) operands[i] = SumOut(context, operands[i], needed_beside(i, i));
    while (operands.size() > 1) {
      operands[1] = Contract(context, operands[0], operands[1], needed_beside(0, 1));
      operands.erase(operands.begin());
    }
    const T* result = Arrange(context, operands[0], output);
    std::copy_n(result, count, y);
  }

  std::string text_;
  Equation equation_;
};

}  // namespace

void RegisterEinsum(KernelList& list) {
  list.Add({.op = "Einsum", .since = 12, .types = {{"T", Einsum::Types::Values()}}, .make = MakeKernel<Einsum>});
}

}  // namespace ortrun::cpu
