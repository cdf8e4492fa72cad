// SPDX-License-Identifier: Apache-2.0
// LabelEncoder (versions 1, 2 and 4) and CategoryMapper: maps of keys to values.

#include <bit>
#include <cmath>
#include <string>
#include <unordered_map>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/ml/attributes.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/text/strings.h"

namespace ortrun::cpu {
namespace {

constexpr char kDomain[] = "ai.onnx.ml";
constexpr ElementType kString = ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;

/// A column of keys or values of one type: numbers stand as double, and as int64 where they are integers.
struct Labels {
  ElementType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::vector<std::string> strings;
  std::vector<int64_t> integers;
  std::vector<double> numbers;

  size_t size() const { return std::max({strings.size(), integers.size(), numbers.size()}); }
  bool HasIntegers() const { return !integers.empty(); }
};

/// Reads <prefix>_strings, _int64s, _floats or _tensor.
Labels ReadLabels(const KernelInfo& info, const std::string& prefix) {
  Labels labels;
  if (auto tensor = ReadTensorAttribute(info, (prefix + "_tensor").c_str())) {
    labels.type = tensor->type;
    labels.strings = std::move(tensor->strings);
    const bool integral = tensor->type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT &&
                          tensor->type != ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE && tensor->type != kString;
    if (tensor->type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64)
      labels.integers = std::move(tensor->integers);
    else if (integral)
      labels.integers.assign(tensor->numbers.begin(), tensor->numbers.end());
    else
      labels.numbers = std::move(tensor->numbers);
    return labels;
  }
  labels.strings = info.Strings((prefix + "_strings").c_str());
  labels.integers = info.Ints((prefix + "_int64s").c_str());
  const std::vector<float> floats = info.Floats((prefix + "_floats").c_str());
  labels.numbers.assign(floats.begin(), floats.end());
  const int given = !labels.strings.empty() + !labels.integers.empty() + !labels.numbers.empty();
  Require(given == 1, "exactly one of ", prefix, "_strings, ", prefix, "_int64s, ", prefix, "_floats and ", prefix,
          "_tensor must be given");
  labels.type = !labels.strings.empty()    ? kString
                : !labels.integers.empty() ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
                                           : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  return labels;
}

/// Equal numbers have equal bits here, and so do all NaNs.
uint64_t NumberKey(double value) {
  if (std::isnan(value)) return UINT64_MAX;
  return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
}

class LabelEncoder : public Kernel {
 public:
  explicit LabelEncoder(const KernelInfo& info) {
    if (info.SinceVersion() == 1) {
      ReadVersion1(info);
    } else {
      keys_ = ReadLabels(info, "keys");
      values_ = ReadLabels(info, "values");
      default_string_ = info.String("default_string", "_Unused");
      default_integer_ = info.Int("default_int64", -1);
      default_number_ = static_cast<double>(info.Float("default_float", -0.0f));
      ReadDefaultTensor(info);
    }
    Require(keys_.size() == values_.size(), "there are ", keys_.size(), " keys and ", values_.size(), " values");
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (keys_.type == kString)
        by_string_.try_emplace(keys_.strings[i], i);
      else
        by_number_.try_emplace(
            keys_.HasIntegers() ? static_cast<uint64_t>(keys_.integers[i]) : NumberKey(keys_.numbers[i]), i);
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.shape());
    size_t* places = context.Scratch<size_t>(x.count());
    if (x.type() == kString) {
      Require(keys_.type == kString, "the keys are numbers, the input strings");
      const StringInput texts(context, x);
      for (size_t i = 0; i < texts.size(); ++i) places[i] = Place(by_string_, std::string(texts[i]));
      return Write(context, values_, places, y);
    }
    if (strings_both_ways_) {  // version 1: integers are places in the list of classes
      for (size_t i = 0; i < x.count(); ++i) {
        const int64_t at = x.data<int64_t>()[i];
        places[i] = at >= 0 && at < static_cast<int64_t>(keys_.size()) ? static_cast<size_t>(at) : kNowhere;
      }
      return Write(context, keys_, places, y);
    }
    Require(keys_.type != kString, "the keys are strings, the input numbers");
    DispatchType<Numbers>(x.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      for (size_t i = 0; i < x.count(); ++i) {
        const T value = x.data<T>()[i];
        if constexpr (std::is_integral_v<T>)
          places[i] = Place(by_number_, keys_.HasIntegers() ? static_cast<uint64_t>(static_cast<int64_t>(value))
                                                            : NumberKey(static_cast<double>(value)));
        else
          places[i] = Place(by_number_, NumberKey(static_cast<double>(value)));
      }
    });
    Write(context, values_, places, y);
  }

