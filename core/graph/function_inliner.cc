// SPDX-License-Identifier: Apache-2.0
#include "core/graph/function_inliner.h"

#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/graph/pinned_domain.h"
#include "core/graph/standard_schemas.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
using Imports = std::map<std::string, int>;

std::string Domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

template <typename Opsets>
Imports ImportsOf(const Opsets& opsets) {
  Imports imports;
  for (const auto& opset : opsets)
    if (opset.version() > 0) imports[Domain(opset.domain())] = static_cast<int>(opset.version());
  return imports;
}

struct Function {
  const onnx::FunctionProto* proto;
  Imports imports;

  [[noreturn]] void Invalid(const std::string& what) const {
    throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. Error: the model's function '", proto->domain(),
                                          ".", proto->name(), "' ", what));
  }
};

/// One use of a function; without one, the main graph.
struct Call {
  const Function* function = nullptr;
  std::string node;    ///< name of the node that calls
  std::string suffix;  ///< of the names that its values get
  struct Bound {
    const onnx::AttributeProto* value;
    bool expanded;  ///< its graph, if it is one, was expanded where it was given
  };
  std::unordered_map<std::string, Bound> attributes;
};

/// Names of a graph or a function's body, as the model that is made has them; "" for a value that is left out.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_map<std::string, std::string> names;
};

class Inliner {
 public:
  explicit Inliner(onnx::ModelProto& model) : model_(model), imports_(ImportsOf(model.opset_import())) {
    for (const auto& proto : model.functions()) {
      const Function function{&proto, ImportsOf(proto.opset_import())};
      if (!functions_.emplace(Key(proto.domain(), proto.name(), proto.overload()), function).second)
        function.Invalid("is there twice");
      for (const auto& [domain, version] : function.imports) Import(domain, version);
    }
    TakeNames(model.graph());
  }

  void Run() {
    onnx::GraphProto& graph = *model_.mutable_graph();
    Scope scope;
    Nodes nodes;
    nodes.Swap(graph.mutable_node());
    for (auto& node : nodes) Append(std::move(node), Call(), scope, graph);
    model_.clear_functions();
  }

 private:
  static std::string Key(const std::string& domain, const std::string& name, const std::string& overload) {
    return Domain(domain) + '\n' + name + '\n' + overload;
  }

  void Import(const std::string& domain, int version) {
    if (!imports_.emplace(domain, version).second) return;
    auto* import = model_.add_opset_import();
    import->set_domain(domain);
    import->set_version(version);
  }

