// SPDX-License-Identifier: Apache-2.0
// Col2Im: adds the columns of sliding blocks back into images of any number of axes.
#include <algorithm>
#include <array>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/image/image.h"

namespace ortrun::cpu {
namespace {

constexpr int64_t kLargest = int64_t{1} << 31;  ///< of each extent, so that sums and products of two fit

struct BlockAxis {
  int64_t image, block, dilation, stride, pad, blocks;
};

class Col2Im : public Kernel {
 public:
  explicit Col2Im(const KernelInfo& info)
      : dilations_(info.Ints("dilations")), pads_(info.Ints("pads")), strides_(info.Ints("strides")) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const std::vector<int64_t> image = ReadIntegers(context.Input(1));
    const std::vector<int64_t> block = ReadIntegers(context.Input(2));
    Require(x.rank() == 3, "the input must have rank 3, it has ", x.rank());
    const std::vector<BlockAxis> axes = Axes(image, block);
    const int64_t elements = CheckedCount(block);
    std::array<int64_t, Shape::kMaxRank> counts{};
    for (size_t i = 0; i < axes.size(); ++i) counts[i] = axes[i].blocks;
    const int64_t blocks = CheckedCount(std::span(counts).first(axes.size()));
    Require(x.dim(1) % elements == 0, "dimension 1 of the input, ", x.dim(1), ", is no multiple of a block of ",
            elements, " elements");
    Require(x.dim(2) == blocks, "dimension 2 of the input is ", x.dim(2), ", the image has ", blocks, " blocks");
    Shape shape{x.dim(0), x.dim(1) / elements};
    for (int64_t length : image) shape.Append(length);
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    if (!y || y.count() == 0) return;
    const auto plane = static_cast<size_t>(shape.Count(2, shape.rank()));
    DispatchType<NumbersAndHalf>(x.type(), [&]<typename T>(std::type_identity<T>) {
      context.ParallelFor(y.count() / plane, [&](size_t i) {
        T* to = y.data<T>() + i * plane;
        std::fill_n(to, plane, T{});
        AddBlocks(axes, elements, blocks, x.data<T>() + i * static_cast<size_t>(elements * blocks), to);
      });
    });
  }

 private:
  std::vector<BlockAxis> Axes(const std::vector<int64_t>& image, const std::vector<int64_t>& block) const {
    const size_t rank = image.size();
    Require(rank >= 1 && rank + 2 <= Shape::kMaxRank, "image_shape has ", rank, " entries");
    Require(block.size() == rank, "block_shape has ", block.size(), " entries, image_shape ", rank);
    Require(dilations_.empty() || dilations_.size() == rank, "attribute dilations must have ", rank, " entries");
    Require(strides_.empty() || strides_.size() == rank, "attribute strides must have ", rank, " entries");
    Require(pads_.empty() || pads_.size() == 2 * rank, "attribute pads must have ", 2 * rank, " entries");
    std::vector<BlockAxis> axes(rank);
    for (size_t i = 0; i < rank; ++i) {
      BlockAxis& axis = axes[i];
      axis = {image[i],
              block[i],
              dilations_.empty() ? 1 : dilations_[i],
              strides_.empty() ? 1 : strides_[i],
              pads_.empty() ? 0 : pads_[i],
              0};
      const int64_t pad_end = pads_.empty() ? 0 : pads_[rank + i];
      for (int64_t value : {axis.image, axis.block, axis.dilation, axis.stride})
        Require(value >= 1 && value < kLargest, "axis ", i, ": image ", axis.image, ", block ", axis.block,
                ", dilation ", axis.dilation, " and stride ", axis.stride, " must be positive and less than ",
                kLargest);
      for (int64_t value : {axis.pad, pad_end})
        Require(value >= 0 && value < kLargest, "axis ", i, ": pad ", value, " must be in [0, ", kLargest, ")");
      const int64_t room = axis.image + axis.pad + pad_end - axis.dilation * (axis.block - 1) - 1;
      Require(room >= 0, "axis ", i, ": a block of ", axis.block, " is larger than the padded image of ", axis.image);
      axis.blocks = room / axis.stride + 1;
    }
    return axes;
  }

  /// One image: `x` is [elements of a block, blocks].
  template <typename T>
  static void AddBlocks(const std::vector<BlockAxis>& axes, int64_t elements, int64_t blocks, const T* x, T* y) {
    const size_t last = axes.size() - 1;
    const BlockAxis& inner = axes[last];
    for (int64_t element = 0; element < elements; ++element) {
      std::array<int64_t, Shape::kMaxRank> start{};  // where the element lies in the first block
      for (int64_t i = static_cast<int64_t>(last), rest = element; i >= 0; --i) {
        const BlockAxis& axis = axes[static_cast<size_t>(i)];
        start[static_cast<size_t>(i)] = rest % axis.block * axis.dilation - axis.pad;
        rest /= axis.block;
      }
      for (int64_t row = 0; row < blocks; row += inner.blocks, x += inner.blocks) {
        int64_t offset = 0, stride = inner.image, rest = row / inner.blocks;
        bool inside = true;
        for (size_t i = last; i-- > 0;) {
          const int64_t at = start[i] + rest % axes[i].blocks * axes[i].stride;
          rest /= axes[i].blocks;
          inside = inside && at >= 0 && at < axes[i].image;
          offset += at * stride;
          stride *= axes[i].image;
        }
        if (!inside) continue;
        for (int64_t k = 0; k < inner.blocks; ++k) {
          const int64_t at = start[last] + k * inner.stride;
          if (at >= 0 && at < inner.image) y[offset + at] = static_cast<T>(y[offset + at] + x[k]);
        }
      }
    }
  }

  std::vector<int64_t> dilations_;
  std::vector<int64_t> pads_;
  std::vector<int64_t> strides_;
};

}  // namespace

void RegisterCol2Im(KernelList& list) {
  list.Add({.op = "Col2Im", .since = 18, .types = {{"T", NumbersAndHalf::Values()}}, .make = MakeKernel<Col2Im>});
}

}  // namespace ortrun::cpu
