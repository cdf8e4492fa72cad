// SPDX-License-Identifier: Apache-2.0
// BitCast: the same bits as elements of another type of the same width.
#include <cstring>

#include "plugins/cpu/kernels/common/narrow_types.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

size_t BitsOf(ElementType type) {
  const PackedType* packed = FindPackedType(type);
  return packed != nullptr ? packed->bits : 8 * ElementSize(type);
}

class BitCast : public Kernel {
 public:
  explicit BitCast(const KernelInfo&) {}  // the target type is the output's, which the host has derived from `to`

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.dims());
    Require(BitsOf(x.type()) == BitsOf(y.type()), "attribute to names a type of ", BitsOf(y.type()),
            " bits, the input's elements have ", BitsOf(x.type()));
    if (x.count() != 0) std::memcpy(y.raw(), x.raw(), BytesOf(x.type(), x.count()));
  }
};

}  // namespace

void RegisterBitCast(KernelList& list) {
  std::vector<ElementType> types = StoredTypes();
  std::erase(types, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  list.Add({.op = "BitCast", .since = 26, .types = {{"T1", types}, {"T2", types}}, .make = MakeKernel<BitCast>});
}

}  // namespace ortrun::cpu