  void TakeNames(const onnx::GraphProto& graph) {
    for (const auto& value : graph.input()) taken_.insert(value.name());
    for (const auto& value : graph.output()) taken_.insert(value.name());
    for (const auto& value : graph.value_info()) taken_.insert(value.name());
    for (const auto& tensor : graph.initializer()) taken_.insert(tensor.name());
    for (const auto& tensor : graph.sparse_initializer()) taken_.insert(tensor.values().name());
    for (const auto& node : graph.node()) {
      taken_.insert(node.input().begin(), node.input().end());
      taken_.insert(node.output().begin(), node.output().end());
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) TakeNames(attribute.g());
        for (const auto& body : attribute.graphs()) TakeNames(body);
      }
    }
  }

  std::string Fresh(const std::string& name, const Call& call) {
    if (call.function == nullptr) return name;
    std::string fresh = name + call.suffix;
    for (int i = 1; !taken_.insert(fresh).second; ++i) fresh = Concat(name, call.suffix, "_", i);
    return fresh;
  }

  static const std::string& Find(const std::string& name, const Call& call, const Scope& scope) {
    for (const Scope* at = &scope; at != nullptr; at = at->outer)
      if (const auto found = at->names.find(name); found != at->names.end()) return found->second;
    if (call.function != nullptr)
      call.function->Invalid(Concat("reads '", name, "', which is neither an input of it nor made in it"));
    return name;
  }

  /// A node of a graph or of a function's body, with all that it calls, at the end of `graph`.
  void Append(onnx::NodeProto node, const Call& call, Scope& scope, onnx::GraphProto& graph) {
    std::vector<std::string> own_outputs(node.output().begin(), node.output().end());
    for (auto& name : *node.mutable_input())
      if (!name.empty()) name = std::string(Find(name, call, scope));
    for (auto& name : *node.mutable_output())
      if (!name.empty()) name = std::string(Find(name, call, scope));
    BindAttributes(node, call, scope);
    if (const Function* function = Called(node)) {
      Inline(node, *function, own_outputs, scope, graph);
      return;
    }
    if (call.function != nullptr) {
      Pin(node, *call.function);
      node.set_name(call.node.empty() ? node.name().empty() ? "" : node.name() + call.suffix
                                      : call.node + "/" + (node.name().empty() ? node.op_type() : node.name()));
      bytes_ += node.ByteSizeLong();
      constexpr size_t kMost = size_t{1} << 31;
      if (bytes_ > kMost) call.function->Invalid("and others become more than 2 GiB when they are put in place");
    }
    *graph.add_node() = std::move(node);
  }

  void BindAttributes(onnx::NodeProto& node, const Call& call, Scope& scope) {
    auto* attributes = node.mutable_attribute();
    for (int i = 0; i < attributes->size();) {
      onnx::AttributeProto& attribute = *attributes->Mutable(i);
      bool expanded = false;
      if (!attribute.ref_attr_name().empty()) {
        if (call.function == nullptr)
          throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. Error: attribute '", attribute.name(),
                                                "' of node '", node.name(), "' (", node.op_type(), ") refers to '",
                                                attribute.ref_attr_name(), "', but it stands in no function"));
        const auto bound = call.attributes.find(attribute.ref_attr_name());
        if (bound == call.attributes.end()) {
          attributes->DeleteSubrange(i, 1);
          continue;
        }
        const std::string name = attribute.name();
        attribute = *bound->second.value;
        attribute.set_name(name);
        expanded = bound->second.expanded;
      }
      if (!expanded) {
        if (attribute.has_g()) Expand(*attribute.mutable_g(), call, scope);
        for (auto& body : *attribute.mutable_graphs()) Expand(body, call, scope);
      }
      ++i;
    }
  }

  /// A body of a node: of the main graph it keeps its names, of a function it gets new ones.
  void Expand(onnx::GraphProto& graph, const Call& call, const Scope& outer) {
    Scope scope{&outer, {}};
    const auto define = [&](const std::string& name) {
      if (!name.empty() && scope.names.count(name) == 0) scope.names[name] = Fresh(name, call);
    };
    for (const auto& input : graph.input()) define(input.name());
    for (const auto& tensor : graph.initializer()) define(tensor.name());
    for (const auto& tensor : graph.sparse_initializer()) define(tensor.values().name());
    for (const auto& node : graph.node())
      for (const auto& output : node.output()) define(output);
    for (auto& input : *graph.mutable_input()) input.set_name(scope.names[input.name()]);
    for (auto& tensor : *graph.mutable_initializer()) tensor.set_name(scope.names[tensor.name()]);
    for (auto& tensor : *graph.mutable_sparse_initializer())
      tensor.mutable_values()->set_name(scope.names[tensor.values().name()]);
    for (auto& value : *graph.mutable_value_info())
      if (const auto found = scope.names.find(value.name()); found != scope.names.end()) value.set_name(found->second);
    Nodes nodes;
    nodes.Swap(graph.mutable_node());
    for (auto& node : nodes) Append(std::move(node), call, scope, graph);
    for (auto& output : *graph.mutable_output()) {
      const std::string name = Find(output.name(), call, scope);
      if (name.empty() && call.function != nullptr)
        call.function->Invalid(Concat("has a graph whose output '", output.name(), "' is left out by its call"));
      output.set_name(name);
    }
  }

  const Function* Called(const onnx::NodeProto& node) const {
    const auto found = functions_.find(Key(node.domain(), node.op_type(), node.overload()));
    if (found == functions_.end()) return nullptr;
    const std::string domain = Domain(node.domain());
    const auto import = imports_.find(domain);
    const bool standard = import != imports_.end() &&
                          StandardSchemas::Instance().GetSchema(node.op_type(), import->second, domain) != nullptr;
    return standard ? nullptr : &found->second;
  }

  /// Puts the body in the place of `node`, whose names and attributes are those of the model that is made.
  /// `own_outputs` are its outputs as its graph, of `outer`, names them.
  void Inline(const onnx::NodeProto& node, const Function& function, const std::vector<std::string>& own_outputs,
              Scope& outer, onnx::GraphProto& graph) {
    const onnx::FunctionProto& body = *function.proto;
    Call call{&function, node.name(), Concat("__", ++calls_), {}};
    for (const auto& attribute : body.attribute_proto()) call.attributes[attribute.name()] = {&attribute, false};
    for (const auto& attribute : node.attribute()) call.attributes[attribute.name()] = {&attribute, true};
    Scope scope;
    for (int i = 0; i < body.input_size(); ++i)
      if (!scope.names.emplace(body.input(i), i < node.input_size() ? node.input(i) : "").second)
        function.Invalid(Concat("has two inputs '", body.input(i), "'"));
    const std::unordered_set<std::string> inputs(body.input().begin(), body.input().end());
    const auto most = [&](const char* what, const auto& given, int formal) {
      for (int i = formal; i < given.size(); ++i)
        if (!given.Get(i).empty())
          function.Invalid(
              Concat("has ", formal, " ", what, ", but node '", node.name(), "' that calls it has ", given.size()));
    };
    most("inputs", node.input(), body.input_size());
    most("outputs", node.output(), body.output_size());
    std::unordered_set<std::string> made;
    for (const auto& part : body.node())
      for (const auto& output : part.output())
        if (!output.empty() && (inputs.count(output) != 0 || !made.insert(output).second))
          function.Invalid(Concat("makes '", output, "' more than once"));
    std::vector<std::pair<std::string, int>>
        copies;  // a value that has its name already, and the output that it is too
    for (int i = 0; i < std::min(node.output_size(), body.output_size()); ++i) {
      const std::string& formal = body.output(i);
      if (node.output(i).empty()) continue;
      if (made.count(formal) == 0 && inputs.count(formal) == 0)
        function.Invalid(Concat("has an output '", formal, "' that no node of it makes"));
      const auto [place, fresh] = scope.names.emplace(formal, node.output(i));
      if (!fresh) copies.emplace_back(place->second, i);
    }
    for (const auto& part : body.node())
      for (const auto& output : part.output())
        if (!output.empty() && scope.names.count(output) == 0) scope.names[output] = Fresh(output, call);
    AppendTypes(body, made, scope, graph);
    for (const auto& part : body.node()) Append(part, call, scope, graph);
    for (const auto& [from, output] : copies) {
      if (from.empty())
        outer.names[own_outputs[static_cast<size_t>(output)]] = "";  // who reads it reads a value that is left out
      else
        AppendCopy(from, node.output(output), node.name(), graph);
    }
  }

  /// What the function says of the types of its inner values.
  static void AppendTypes(const onnx::FunctionProto& body, const std::unordered_set<std::string>& made,
                          const Scope& scope, onnx::GraphProto& graph) {
    const std::unordered_set<std::string> outputs(body.output().begin(), body.output().end());
    for (const auto& value : body.value_info()) {
      if (made.count(value.name()) == 0 || outputs.count(value.name()) != 0) continue;
      auto& added = *graph.add_value_info();
      added = value;
      added.set_name(scope.names.at(value.name()));
    }
  }

  void AppendCopy(const std::string& from, const std::string& to, const std::string& name, onnx::GraphProto& graph) {
    constexpr int kOfSequences = 14;  // Identity's first version that takes them
    constexpr int kSequences = 11;    // the standard's first opset that has them
    if (imports_.count("") == 0)
      Import("", onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second);
    auto& copy = *graph.add_node();
    copy.set_op_type("Identity");
    copy.set_name(name);
    copy.add_input(from);
    copy.add_output(to);
    if (const int opset = imports_.at(""); opset >= kSequences && opset < kOfSequences) SetPin(copy, kOfSequences);
  }

  /// Keeps the meaning that the operator has at the function's opset.
  void Pin(onnx::NodeProto& node, const Function& function) {
    const std::string domain = Domain(node.domain());
    const auto own = function.imports.find(domain);
    if (own == function.imports.end()) return;
    const int models = imports_.at(domain);
    if (own->second == models) return;
    const auto& schemas = StandardSchemas::Instance();
    const onnx::OpSchema* meant = schemas.GetSchema(node.op_type(), own->second, domain);
    if (meant != nullptr && meant != schemas.GetSchema(node.op_type(), models, domain)) SetPin(node, own->second);
  }

  void SetPin(onnx::NodeProto& node, int opset) {
    node.set_domain(PinnedDomain{Domain(node.domain()), opset}.Name());
    Import(node.domain(), opset);
  }

  onnx::ModelProto& model_;
  Imports imports_;
  std::unordered_map<std::string, Function> functions_;
  std::unordered_set<std::string> taken_;  ///< names of values
  size_t calls_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

void InlineFunctions(onnx::ModelProto& model) { Inliner(model).Run(); }

}  // namespace ortrun
