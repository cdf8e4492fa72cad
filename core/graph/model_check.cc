// SPDX-License-Identifier: Apache-2.0
#include "core/graph/model_check.h"

#include <onnx/common/constants.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/base/nearest.h"
#include "core/graph/early_operators.h"
#include "core/graph/standard_schemas.h"
#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

constexpr int kMaxCallDepth = 256;
constexpr uint64_t kMaxInlinedNodes = uint64_t{1} << 22;

std::string Domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

std::string Describe(const onnx::NodeProto& node) {
  const std::string domain = Domain(node.domain());
  return Concat("node '", node.name(), "' (", domain.empty() ? "" : domain + ".", node.op_type(), ")");
}

[[noreturn]] void Invalid(const std::string& what) {
  throw Error(ORT_INVALID_GRAPH, "This is an invalid model. Error: " + what);
}

/// Follows the calls between the functions of a model.
class FunctionCalls {
 public:
  explicit FunctionCalls(const onnx::ModelProto& model) {
    for (const auto& function : model.functions())
      functions_[Key(function.domain(), function.name(), function.overload())] = {&function, Size{}, State::kNew};
  }

  /// Nodes, nesting graphs and nesting calls that a piece of the model becomes.
  struct Size {
    uint64_t nodes = 0;
    int graphs = 0;
    int calls = 0;
  };

  template <typename Nodes>
  Size Measure(const Nodes& nodes, int calls) {
    Size size;
    const auto add = [&size](const Size& part, int deeper) {
      size.nodes = std::min(size.nodes + part.nodes, kMaxInlinedNodes + 1);
      size.graphs = std::max(size.graphs, part.graphs + deeper);
      size.calls = std::max(size.calls, part.calls);
    };
    for (const auto& node : nodes) {
      add({1, 0, 0}, 0);
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) add(Measure(attribute.g().node(), calls), 1);
        for (const auto& graph : attribute.graphs()) add(Measure(graph.node(), calls), 1);
      }
      const auto called = functions_.find(Key(node.domain(), node.op_type(), node.overload()));
      if (called != functions_.end()) add(Call(called->second, calls + 1), 0);
    }
    return size;
  }

 private:
  enum class State { kNew, kOpen, kMeasured };
  struct Function {
    const onnx::FunctionProto* proto;
    Size size;
    State state;
  };

  static std::string Key(const std::string& domain, const std::string& name, const std::string& overload) {
    return Domain(domain) + '\n' + name + '\n' + overload;
  }

  Size Call(Function& function, int calls) {
    const std::string name =
        Concat("the model's function '", function.proto->domain(), ".", function.proto->name(), "'");
    if (function.state == State::kOpen) Invalid(name + " calls itself; a function may not be recursive");
    if (function.state == State::kNew) {
      if (calls > kMaxCallDepth) Invalid(Concat(name, " is called through more than ", kMaxCallDepth, " others"));
      function.state = State::kOpen;
      function.size = Measure(function.proto->node(), calls);
      ++function.size.calls;
      function.state = State::kMeasured;
    }
    if (function.size.calls > kMaxCallDepth) Invalid(Concat(name, " calls more than ", kMaxCallDepth, " others deep"));
    if (function.size.nodes > kMaxInlinedNodes)
      Invalid(Concat(name, " becomes more than ", kMaxInlinedNodes, " nodes when what it calls is put in place"));
    return function.size;
  }

  std::unordered_map<std::string, Function> functions_;
};

class NodeChecker {
 public:
  NodeChecker(const onnx::ModelProto& model, const ReadOptions& options) : options_(options) {
    for (const auto& opset : model.opset_import()) opsets_[opset.domain()] = static_cast<int>(opset.version());
  }

