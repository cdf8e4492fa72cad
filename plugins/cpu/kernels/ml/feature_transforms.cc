// SPDX-License-Identifier: Apache-2.0
// Normalizer, Scaler, Binarizer, Imputer, FeatureVectorizer, ArrayFeatureExtractor and OneHotEncoder.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/ml/attributes.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/ml/rows.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

constexpr char kDomain[] = "ai.onnx.ml";

class Normalizer : public Kernel {
 public:
  explicit Normalizer(const KernelInfo& info) : norm_(info.String("norm", "MAX")) {
    Require(norm_ == "MAX" || norm_ == "L1" || norm_ == "L2", "norm '", norm_, "' is none of MAX, L1, L2");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    const Tensor y = context.Output(0, x.shape());
    const float* from = FeaturesAsFloats(context, x);
    context.ParallelRange(shape.rows, std::max<size_t>(1, 16384 / (shape.width + 1)), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row)
        NormalizeRowBy(from + row * shape.width, y.data<float>() + row * shape.width, shape.width);
    });
  }

 private:
  void NormalizeRowBy(const float* x, float* y, size_t n) const {
    float size = 0;
    if (norm_ == "MAX")
      size = FoldRow(Fold::kMax, Map::kNone, x, n);
    else if (norm_ == "L1")
      size = FoldRow(Fold::kSum, Map::kAbs, x, n);
    else
      size = std::sqrt(FoldRow(Fold::kSum, Map::kSquare, x, n));
    if (size == 0) size = 1;
    for (size_t i = 0; i < n; ++i) y[i] = x[i] / size;
  }

  std::string norm_;
};

/// (x - offset) * scale, each of them one number or one a column.
class Scaler : public Kernel {
 public:
  explicit Scaler(const KernelInfo& info) : offset_(info.Floats("offset")), scale_(info.Floats("scale")) {
    Require(!scale_.empty(), "scale is empty");
    Require(offset_.size() == scale_.size(), "offset has ", offset_.size(), " entries, scale ", scale_.size());
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    Require(scale_.size() == 1 || scale_.size() == shape.width, "scale has ", scale_.size(), " entries, the input ",
            shape.width, " columns");
    const Tensor y = context.Output(0, x.shape());
    const size_t step = scale_.size() == 1 ? 0 : 1;
    DispatchType<FeatureTypes>(x.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      for (size_t row = 0; row < shape.rows; ++row) {
        const T* from = x.data<T>() + row * shape.width;
        float* to = y.data<float>() + row * shape.width;
        for (size_t i = 0; i < shape.width; ++i)
          to[i] = (static_cast<float>(from[i]) - offset_[i * step]) * scale_[i * step];
      }
    });
  }

 private:
  std::vector<float> offset_;
  std::vector<float> scale_;
};

class Binarizer : public Kernel {
 public:
  explicit Binarizer(const KernelInfo& info) : threshold_(info.Float("threshold", 0.0f)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.shape());
    DispatchType<FeatureTypes>(x.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      for (size_t i = 0; i < x.count(); ++i)
        y.data<T>()[i] = static_cast<T>(static_cast<double>(x.data<T>()[i]) > static_cast<double>(threshold_) ? 1 : 0);
    });
  }

 private:
  float threshold_;
};

/// Puts a number in the place of one that stands for "missing" (often NaN).
class Imputer : public Kernel {
 public:
  explicit Imputer(const KernelInfo& info)
      : floats_(info.Floats("imputed_value_floats")),
        integers_(info.Ints("imputed_value_int64s")),
        missing_float_(info.Float("replaced_value_float", 0.0f)),
        missing_integer_(info.Int("replaced_value_int64", 0)) {
    Require(floats_.empty() != integers_.empty(),
            "exactly one of imputed_value_floats and imputed_value_int64s must be given");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const RowShape shape(x);
    const Tensor y = context.Output(0, x.shape());
    if (x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
      Fill<int64_t>(x, y, shape, integers_, [this](int64_t v) { return v == missing_integer_; });
    } else {
      Require(x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "input must be float or int64");
      const bool nan = std::isnan(missing_float_);
      Fill<float>(x, y, shape, floats_, [&](float v) { return nan ? std::isnan(v) : v == missing_float_; });
    }
  }

