// SPDX-License-Identifier: Apache-2.0
// ortrun.ElementwiseChain: a chain of elementwise operators in one pass over memory, tile by tile.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {
namespace {

/// Elements computed at a time: small enough that all intermediate results stay in the first-level cache.
constexpr size_t kTile = 512;

/// One operator of the chain. A place below the number of inputs is an input; others are tile buffers.
struct Step {
  UnaryFloatLoop unary = nullptr;
  const BinaryFloatLoops* binary = nullptr;
  SelectFloatLoop select = nullptr;
  std::array<size_t, 3> operands{};
  size_t result = 0;  ///< tile buffer; meaningless for the last step, which writes the output
  float p0 = 0;
  float p1 = 0;
};

/// Where an operand's values lie for the present tile.
struct Place {
  const float* data;
  bool steps;
};

class ElementwiseChain : public Kernel {
 public:
  explicit ElementwiseChain(const KernelInfo& info) : inputs_(info.InputCount()) {
    const std::vector<std::string> ops = info.Strings("ops");
    const std::vector<int64_t> args = info.Ints("args");
    std::vector<float> params = info.Floats("params");
    Require(!ops.empty(), "attribute ops is empty");
    Require(args.size() == 3 * ops.size(), "attribute args has ", args.size(), " entries for ", ops.size(), " ops");
    if (params.empty()) params.resize(2 * ops.size());
    Require(params.size() == 2 * ops.size(), "attribute params has ", params.size(), " entries for ", ops.size(),
            " ops");
    for (size_t i = 0; i < ops.size(); ++i) {
      steps_.push_back(FindStep(ops[i], params[2 * i], params[2 * i + 1]));
      const size_t arity = Arity(steps_.back());
      for (size_t k = 0; k < 3; ++k) {
        const int64_t arg = args[3 * i + k];
        if (k >= arity) continue;
        Require(arg >= 0 && arg < static_cast<int64_t>(inputs_ + i), "attribute args names operand ", arg, " in op ", i,
                " of the chain, which is neither an input nor an earlier result");
        steps_[i].operands[k] = static_cast<size_t>(arg);
      }
    }
    AssignBuffers();
  }

  void Compute(KernelContext& context) const override {
    std::array<Tensor, kFewInputs> few;
    std::vector<Tensor> many;
    Tensor* inputs = few.data();
    if (inputs_ > kFewInputs) {
      many.resize(inputs_);
      inputs = many.data();
    }
    Shape shape;
    for (size_t i = 0; i < inputs_; ++i) {
      inputs[i] = context.Input(i);
      Require(inputs[i].type() == kTypeOf<float>, "input ", i, " of the chain is not float");
      const bool same =
          inputs[i].rank() == shape.rank() && std::equal(shape.begin(), shape.end(), inputs[i].dims().begin());
      if (i == 0)
        shape = inputs[i].shape();
      else if (!same)
        shape = BroadcastShape(shape.dims(), inputs[i].dims());
    }
    const Tensor y = context.Output(0, shape);
    const size_t count = y.count();
    if (count == 0) return;
    float* out = y.data<float>();
    bool plain = true;  // every input is the whole or one element
    for (size_t i = 0; i < inputs_; ++i) plain = plain && (inputs[i].count() == count || inputs[i].count() == 1);
    const size_t grain = std::max<size_t>(kTile, kCheapGrain / steps_.size());
    if (plain) {
      context.ParallelRange(count, grain, [&](size_t begin, size_t end) { RunPlain(inputs, count, out, begin, end); });
    } else {
      RunBroadcast(context, inputs, shape, out, grain);
    }
  }

 private:
  static constexpr size_t kFewInputs = 16;

  static Step FindStep(const std::string& op, float p0, float p1) {
    Step step;
    step.p0 = p0;
    step.p1 = p1;
    step.unary = FindUnaryFloatLoop(op);
    step.binary = FindBinaryFloatLoops(op);
    if (op == "Where") step.select = GetSelectFloatLoop();
    Require(step.unary != nullptr || step.binary != nullptr || step.select != nullptr, "attribute ops names \"", op,
            "\", which no elementwise chain knows");
    return step;
  }

