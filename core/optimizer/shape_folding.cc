// SPDX-License-Identifier: Apache-2.0
// Shape arithmetic: what is a number in every run becomes a constant, what gives the same numbers in every run is
// computed once, and the target of a Reshape is written with 0 (copy) and -1 (the rest) where dimensions of its own
// input stand in it, so that the nodes that computed it go away.
#include <map>
#include <tuple>

#include "core/optimizer/passes.h"
#include "core/optimizer/shape_lifting.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

/// Turns `value` into a constant in place of its maker.
bool BecomeConstant(Rewriter& rewriter, ValueInfo* value, const std::vector<Dim>& elements) {
  const int64_t rank = RankOf(value);
  if (value->is_output || value->producer == nullptr || OutputCount(value->producer) != 1 || rank < 0 || rank > 1) {
    return false;
  }
  if (rank == 0 && elements.size() != 1) return false;
  std::vector<int64_t> numbers;
  for (const Dim& element : elements) {
    if (!element.known()) return false;
    numbers.push_back(element.value);
  }
  std::vector<int64_t> dims;
  if (rank == 1) dims.push_back(static_cast<int64_t>(numbers.size()));
  std::optional<Value> constant;
  if (TypeOf(value) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
    constant = MakeTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, dims, numbers);
  } else if (TypeOf(value) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32) {
    constant =
        MakeTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, dims, std::vector<int32_t>(numbers.begin(), numbers.end()));
  } else {
    return false;
  }
  Patch patch = rewriter.Start(*value->producer);
  patch.Take(value->producer);
  patch.Become(value, std::make_shared<const Value>(std::move(*constant)));
  return rewriter.Apply(patch);
}

bool ConstantTarget(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& node) {
  ValueInfo* input = Input(&node, 0);
  ValueInfo* target = Input(&node, 1);
  if (input == nullptr || target == nullptr || ConstantOf(target) != nullptr || node.Int("allowzero", 0) != 0) {
    return false;
  }
  const std::vector<Dim>* elements = shapes.ElementsOf(target);
  const SymbolicShape* from = shapes.ShapeOf(input);
  const SymbolicShape* to = shapes.ShapeOf(Output(&node, 0));
  if (elements == nullptr || from == nullptr) return false;
  std::vector<int64_t> numbers;
  size_t open = 0;
  for (size_t i = 0; i < elements->size(); ++i) {
    Dim element = (*elements)[i];
    if (to != nullptr && i < to->size() && (*to)[i].known() && (*to)[i].value > 0) element = (*to)[i];
    if (element.known() && element.value != 0) {
      numbers.push_back(element.value);
      open += element.value == -1;
    } else if (element.known()) {
      numbers.push_back(0);
    } else if (i < from->size() && (*from)[i] == element) {
      numbers.push_back(0);
    } else {
      numbers.push_back(-1);
      ++open;
    }
  }
  if (open > 1) return false;
  Patch patch = rewriter.Start(node);
  patch.Take(&node);
  Node* made = patch.Copy(node);
  patch.SetInput(made, 1, patch.Constant(target->name, MakeInts(numbers)));
  patch.SetOutput(made, 0, node.outputs[0]);
  return rewriter.Apply(patch);
}

/// Writes the numbers that the analysis found into the types of values, for all who come later.
void Refine(const Graph& graph, const ShapeAnalysis& shapes, DimensionNames* names) {
  for (const auto& node : graph.nodes()) {
    for (ValueInfo* output : node->outputs) {
      if (names != nullptr) names->Begin();
      const SymbolicShape* shape = output == nullptr ? nullptr : shapes.ShapeOf(output);
      if (shape == nullptr || !output->type.IsTensor()) continue;
      TensorType& tensor = output->type.tensor;
      if (!tensor.has_shape) {
        tensor.has_shape = true;
        tensor.dims.assign(shape->size(), -1);
        tensor.symbols.assign(shape->size(), "");
      }
      if (tensor.dims.size() != shape->size()) continue;
      for (size_t i = 0; i < shape->size(); ++i) {
        if (tensor.dims[i] >= 0 || !(*shape)[i].known()) continue;
        tensor.dims[i] = (*shape)[i].value;
        if (names != nullptr) names->Commit();
        if (i < tensor.symbols.size()) tensor.symbols[i].clear();
      }
    }
  }
}

/// Shape arithmetic that gives the same number in every run, wherever it comes from.
class SharedElements {
 public:
  /// Lets the readers of `node`'s output read an earlier value of the same elements.
  bool Share(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& node, const std::vector<Dim>& elements) {
    ValueInfo* output = node.outputs[0];
    const int64_t rank = RankOf(output);
    if (rank < 0 || rank > 1 || output->is_output) return false;
    const auto [place, added] = first_.try_emplace({TypeOf(output), rank, elements}, output);
    if (added) return false;
    static_cast<void>(shapes.ElementsOf(place->second));  // the rewrite relies on what both are
    return rewriter.Bypass(&node, place->second);
  }

 private:
  std::map<std::tuple<ElementType, int64_t, std::vector<Dim>>, ValueInfo*> first_;
};

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  SharedElements shared;
  Refine(rewriter.graph(), shapes, rewriter.context().names);
  rewriter.ForEach([&](Node& node) {
    if (node.Is("Reshape")) return ConstantTarget(rewriter, shapes, node);
    if (node.Is("Expand") && shapes.SameShape(Input(&node, 0), Output(&node, 0))) {
      return rewriter.Bypass(&node, Input(&node, 0));
    }
    ValueInfo* output = Output(&node, 0);
    if (output == nullptr || node.outputs.size() != 1) return false;
    const std::vector<Dim>* elements = shapes.ElementsOf(output);
    if (elements == nullptr) return false;
    return BecomeConstant(rewriter, output, *elements) || shared.Share(rewriter, shapes, node, *elements) ||
           (node.Is("Shape") && LiftShape(rewriter, shapes, node));
  });
}

}  // namespace

std::unique_ptr<Pass> MakeShapeFolding() {
  return MakePass("shape_folding", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