 private:
  template <typename T, typename Missing>
  static void Fill(const Tensor& x, const Tensor& y, const RowShape& shape, const std::vector<T>& values,
                   const Missing& missing) {
    Require(values.size() == 1 || values.size() == shape.width, "there are ", values.size(), " imputed values for ",
            shape.width, " columns of this type");
    const size_t step = values.size() == 1 ? 0 : 1;
    for (size_t i = 0; i < x.count(); ++i) {
      const T value = x.data<T>()[i];
      y.data<T>()[i] = missing(value) ? values[i % shape.width * step] : value;
    }
  }

  std::vector<float> floats_;
  std::vector<int64_t> integers_;
  float missing_float_;
  int64_t missing_integer_;
};

/// Puts the columns of all inputs side by side, as floats.
class FeatureVectorizer : public Kernel {
 public:
  explicit FeatureVectorizer(const KernelInfo& info) : dimensions_(info.Ints("inputdimensions")) {
    for (int64_t dimension : dimensions_) Require(dimension >= 0, "inputdimensions holds ", dimension);
  }

  void Compute(KernelContext& context) const override {
    const size_t inputs = context.InputCount();
    Require(inputs <= dimensions_.size(), "inputdimensions has ", dimensions_.size(), " entries for ", inputs,
            " inputs");
    int64_t width = 0;
    for (size_t i = 0; i < inputs; ++i) width += dimensions_[i];
    const size_t rows = RowShape(context.Input(0)).rows;
    const Tensor y = context.Output(0, Shape{static_cast<int64_t>(rows), width});
    std::fill_n(y.data<float>(), y.count(), 0.0f);
    size_t at = 0;
    for (size_t i = 0; i < inputs; ++i) {
      const Tensor x = context.Input(i);
      const RowShape shape(x);
      Require(shape.rows == rows, "input ", i, " has ", shape.rows, " rows, the first ", rows);
      const auto own = static_cast<size_t>(dimensions_[i]);
      const float* from = FeaturesAsFloats(context, x);
      for (size_t row = 0; row < rows; ++row)
        std::copy_n(from + row * shape.width, std::min(own, shape.width),
                    y.data<float>() + row * static_cast<size_t>(width) + at);
      at += own;
    }
  }

 private:
  std::vector<int64_t> dimensions_;
};

/// Picks columns of the last axis by index.
class ArrayFeatureExtractor : public Kernel {
 public:
  explicit ArrayFeatureExtractor(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor picks = context.Input(1);
    Require(x.rank() >= 1, "input must have at least one dimension");
    Require(picks.count() != 0, "the list of columns is empty");
    const int64_t columns = x.dim(x.rank() - 1);
    for (size_t i = 0; i < picks.count(); ++i)
      Require(picks.data<int64_t>()[i] >= 0 && picks.data<int64_t>()[i] < columns, "column ", picks.data<int64_t>()[i],
              " is outside [0, ", columns, ")");
    Shape shape;
    if (x.rank() == 1) {
      shape.Append(1);
    } else {
      for (size_t i = 0; i + 1 < x.rank(); ++i) shape.Append(x.dim(i));
    }
    shape.Append(static_cast<int64_t>(picks.count()));
    const Tensor y = context.Output(0, shape);
    const size_t rows = columns == 0 ? 0 : x.count() / static_cast<size_t>(columns);
    if (x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      const std::vector<std::string> from = ReadStrings(context.host(), x.value(), x.count());
      for (size_t i = 0; i < rows * picks.count(); ++i) {
        const size_t at = i / picks.count() * static_cast<size_t>(columns) +
                          static_cast<size_t>(picks.data<int64_t>()[i % picks.count()]);
        ThrowOnError(*context.host().api, context.host().api->FillStringTensorElement(y.value(), from[at].c_str(), i));
      }
      return;
    }
    DispatchSize(ElementSize(x.type()), [&](auto type) {
      using T = typename decltype(type)::type;
      T* to = y.data<T>();
      for (size_t row = 0; row < rows; ++row)
        for (size_t i = 0; i < picks.count(); ++i)
          *to++ = x.data<T>()[row * static_cast<size_t>(columns) + static_cast<size_t>(picks.data<int64_t>()[i])];
    });
  }
};

