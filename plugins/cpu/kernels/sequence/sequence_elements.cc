// SPDX-License-Identifier: Apache-2.0
// SequenceConstruct, SequenceEmpty, SequenceLength, SequenceAt, SequenceInsert, SequenceErase.
#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/sequence/sequence.h"
#include "plugins/cpu/kernels/sequence/values.h"

namespace ortrun::cpu {
namespace {

/// A position that may count from the end, in [0, last]; `last` when it is omitted.
size_t ReadPosition(const Tensor& position, size_t count, size_t last) {
  if (!position) return last;
  Require(position.count() == 1, "input position must be a scalar, it has ", position.count(), " elements");
  const int64_t given = ReadIntegers(position)[0];
  const int64_t at = given < 0 ? given + static_cast<int64_t>(count) : given;
  Require(at >= 0 && at <= static_cast<int64_t>(last), "position ", given, " is outside a sequence of ", count,
          " elements");
  return static_cast<size_t>(at);
}

class SequenceConstruct : public Kernel {
 public:
  explicit SequenceConstruct(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    std::vector<OwnedValue> elements;
    for (size_t i = 0; i < context.InputCount(); ++i) elements.push_back(CopyOf(context, context.Input(i)));
    SetSequence(context, 0, elements);
  }
};

class SequenceEmpty : public Kernel {
 public:
  explicit SequenceEmpty(const KernelInfo&) {}
  void Compute(KernelContext& context) const override { SetSequence(context, 0, {}); }
};

class SequenceLength : public Kernel {
 public:
  explicit SequenceLength(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const size_t length = ReadSequence(context, 0).size();
    *context.Output(0, Shape{}).data<int64_t>() = static_cast<int64_t>(length);
  }
};

class SequenceAt : public Kernel {
 public:
  explicit SequenceAt(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const std::vector<OwnedValue> elements = ReadSequence(context, 0);
    Require(!elements.empty(), "the sequence has no elements");
    const size_t at = ReadPosition(context.Input(1), elements.size(), elements.size() - 1);
    CopyElement(context, ViewOf(context.host(), elements[at].get()), 0);
  }
};

class SequenceInsert : public Kernel {
 public:
  explicit SequenceInsert(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    std::vector<OwnedValue> elements = ReadSequence(context, 0);
    const Tensor tensor = context.Input(1);
    if (!elements.empty())
      Require(ViewOf(context.host(), elements[0].get()).type() == tensor.type(),
              "the tensor's element type differs from the sequence's");
    const size_t at = ReadPosition(context.OptionalInput(2), elements.size(), elements.size());
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(at), CopyOf(context, tensor));
    SetSequence(context, 0, elements);
  }
};

class SequenceErase : public Kernel {
 public:
  explicit SequenceErase(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    std::vector<OwnedValue> elements = ReadSequence(context, 0);
    Require(!elements.empty(), "the sequence has no elements");
    const size_t at = ReadPosition(context.OptionalInput(1), elements.size(), elements.size() - 1);
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(at));
    SetSequence(context, 0, elements);
  }
};

template <typename K>
void RegisterOn(KernelList& list, const char* op) {
  list.Add({.op = op, .since = 11, .types = {{"S", AllTypes()}}, .make = MakeKernel<K>});
}

}  // namespace

void RegisterSequenceElements(KernelList& list, const Host& host) {
  RegisterOn<SequenceLength>(list, "SequenceLength");
  RegisterOn<SequenceAt>(list, "SequenceAt");
  if (OutputValues(host) == nullptr) return;
  RegisterOn<SequenceConstruct>(list, "SequenceConstruct");
  RegisterOn<SequenceEmpty>(list, "SequenceEmpty");
  RegisterOn<SequenceInsert>(list, "SequenceInsert");
  RegisterOn<SequenceErase>(list, "SequenceErase");
}

}  // namespace ortrun::cpu