 private:
  static constexpr size_t kNowhere = SIZE_MAX;

  void ReadVersion1(const KernelInfo& info) {
    strings_both_ways_ = true;
    keys_.type = kString;
    keys_.strings = info.Strings("classes_strings");
    values_.type = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    for (size_t i = 0; i < keys_.strings.size(); ++i) values_.integers.push_back(static_cast<int64_t>(i));
    default_string_ = info.String("default_string", "_Unused");
    default_integer_ = info.Int("default_int64", -1);
  }

  void ReadDefaultTensor(const KernelInfo& info) {
    const auto tensor = ReadTensorAttribute(info, "default_tensor");
    if (!tensor) return;
    if (!tensor->strings.empty()) default_string_ = tensor->strings[0];
    if (!tensor->numbers.empty()) {
      default_number_ = tensor->numbers[0];
      default_integer_ = tensor->integers.empty() ? static_cast<int64_t>(tensor->numbers[0]) : tensor->integers[0];
    }
  }

  template <typename Map, typename Key>
  static size_t Place(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? kNowhere : found->second;
  }

  void Write(const KernelContext& context, const Labels& labels, const size_t* places, const Tensor& y) const {
    if (y.type() == kString) {
      Require(labels.type == kString, "the values are numbers, the output strings");
      for (size_t i = 0; i < y.count(); ++i)
        WriteString(context, y, i, places[i] == kNowhere ? default_string_ : labels.strings[places[i]]);
      return;
    }
    Require(labels.type != kString, "the values are strings, the output numbers");
    DispatchType<Numbers>(y.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      for (size_t i = 0; i < y.count(); ++i) {
        const bool known = places[i] != kNowhere;
        if (labels.HasIntegers())
          y.data<T>()[i] = static_cast<T>(known ? labels.integers[places[i]] : default_integer_);
        else
          y.data<T>()[i] = static_cast<T>(known ? labels.numbers[places[i]] : default_number_);
      }
    });
  }

  Labels keys_;
  Labels values_;
  bool strings_both_ways_ = false;
  std::string default_string_;
  int64_t default_integer_ = -1;
  double default_number_ = 0;
  std::unordered_map<std::string, size_t> by_string_;
  std::unordered_map<uint64_t, size_t> by_number_;
};

/// Strings to integers or back.
class CategoryMapper : public Kernel {
 public:
  explicit CategoryMapper(const KernelInfo& info)
      : strings_(info.Strings("cats_strings")),
        integers_(info.Ints("cats_int64s")),
        default_string_(info.String("default_string", "_Unused")),
        default_integer_(info.Int("default_int64", -1)) {
    Require(strings_.size() == integers_.size(), "cats_strings has ", strings_.size(), " entries, cats_int64s ",
            integers_.size());
    for (size_t i = 0; i < strings_.size(); ++i) {
      by_string_.try_emplace(strings_[i], i);
      by_integer_.try_emplace(integers_[i], i);
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.shape());
    if (x.type() == kString) {
      const StringInput texts(context, x);
      for (size_t i = 0; i < texts.size(); ++i) {
        const auto found = by_string_.find(std::string(texts[i]));
        y.data<int64_t>()[i] = found == by_string_.end() ? default_integer_ : integers_[found->second];
      }
      return;
    }
    for (size_t i = 0; i < x.count(); ++i) {
      const auto found = by_integer_.find(x.data<int64_t>()[i]);
      WriteString(context, y, i, found == by_integer_.end() ? default_string_ : strings_[found->second]);
    }
  }

 private:
  std::vector<std::string> strings_;
  std::vector<int64_t> integers_;
  std::string default_string_;
  int64_t default_integer_;
  std::unordered_map<std::string, size_t> by_string_;
  std::unordered_map<int64_t, size_t> by_integer_;
};

}  // namespace

void RegisterLabelEncoders(KernelList& list) {
  const std::vector<ElementType> strings_and_integers = {kString, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64};
  auto labels = Numbers::Values();
  labels.push_back(kString);
  list.Add({.domain = kDomain,
            .op = "LabelEncoder",
            .since = 1,
            .types = {{"T1", labels}, {"T2", labels}},
            .make = MakeKernel<LabelEncoder>});
  list.Add({.domain = kDomain,
            .op = "CategoryMapper",
            .types = {{"T1", strings_and_integers}},
            .make = MakeKernel<CategoryMapper>});
}

}  // namespace ortrun::cpu