  static size_t Arity(const Step& step) { return step.unary != nullptr ? 1 : (step.binary != nullptr ? 2 : 3); }

  /// Gives results tile buffers that are free again after their last reader, and turns operands into places.
  void AssignBuffers() {
    const size_t count = steps_.size();
    std::vector<size_t> last_use(count, 0);
    for (size_t i = 0; i < count; ++i)
      for (size_t k = 0; k < Arity(steps_[i]); ++k)
        if (steps_[i].operands[k] >= inputs_) last_use[steps_[i].operands[k] - inputs_] = i;
    std::vector<size_t> free;
    std::vector<size_t> buffer_of(count, 0);
    for (size_t i = 0; i < count; ++i) {
      std::vector<size_t> done;
      for (size_t k = 0; k < Arity(steps_[i]); ++k) {
        size_t& operand = steps_[i].operands[k];
        if (operand < inputs_) continue;
        const size_t producer = operand - inputs_;
        operand = inputs_ + buffer_of[producer];
        if (last_use[producer] == i && std::find(done.begin(), done.end(), buffer_of[producer]) == done.end())
          done.push_back(buffer_of[producer]);
      }
      // Unary and binary loops work in place, so a buffer read for the last time here may take the result. The loop of
      // Where reads single operands again for each element.
      const bool in_place = steps_[i].select == nullptr;
      if (in_place) free.insert(free.end(), done.begin(), done.end());
      if (free.empty()) free.push_back(buffers_++);
      buffer_of[i] = free.back();
      steps_[i].result = free.back();
      if (last_use[i] > i) free.pop_back();  // a result that nobody reads frees its buffer at once
      if (!in_place) free.insert(free.end(), done.begin(), done.end());
    }
  }

  /// Runs the chain over `length` <= kTile elements.
  void RunTile(Place* places, float* buffers, float* out, size_t length) const {
    const Step* last = &steps_.back();
    for (const Step& step : steps_) {
      float* to = &step == last ? out : buffers + step.result * kTile;
      const Place& a = places[step.operands[0]];
      bool steps = true;
      if (step.unary != nullptr) {
        steps = a.steps;
        step.unary(a.data, to, steps ? length : 1, step.p0, step.p1);
      } else if (step.binary != nullptr) {
        const Place& b = places[step.operands[1]];
        steps = a.steps || b.steps;
        const BinaryFloatLoop loop = a.steps == b.steps ? step.binary->both
                                     : a.steps          ? step.binary->b_single
                                                        : step.binary->a_single;
        loop(a.data, b.data, to, steps ? length : 1);
      } else {
        const Place& b = places[step.operands[1]];
        const Place& c = places[step.operands[2]];
        steps = a.steps || b.steps || c.steps;
        step.select(a.data, a.steps ? 1 : 0, b.data, b.steps ? 1 : 0, c.data, c.steps ? 1 : 0, to, steps ? length : 1);
      }
      if (&step == last) {
        if (!steps) std::fill_n(out, length, float{*out});
      } else {
        places[inputs_ + step.result] = {to, steps};
      }
    }
  }

  /// Memory for places and tile buffers: on the stack where it fits, which is nearly always.
  struct Workspace {
    static constexpr size_t kPlaces = 64;
    static constexpr size_t kBuffers = 6;
    alignas(64) std::array<float, kBuffers * kTile> stack_buffers;
    std::array<Place, kPlaces> stack_places;
    std::vector<float> heap_buffers;
    std::vector<Place> heap_places;
    float* buffers = stack_buffers.data();
    Place* places = stack_places.data();

    Workspace(size_t buffer_count, size_t place_count) {  // NOLINT: the arrays are written before they are read
      if (buffer_count > kBuffers) {
        heap_buffers.resize(buffer_count * kTile);
        buffers = heap_buffers.data();
      }
      if (place_count > kPlaces) {
        heap_places.resize(place_count);
        places = heap_places.data();
      }
    }
  };