  void Check(const onnx::GraphProto& graph, int depth) const {
    if (depth > kMaxGraphDepth)
      Invalid(Concat("graphs nest more than ", kMaxGraphDepth, " deep; the deepest seen is '", graph.name(), "'"));
    CheckDefaults(graph);
    for (const auto& node : graph.node()) {
      Check(node);
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) Check(attribute.g(), depth + 1);
        for (const auto& body : attribute.graphs()) Check(body, depth + 1);
      }
    }
  }

 private:
  /// An initialiser that is an input too must be what the input declares.
  static void CheckDefaults(const onnx::GraphProto& graph) {
    std::unordered_map<std::string, const onnx::TypeProto*> inputs;
    for (const auto& input : graph.input())
      if (input.type().has_tensor_type()) inputs[input.name()] = &input.type();
    const auto check = [&](const std::string& name, int element, const auto& dims) {
      const auto input = inputs.find(name);
      if (input == inputs.end()) return;
      const TypeInfo declared = ReadType(*input->second);
      const TypeInfo held = TypeInfo::Tensor(FromOnnxType(element), {dims.begin(), dims.end()});
      const auto& wanted = declared.tensor.dims;
      const bool same =
          !declared.tensor.has_shape || std::equal(wanted.begin(), wanted.end(), dims.begin(), dims.end(),
                                                   [](int64_t dim, int64_t given) { return dim < 0 || dim == given; });
      if (declared.tensor.type == held.tensor.type && same) return;
      throw Error(ORT_FAIL, Concat("This is an invalid model. Type Error: the initializer of input '", name, "' is ",
                                   TypeName(held), " ", ShapeText(held.tensor.dims.data(), held.tensor.dims.size()),
                                   " but the input is declared as ", TypeName(declared), " ",
                                   declared.tensor.has_shape ? ShapeText(wanted.data(), wanted.size()) : ""));
    };
    for (const auto& tensor : graph.initializer()) check(tensor.name(), tensor.data_type(), tensor.dims());
    for (const auto& sparse : graph.sparse_initializer())
      check(sparse.values().name(), sparse.values().data_type(), sparse.dims());
  }

  void Check(const onnx::NodeProto& node) const {
    const std::string domain = Domain(node.domain());
    const auto opset = opsets_.find(domain);
    if (options_.custom_schema && options_.custom_schema(domain, node.op_type(), opset->second) != nullptr) return;
    if (node.op_type() == "Constant" && domain.empty()) return;  // the converter takes some that the schema does not
    const onnx::OpSchema* schema = StandardSchemas::Instance().GetSchema(node.op_type(), opset->second, domain);
    // onnx calls some operators deprecated that models hold and providers run, as GroupNormalization 18.
    if (schema != nullptr && !schema->deprecated()) {
      try {
        schema->Verify(node);
      } catch (const std::exception& error) {
        Invalid(Concat("in ", Describe(node), ": ", error.what(), " Its operator is that of opset ", opset->second,
                       ", which the model imports"));
      }
    } else if (const OperatorSchema* ours = FindModelSchema(domain, node.op_type(), opset->second)) {
      CheckCounts(node, *ours);
    } else if (domain.empty()) {
      RefuseUnknown(node, opset->second);
    }
  }

  [[noreturn]] static void RefuseUnknown(const onnx::NodeProto& node, int opset) {
    constexpr int kNewest = 1 << 20;
    if (const OperatorSchema* newer = FindSchema("", node.op_type(), kNewest))
      throw Error(ORT_INVALID_GRAPH,
                  Concat("This is an invalid model. ", Describe(node), " needs opset ", newer->since_version,
                         " or so, the model imports opset ", opset, "; convert the model to a newer opset"));
    throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. Fatal error: ", node.op_type(),
                                          " is not a registered function/op in opset ", opset, " (", Describe(node),
                                          ").", DidYouMean(node.op_type(), OperatorNames(""))));
  }

  static void CheckCounts(const onnx::NodeProto& node, const OperatorSchema& schema) {
    const auto check = [&](const auto& names, const std::vector<SchemaParameter>& formal, const char* what) {
      const auto given = static_cast<size_t>(names.size());
      const bool variadic = !formal.empty() && formal.back().variadic;
      if (given > formal.size() && !variadic)
        Invalid(Concat(Describe(node), " has ", given, " ", what, "s, its operator has ", formal.size()));
      for (size_t i = 0; i < formal.size(); ++i) {
        if (formal[i].optional || formal[i].variadic) continue;
        if (i >= given || names[static_cast<int>(i)].empty())
          Invalid(Concat(Describe(node), " lacks ", what, " ", i, " ('", formal[i].name, "')"));
      }
    };
    check(node.input(), schema.inputs, "input");
    check(node.output(), schema.outputs, "output");
  }

  const ReadOptions& options_;
  std::unordered_map<std::string, int> opsets_;
};

void CheckVersion(const onnx::ModelProto& model) {
  if (model.ir_version() > onnx::Version::IR_VERSION)
    throw Error(ORT_FAIL, Concat("Unsupported model IR version: ", model.ir_version(),
                                 ", max supported IR version: ", static_cast<int>(onnx::Version::IR_VERSION),
                                 ". Save the model for an older version of ONNX, or install a newer runtime"));
}

}  // namespace

void CheckFunctions(const onnx::ModelProto& model) {
  FunctionCalls calls(model);
  const FunctionCalls::Size size = calls.Measure(model.graph().node(), 0);
  if (size.nodes > kMaxInlinedNodes)
    Invalid(Concat("its graph becomes more than ", kMaxInlinedNodes, " nodes when its functions are put in place"));
  if (size.graphs > kMaxGraphDepth)
    Invalid(Concat("graphs nest more than ", kMaxGraphDepth, " deep when its functions are put in place"));
}

void CheckModel(const onnx::ModelProto& model, const ReadOptions& options) {
  CheckVersion(model);
  NodeChecker(model, options).Check(model.graph(), 0);
}

}  // namespace ortrun
