// SPDX-License-Identifier: Apache-2.0
// Operators between tensors and maps: ZipMap, DictVectorizer, CastMap.
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plugins/cpu/kernels/common/strings.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/sequence/values.h"

namespace ortrun::cpu {
namespace {

constexpr char kDomain[] = "ai.onnx.ml";
constexpr ElementType kString = ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
constexpr ElementType kInt64 = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
constexpr ElementType kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;

std::vector<int64_t> KeysOf(const Tensor& tensor, const std::vector<int64_t>&, const Host&) {
  Require(tensor.type() == kInt64, "the map's keys are no integers");
  return {tensor.data<int64_t>(), tensor.data<int64_t>() + tensor.count()};
}

std::vector<std::string> KeysOf(const Tensor& tensor, const std::vector<std::string>&, const Host& host) {
  Require(tensor.type() == kString, "the map's keys are no strings");
  return ReadStrings(host, tensor);
}

/// Every row of scores becomes a map from label to score; the labels in ascending order, as in any map.
class ZipMap : public Kernel {
 public:
  explicit ZipMap(const KernelInfo& info) {
    const std::vector<std::string> strings = info.Strings("classlabels_strings");
    const std::vector<int64_t> integers = info.Ints("classlabels_int64s");
    Require(strings.empty() != integers.empty(),
            "exactly one of classlabels_strings and classlabels_int64s must be given");
    classes_ = strings.size() + integers.size();
    Sort(strings, strings_);
    Sort(integers, integers_);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() == 1 || x.rank() == 2, "Zipmap only supports 1D or 2D input tensors, not rank ", x.rank());
    const auto width = static_cast<size_t>(x.dim(x.rank() - 1));
    Require(width == classes_, "there are ", width, " scores in a row and ", classes_, " class labels");
    const size_t rows = x.rank() == 1 ? 1 : static_cast<size_t>(x.dim(0));
    const OrtApi& api = *context.host().api;
    const auto count = static_cast<int64_t>(places_.size());
    const OwnedValue keys = Keys(context.host(), count);
    std::vector<OwnedValue> maps;
    maps.reserve(rows);
    for (size_t row = 0; row < rows; ++row) {
      const OwnedValue values = NewTensor(context.host(), kFloat, std::span(&count, 1));
      float* to = ViewOf(context.host(), values.get()).data<float>();
      const float* from = x.data<float>() + row * width;
      for (size_t i = 0; i < places_.size(); ++i) to[i] = from[places_[i]];
      const OrtValue* parts[] = {keys.get(), values.get()};
      OrtValue* made = nullptr;
      ThrowOnError(api, api.CreateValue(parts, 2, ONNX_TYPE_MAP, &made));
      maps.emplace_back(made, ReleaseValue{&api});
    }
    SetSequence(context, 0, maps);
  }

 private:
  template <typename Label>
  void Sort(const std::vector<Label>& labels, std::vector<Label>& sorted) {
    std::map<Label, size_t> place;
    for (size_t i = 0; i < labels.size(); ++i) place[labels[i]] = i;  // a repeated label has its last score
    for (const auto& [label, at] : place) {
      sorted.push_back(label);
      places_.push_back(at);
    }
  }

  OwnedValue Keys(const Host& host, int64_t count) const {
    OwnedValue keys = NewTensor(host, strings_.empty() ? kInt64 : kString, std::span(&count, 1));
    const Tensor view = ViewOf(host, keys.get());
    for (size_t i = 0; i < strings_.size(); ++i) WriteString(host, view, i, strings_[i]);
    for (size_t i = 0; i < integers_.size(); ++i) view.data<int64_t>()[i] = integers_[i];
    return keys;
  }

  size_t classes_ = 0;
  std::vector<std::string> strings_;
  std::vector<int64_t> integers_;
  std::vector<size_t> places_;  ///< of the label's score in a row
};

/// The values that a map has for the words of a vocabulary, zero or an empty text where it has none.
class DictVectorizer : public Kernel {
 public:
  explicit DictVectorizer(const KernelInfo& info)
      : strings_(info.Strings("string_vocabulary")), integers_(info.Ints("int64_vocabulary")) {
    Require(strings_.empty() != integers_.empty(),
            "exactly one of string_vocabulary and int64_vocabulary must be given");
  }

  void Compute(KernelContext& context) const override {
    strings_.empty() ? Look(context, integers_) : Look(context, strings_);
  }