  void RunPlain(const Tensor* inputs, size_t count, float* out, size_t begin, size_t end) const {
    Workspace space(buffers_, inputs_ + buffers_);
    for (size_t at = begin; at < end; at += kTile) {
      for (size_t i = 0; i < inputs_; ++i) {
        const bool steps = inputs[i].count() == count && count != 1;
        space.places[i] = {inputs[i].data<float>() + (steps ? at : 0), steps};
      }
      RunTile(space.places, space.buffers, out + at, std::min(kTile, end - at));
    }
  }

  /// Each input's own loop gives its values for a tile; those that do not run along with the output are gathered.
  void RunBroadcast(KernelContext& context, const Tensor* inputs, const Shape& shape, float* out, size_t grain) const {
    const size_t rank = shape.rank();
    const auto count = static_cast<size_t>(shape.Count());
    // The innermost axes that every input has whole or not at all make one row.
    size_t row_axis = rank;
    size_t row = 1;
    while (row_axis > 0) {
      const size_t axis = row_axis - 1;
      bool uniform = true;
      for (size_t i = 0; i < inputs_ && uniform; ++i) {
        const int64_t here = Extent(inputs[i], axis, rank);
        const int64_t inner = CountFrom(inputs[i], row_axis, rank);
        const bool whole = inner == static_cast<int64_t>(row);
        uniform = shape[axis] == 1 || (whole && here == shape[axis]) || (inner == 1 && here == 1);
      }
      if (!uniform) break;
      row *= static_cast<size_t>(shape[axis]);
      row_axis = axis;
    }
    std::vector<size_t> strides(inputs_ * std::max<size_t>(rank, 1));
    for (size_t i = 0; i < inputs_; ++i) {
      size_t stride = 1;
      for (size_t axis = rank; axis-- > 0;) {
        const int64_t extent = Extent(inputs[i], axis, rank);
        strides[i * rank + axis] = extent == 1 ? 0 : stride;
        stride *= static_cast<size_t>(extent);
      }
    }
    const size_t rows = count / row;
    context.ParallelRange(rows, std::max<size_t>(1, grain / row), [&](size_t first, size_t last) {
      Workspace space(buffers_, inputs_ + buffers_);
      for (size_t r = first; r < last; ++r) {
        for (size_t at = 0; at < row; at += kTile) {
          for (size_t i = 0; i < inputs_; ++i) {
            size_t offset = 0;
            size_t rest = r;
            for (size_t axis = row_axis; axis-- > 0;) {
              const auto extent = static_cast<size_t>(shape[axis]);
              offset += rest % extent * strides[i * rank + axis];
              rest /= extent;
            }
            const bool steps = row != 1 && CountFrom(inputs[i], row_axis, rank) != 1;
            space.places[i] = {inputs[i].data<float>() + offset + (steps ? at : 0), steps};
          }
          RunTile(space.places, space.buffers, out + r * row + at, std::min(kTile, row - at));
        }
      }
    });
  }

  static int64_t Extent(const Tensor& tensor, size_t axis, size_t rank) {
    const size_t missing = rank - tensor.rank();
    return axis < missing ? 1 : tensor.dim(axis - missing);
  }
  static int64_t CountFrom(const Tensor& tensor, size_t axis, size_t rank) {
    int64_t count = 1;
    for (size_t i = axis; i < rank; ++i) count *= Extent(tensor, i, rank);
    return count;
  }

  size_t inputs_;
  std::vector<Step> steps_;
  size_t buffers_ = 0;
};

}  // namespace

void RegisterElementwiseChain(KernelList& list) {
  list.Add({.domain = "ortrun",
            .op = "ElementwiseChain",
            .types = {{"T", {kTypeOf<float>}}},
            .make = MakeKernel<ElementwiseChain>,
            .may_inplace = {}});
}

}  // namespace ortrun::cpu