class OneHotEncoder : public Kernel {
 public:
  explicit OneHotEncoder(const KernelInfo& info)
      : integers_(info.Ints("cats_int64s")), strings_(info.Strings("cats_strings")), zeros_(info.Int("zeros", 1) != 0) {
    Require(integers_.empty() != strings_.empty(), "exactly one of cats_int64s and cats_strings must be given");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const size_t width = std::max(integers_.size(), strings_.size());
    Shape shape = x.shape();
    shape.Append(static_cast<int64_t>(width));
    const Tensor y = context.Output(0, shape);
    std::fill_n(y.data<float>(), y.count(), 0.0f);
    const auto mark = [&](size_t i, size_t category) {
      if (category < width)
        y.data<float>()[i * width + category] = 1.0f;
      else
        Require(zeros_, "element ", i, " is none of the known categories and zeros is 0");
    };
    if (x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
      const std::vector<std::string> values = ReadStrings(context.host(), x.value(), x.count());
      for (size_t i = 0; i < values.size(); ++i) mark(i, IndexOf(strings_, values[i]));
      return;
    }
    DispatchType<FeatureTypes>(x.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      for (size_t i = 0; i < x.count(); ++i) {
        const auto value = static_cast<double>(x.data<T>()[i]);
        // A value that no int64 can hold is no category either.
        mark(i, std::abs(value) < 9e18 ? IndexOf(integers_, static_cast<int64_t>(x.data<T>()[i])) : width);
      }
    });
  }

 private:
  template <typename T>
  static size_t IndexOf(const std::vector<T>& categories, const T& value) {
    return static_cast<size_t>(std::find(categories.begin(), categories.end(), value) - categories.begin());
  }

  std::vector<int64_t> integers_;
  std::vector<std::string> strings_;
  bool zeros_;
};

}  // namespace

void RegisterFeatureTransforms(KernelList& list) {
  const auto features = FeatureTypes::Values();
  auto with_strings = features;
  with_strings.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  list.Add({.domain = kDomain, .op = "Normalizer", .types = {{"T", features}}, .make = MakeKernel<Normalizer>});
  list.Add({.domain = kDomain, .op = "Scaler", .types = {{"T", features}}, .make = MakeKernel<Scaler>});
  list.Add({.domain = kDomain, .op = "Binarizer", .types = {{"T", features}}, .make = MakeKernel<Binarizer>});
  list.Add({.domain = kDomain,
            .op = "Imputer",
            .types = {{"T", TypeList<float, int64_t>::Values()}},
            .make = MakeKernel<Imputer>});
  list.Add({.domain = kDomain,
            .op = "FeatureVectorizer",
            .types = {{"T1", features}},
            .make = MakeKernel<FeatureVectorizer>});
  list.Add({.domain = kDomain,
            .op = "ArrayFeatureExtractor",
            .types = {{"T", with_strings}},
            .make = MakeKernel<ArrayFeatureExtractor>});
  list.Add(
      {.domain = kDomain, .op = "OneHotEncoder", .types = {{"T", with_strings}}, .make = MakeKernel<OneHotEncoder>});
}

}  // namespace ortrun::cpu
