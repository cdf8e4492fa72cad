// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/image/resize_geometry.h"

#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {
namespace {

constexpr double kLargestAxis = 0x1p62;

/// One of the named values of a string attribute; `names` are pairs of name and value.
template <typename T, size_t N>
T Choose(const KernelInfo& info, const char* attribute, const char* otherwise,
         const std::pair<const char*, T> (&names)[N]) {
  const std::string given = info.String(attribute, otherwise);
  std::string known;
  for (const auto& [name, value] : names) {
    if (given == name) return value;
    known += Concat(known.empty() ? "" : ", ", name);
  }
  throw Error(ORT_INVALID_ARGUMENT, Concat("attribute ", attribute, "=\"", given, "\" is none of ", known));
}

}  // namespace

ResizeGeometry::ResizeGeometry(const KernelInfo& info) : is_upsample_(info.OperatorType() == "Upsample") {
  const int version = info.SinceVersion();
  rules_.mode = Choose<ResizeMode>(info, "mode", "nearest",
                                   {{"nearest", ResizeMode::kNearest},
                                    {"linear", ResizeMode::kLinear},
                                    {"bilinear", ResizeMode::kLinear},  // until version 7
                                    {"cubic", ResizeMode::kCubic}});
  if (is_upsample_ || version < 11) {
    Require(rules_.mode != ResizeMode::kCubic, "attribute mode=\"cubic\" needs Resize of version 11");
    has_scales_attribute_ = is_upsample_ && version < 9;
    scales_ = info.Floats("scales");
    return;
  }
  roi_input_ = 1;
  scales_input_ = 2;
  sizes_input_ = 3;
  rules_.coordinates = Choose<CoordinateMode>(info, "coordinate_transformation_mode", "half_pixel",
                                              {{"half_pixel", CoordinateMode::kHalfPixel},
                                               {"half_pixel_symmetric", CoordinateMode::kHalfPixelSymmetric},
                                               {"pytorch_half_pixel", CoordinateMode::kPytorchHalfPixel},
                                               {"align_corners", CoordinateMode::kAlignCorners},
                                               {"asymmetric", CoordinateMode::kAsymmetric},
                                               {"tf_half_pixel_for_nn", CoordinateMode::kTfHalfPixelForNn},
                                               {"tf_crop_and_resize", CoordinateMode::kTfCropAndResize}});
  rules_.nearest = Choose<NearestMode>(info, "nearest_mode", "round_prefer_floor",
                                       {{"round_prefer_floor", NearestMode::kRoundPreferFloor},
                                        {"round_prefer_ceil", NearestMode::kRoundPreferCeil},
                                        {"floor", NearestMode::kFloor},
                                        {"ceil", NearestMode::kCeil}});
  policy_ = Choose<Policy>(
      info, "keep_aspect_ratio_policy", "stretch",
      {{"stretch", Policy::kStretch}, {"not_larger", Policy::kNotLarger}, {"not_smaller", Policy::kNotSmaller}});
  rules_.antialias = info.Int("antialias", 0) != 0;
  Require(!rules_.antialias || rules_.mode != ResizeMode::kNearest,
          "attribute antialias=1 needs mode \"linear\" or \"cubic\"");
  rules_.exclude_outside = info.Int("exclude_outside", 0) != 0;
  rules_.cubic_coefficient = info.Float("cubic_coeff_a", -0.75f);
  rules_.extrapolation_value = info.Float("extrapolation_value", 0.0f);
  axes_ = info.Ints("axes");
}

std::vector<size_t> ResizeGeometry::AxesOf(size_t rank) const {
  std::vector<size_t> axes;
  if (axes_.empty())
    for (size_t i = 0; i < rank; ++i) axes.push_back(i);
  for (int64_t given : axes_) {
    const size_t axis = NormalizeAxis(given, rank);
    Require(std::find(axes.begin(), axes.end(), axis) == axes.end(), "attribute axes names axis ", axis, " twice");
    axes.push_back(axis);
  }
  return axes;
}

