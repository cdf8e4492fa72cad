// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "plugins/cpu/kernels/nn/convolution.h"

namespace ortrun::cpu {
namespace {

/// One line of the matrix for output places that lie in one row: places [first, last) of that row.
template <typename T>
void CopyRow(const T* row, int64_t in, int64_t start, int64_t stride, int64_t first, int64_t last, T* to) {
  // Input index of place i is start + i * stride; find the places that fall inside [0, in).
  int64_t from = first;
  int64_t until = last;
  if (start < 0) from = std::max(from, (-start + stride - 1) / stride);
  if (in - start <= 0)
    until = first;
  else
    until = std::min(until, (in - start - 1) / stride + 1);
  from = std::min(from, last);
  until = std::max(until, from);
  std::fill(to, to + (from - first), T{0});
  T* inside = to + (from - first);
  if (stride == 1) {
    if (until > from) std::memcpy(inside, row + start + from, static_cast<size_t>(until - from) * sizeof(T));
  } else {
    for (int64_t i = from; i < until; ++i) inside[i - from] = row[start + i * stride];
  }
  std::fill(to + (until - first), to + (last - first), T{0});
}

}  // namespace

template <typename T>
void PatchesToColumns(const WindowGeometry& g, size_t in_channels, const T* x, size_t first, size_t last, T* columns) {
  const int64_t plane = WindowGeometry::Count(g.in);
  const int64_t width = g.out[2];
  T* line = columns;
  for (size_t channel = 0; channel < in_channels; ++channel, x += plane) {
    for (int64_t kd = 0; kd < g.kernel[0]; ++kd)
      for (int64_t kh = 0; kh < g.kernel[1]; ++kh)
        for (int64_t kw = 0; kw < g.kernel[2]; ++kw) {
          auto place = static_cast<int64_t>(first);
          while (place < static_cast<int64_t>(last)) {
            const int64_t row = place / width;
            const int64_t ow = place % width;
            const int64_t end = std::min(width, ow + static_cast<int64_t>(last) - place);
            const int64_t id = row / g.out[1] * g.stride[0] + kd * g.dilation[0] - g.pad_begin[0];
            const int64_t ih = row % g.out[1] * g.stride[1] + kh * g.dilation[1] - g.pad_begin[1];
            if (id < 0 || id >= g.in[0] || ih < 0 || ih >= g.in[1])
              std::fill(line, line + (end - ow), T{0});
            else
              CopyRow(x + (id * g.in[1] + ih) * g.in[2], g.in[2], kw * g.dilation[2] - g.pad_begin[2], g.stride[2], ow,
                      end, line);
            line += end - ow;
            place += end - ow;
          }
        }
  }
}

template void PatchesToColumns<float>(const WindowGeometry&, size_t, const float*, size_t, size_t, float*);
template void PatchesToColumns<double>(const WindowGeometry&, size_t, const double*, size_t, size_t, double*);
template void PatchesToColumns<int16_t>(const WindowGeometry&, size_t, const int16_t*, size_t, size_t, int16_t*);

}  // namespace ortrun::cpu
