// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/spatial.h"

#include <algorithm>
#include <string>

namespace ortrun::cpu {
namespace {

/// Far above any real model, far below what could overflow a product of three.
constexpr int64_t kLargest = int64_t{1} << 31;

void CheckRange(const std::vector<int64_t>& values, const char* name, int64_t least) {
  for (int64_t value : values)
    Require(value >= least && value < kLargest, "attribute ", name, " has the entry ", value, ", it must be at least ",
            least);
}

}  // namespace

WindowAttributes::WindowAttributes(const KernelInfo& info)
    : kernel_(info.Ints("kernel_shape")),
      strides_(info.Ints("strides")),
      dilations_(info.Ints("dilations")),
      pads_(info.Ints("pads")),
      ceil_(info.Int("ceil_mode", 0) != 0) {
  CheckRange(kernel_, "kernel_shape", 1);
  CheckRange(strides_, "strides", 1);
  CheckRange(dilations_, "dilations", 1);
  CheckRange(pads_, "pads", 0);
  const std::string mode = info.String("auto_pad", "NOTSET");
  if (mode == "VALID")
    auto_pad_ = AutoPad::kValid;
  else if (mode == "SAME_UPPER")
    auto_pad_ = AutoPad::kSameUpper;
  else if (mode == "SAME_LOWER")
    auto_pad_ = AutoPad::kSameLower;
  else
    Require(mode == "NOTSET" || mode.empty(), "attribute auto_pad is \"", mode,
            "\", it must be NOTSET, VALID, SAME_UPPER or SAME_LOWER");
}

WindowGeometry WindowAttributes::Apply(std::span<const int64_t> spatial, std::span<const int64_t> kernel) const {
  const size_t rank = spatial.size();
  Require(rank >= 1 && rank <= WindowGeometry::kAxes, rank, " spatial dimensions are not served, 1 to 3 are");
  Require(kernel.size() == rank &&
              (kernel_.empty() || std::equal(kernel.begin(), kernel.end(), kernel_.begin(), kernel_.end())),
          "kernel_shape and the kernel itself do not fit an input of ", rank, " spatial dimensions");
  const auto fits = [rank](const std::vector<int64_t>& values, size_t per_axis) {
    return values.empty() || values.size() == rank * per_axis;
  };
  Require(fits(strides_, 1) && fits(dilations_, 1) && fits(pads_, 2),
          "strides, dilations or pads have the wrong length for ", rank, " spatial dimensions");
  WindowGeometry g;
  for (size_t i = 0; i < rank; ++i) {
    const size_t at = WindowGeometry::kAxes - rank + i;
    const int64_t in = spatial[i];
    const int64_t stride = strides_.empty() ? 1 : strides_[i];
    const int64_t dilation = dilations_.empty() ? 1 : dilations_[i];
    Require(kernel[i] >= 1 && kernel[i] < kLargest && in < kLargest, "the kernel has the dimension ", kernel[i]);
    const int64_t reach = (kernel[i] - 1) * dilation + 1;
    int64_t begin = 0;
    int64_t end = 0;
    int64_t out = 0;
    if (auto_pad_ == AutoPad::kSameUpper || auto_pad_ == AutoPad::kSameLower) {
      out = (in + stride - 1) / stride;
      const int64_t total = std::max<int64_t>(0, (out - 1) * stride + reach - in);
      begin = auto_pad_ == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      end = total - begin;
    } else {
      if (auto_pad_ == AutoPad::kNotSet && !pads_.empty()) {
        begin = pads_[i];
        end = pads_[i + rank];
      }
      const int64_t room = in + begin + end - reach;
      Require(room >= 0, "a window of ", reach, " is larger than the padded dimension ", in + begin + end,
              " of spatial axis ", i);
      out = (ceil_ ? (room + stride - 1) / stride : room / stride) + 1;
      // A window that would start in the end padding is not counted.
      if (ceil_ && (out - 1) * stride >= in + begin) --out;
    }
    g.in[at] = in;
    g.out[at] = out;
    g.kernel[at] = kernel[i];
    g.stride[at] = stride;
    g.dilation[at] = dilation;
    g.pad_begin[at] = begin;
    g.pad_end[at] = end;
  }
  return g;
}

}  // namespace ortrun::cpu