void ResizeGeometry::ApplyScales(std::span<const float> scales, std::span<const size_t> axes,
                                 ResizeAxes& result) const {
  Require(scales.size() == axes.size(), "scales has ", scales.size(), " values for ", axes.size(), " axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& axis = result[axes[i]];
    Require(scales[i] > 0 && std::isfinite(scales[i]), "scales[", i, "]=", scales[i], " must be positive and finite");
    Require(!is_upsample_ || scales[i] >= 1, "scales[", i, "]=", scales[i], " must be at least 1 in Upsample");
    axis.scale = static_cast<double>(scales[i]);
    // In float, as shape inference does: 0.7f * 10 is 7.
    const auto length = static_cast<double>(std::floor(static_cast<float>(axis.in) * scales[i]));
    Require(length < kLargestAxis, "scales[", i, "]=", scales[i], " makes an axis of ", length, " elements");
    axis.out = static_cast<int64_t>(length);
  }
}

void ResizeGeometry::ApplySizes(std::span<const int64_t> sizes, std::span<const size_t> axes,
                                ResizeAxes& result) const {
  Require(sizes.size() == axes.size(), "sizes has ", sizes.size(), " values for ", axes.size(), " axes");
  double chosen = 1.0;
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& axis = result[axes[i]];
    Require(sizes[i] >= 0, "sizes[", i, "]=", sizes[i], " must not be negative");
    axis.out = sizes[i];
    if (axis.in != 0) axis.scale = static_cast<double>(axis.out) / static_cast<double>(axis.in);
    if (i == 0)
      chosen = axis.scale;
    else
      chosen = policy_ == Policy::kNotLarger ? std::min(chosen, axis.scale) : std::max(chosen, axis.scale);
  }
  if (policy_ == Policy::kStretch) return;
  for (size_t at : axes) {
    ResizeAxis& axis = result[at];
    const double length = std::floor(chosen * static_cast<double>(axis.in) + 0.5);
    Require(length < kLargestAxis, "sizes makes an axis of ", length, " elements");
    axis.scale = chosen;
    axis.out = static_cast<int64_t>(length);
  }
}

void ResizeGeometry::ApplyRoi(const KernelContext& context, std::span<const size_t> axes, ResizeAxes& result) const {
  const Tensor roi = context.OptionalInput(roi_input_);
  Require(static_cast<bool>(roi), "coordinate_transformation_mode \"tf_crop_and_resize\" needs input roi");
  Require(roi.count() == 2 * axes.size(), "roi has ", roi.count(), " values for ", axes.size(), " axes, expected ",
          2 * axes.size());
  DispatchType<TypeList<float, double, Float16>>(roi.type(), [&]<typename T>(std::type_identity<T>) {
    for (size_t i = 0; i < axes.size(); ++i) {
      result[axes[i]].roi_begin = static_cast<double>(roi.data<T>()[i]);
      result[axes[i]].roi_end = static_cast<double>(roi.data<T>()[axes.size() + i]);
    }
  });
}

ResizeAxes ResizeGeometry::Apply(const KernelContext& context, const Shape& input) const {
  ResizeAxes result;
  for (size_t i = 0; i < input.rank(); ++i) result[i] = {.in = input[i], .out = input[i]};
  const std::vector<size_t> axes = AxesOf(input.rank());
  if (has_scales_attribute_) {
    ApplyScales(scales_, axes, result);
    return result;
  }
  // An empty tensor stands for an omitted one until version 13.
  const Tensor scales = context.OptionalInput(scales_input_);
  const Tensor sizes = sizes_input_ == 0 ? Tensor() : context.OptionalInput(sizes_input_);
  const bool has_scales = scales && (scales.count() != 0 || input.rank() == 0);
  const bool has_sizes = sizes && (sizes.count() != 0 || input.rank() == 0);
  Require(has_scales || has_sizes, sizes_input_ == 0 ? "input scales is missing" : "one of scales and sizes is needed");
  Require(!has_scales || !has_sizes || input.rank() == 0, "scales and sizes are both given, only one may be");
  if (has_sizes) {
    Require(sizes.type() == kTypeOf<int64_t>, "input sizes must be int64");
    ApplySizes({sizes.data<int64_t>(), sizes.count()}, axes, result);
  } else {
    Require(scales.type() == kTypeOf<float>, "input scales must be float");
    ApplyScales({scales.data<float>(), scales.count()}, axes, result);
  }
  if (rules_.coordinates == CoordinateMode::kTfCropAndResize) ApplyRoi(context, axes, result);
  return result;
}

}  // namespace ortrun::cpu