 private:
  template <typename Key>
  static void Look(KernelContext& context, const std::vector<Key>& vocabulary) {
    const Host& host = context.host();
    const auto [key_part, value_part] = ReadMap(context, 0);
    const Tensor values = ViewOf(host, value_part.get());
    const std::vector<Key> keys = KeysOf(ViewOf(host, key_part.get()), vocabulary, host);
    Require(keys.size() == values.count(), "the map has ", keys.size(), " keys and ", values.count(), " values");
    std::unordered_map<Key, size_t> places;
    for (size_t i = 0; i < keys.size(); ++i) places.emplace(keys[i], i);
    const Tensor y = context.Output(0, Shape{1, static_cast<int64_t>(vocabulary.size())});
    if (!y) return;
    Require(y.type() == values.type(), "the output's element type is not that of the map's values");
    if (y.type() != kString) std::memset(y.raw(), 0, BytesOf(y.type(), y.count()));
    for (size_t i = 0; i < vocabulary.size(); ++i) {
      const auto found = places.find(vocabulary[i]);
      if (y.type() == kString) {
        WriteString(host, y, i, found == places.end() ? "" : ReadString(host, values, found->second));
      } else if (found != places.end()) {
        const size_t size = ElementSize(y.type());
        std::memcpy(y.data<char>() + i * size, values.data<char>() + found->second * size, size);
      }
    }
  }

  std::vector<std::string> strings_;
  std::vector<int64_t> integers_;
};

/// The values of a map by ascending key, each cast, side by side (dense) or at the places that the keys name (sparse).
class CastMap : public Kernel {
 public:
  explicit CastMap(const KernelInfo& info) : width_(info.Int("max_map", 1)) {
    const std::string to = info.String("cast_to", "TO_FLOAT");
    Require(to == "TO_FLOAT" || to == "TO_STRING" || to == "TO_INT64", "cast_to='", to,
            "' is not known: TO_FLOAT, TO_STRING or TO_INT64");
    type_ = to == "TO_FLOAT" ? kFloat : to == "TO_STRING" ? kString : kInt64;
    const std::string form = info.String("map_form", "DENSE");
    Require(form == "DENSE" || form == "SPARSE", "map_form='", form, "' is not known: DENSE or SPARSE");
    sparse_ = form == "SPARSE";
    Require(!sparse_ || width_ >= 1, "max_map=", width_, " must be at least 1");
  }

  void Compute(KernelContext& context) const override {
    const Host& host = context.host();
    const auto [key_part, value_part] = ReadMap(context, 0);
    const Tensor values = ViewOf(host, value_part.get());
    std::map<int64_t, size_t> places;
    for (const int64_t key : KeysOf(ViewOf(host, key_part.get()), std::vector<int64_t>(), host))
      places.emplace(key, places.size());
    Require(places.size() == values.count(), "the map has ", places.size(), " keys and ", values.count(), " values");
    const int64_t width = sparse_ ? width_ : static_cast<int64_t>(places.size());
    const Tensor y = context.Output(0, Shape{1, width});
    if (!y) return;
    Require(y.type() == type_, "the output's element type is not the one that cast_to names");
    if (type_ != kString && y.count() != 0) std::memset(y.raw(), 0, BytesOf(type_, y.count()));
    size_t next = 0;
    for (const auto& [key, place] : places) {
      Require(!sparse_ || key >= 0, "the map has the key ", key, ": in a sparse map keys are places");
      if (sparse_ && key >= width) break;
      Cast(host, values, place, y, sparse_ ? static_cast<size_t>(key) : next++);
    }
  }

 private:
  template <typename Function>
  static auto Parse(const std::string& text, const Function& function) {
    char* end = nullptr;
    errno = 0;
    const auto value = function(text.c_str(), &end);
    Require(end != text.c_str() && errno != ERANGE, "the map's value '", text, "' is no number of the output's type");
    return value;
  }

  static void Cast(const Host& host, const Tensor& from, size_t place, const Tensor& to, size_t at) {
    const bool text_given = from.type() == kString;
    Require(text_given || from.type() == kFloat, "the map's values are neither float nor string");
    const std::string text = text_given ? ReadString(host, from, place) : "";
    const float number = text_given ? 0 : from.data<float>()[place];
    if (to.type() == kString) {
      WriteString(host, to, at, text_given ? text : std::to_string(number));
    } else if (to.type() == kFloat) {
      to.data<float>()[at] = text_given ? Parse(text, std::strtof) : number;
    } else {
      const auto integer = [](const char* begin, char** end) { return std::strtoll(begin, end, 10); };
      to.data<int64_t>()[at] = text_given ? Parse(text, integer) : Truncated(number);
    }
  }

  static int64_t Truncated(float value) {
    constexpr float kLimit = 0x1p63f;
    if (std::isnan(value) || value < -kLimit) return std::numeric_limits<int64_t>::min();
    return value >= kLimit ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(value);
  }

  ElementType type_ = kFloat;
  bool sparse_ = false;
  int64_t width_;
};

}  // namespace

void RegisterMaps(KernelList& list, const Host& host) {
  list.Add({.domain = kDomain, .op = "DictVectorizer", .make = MakeKernel<DictVectorizer>});
  list.Add({.domain = kDomain, .op = "CastMap", .make = MakeKernel<CastMap>});
  if (OutputValues(host) == nullptr) return;
  list.Add({.domain = kDomain, .op = "ZipMap", .make = MakeKernel<ZipMap>});
}

}  // namespace ortrun::cpu
