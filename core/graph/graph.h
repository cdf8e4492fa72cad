// SPDX-License-Identifier: Apache-2.0
#pragma once

// A model in memory. The nouns are those of the C interface: OrtModel, OrtGraph, OrtNode, OrtValueInfo (an edge) and
// OrtOpAttr are the graph itself, not wrappers of it, so handing one to a plugin costs nothing.
//
// Ownership: a model owns its main graph; a graph owns its values and nodes; a node owns its attributes and subgraphs.
// Pointers between them stay valid until the pointed-to object is removed. A graph is changed by one thread (while the
// session is made) and only read afterwards.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/execution/value.h"
#include "core/graph/type_info.h"

struct OrtGraph;
struct OrtModel;

/// Where the bytes of an initialiser stand in a file, when they stand outside the model file.
struct OrtExternalInitializerInfo {
  std::filesystem::path file;  ///< as the model names it, relative to the model's folder
  int64_t offset = 0;
  size_t bytes = 0;
};

/// One attribute of a node. Exactly the member named by `type` is meaningful; graph attributes stand in
/// OrtNode::subgraphs.
struct OrtOpAttr {
  std::string name;
  OrtOpAttrType type = ORT_OP_ATTR_UNDEFINED;
  int64_t i = 0;
  float f = 0;
  std::string s;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  std::shared_ptr<const OrtValue> tensor;
};

/// A use of a value: input `index` of `node`, or an implicit input (a subgraph of `node` reads it) when index is -1.
struct OrtUse {
  OrtNode* node = nullptr;
  int64_t index = 0;
};

/// The uses of a value, in the order of their making while they are few. A weight may have as many as the model has
/// nodes: taking one off costs the same then.
struct OrtUses {
 public:
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  const OrtUse& operator[](size_t i) const { return list_[i]; }
  operator const std::vector<OrtUse>&() const { return list_; }  // NOLINT: it is a list that is changed in few ways

  void Add(const OrtUse& use);
  void Drop(const OrtNode* node, int64_t index);  ///< no more than one
  std::vector<OrtUse> TakeAll();

 private:
  using Place = std::pair<const OrtNode*, int64_t>;
  struct Hash {
    size_t operator()(const Place& place) const {
      return std::hash<const void*>()(place.first) * 31 + static_cast<size_t>(place.second);
    }
  };
  void IndexAll();

  std::vector<OrtUse> list_;
  std::unordered_map<Place, size_t, Hash> index_;  ///< in list_; empty while that is short
};

/// A value of a graph: an edge from its one producer (a node, an input, an initialiser) to its consumers.
struct OrtValueInfo {
  std::string name;
  OrtTypeInfo type;  ///< as far as it is known
  OrtGraph* graph = nullptr;

  OrtNode* producer = nullptr;  ///< nullptr for inputs, initialisers and values of an outer graph
  size_t producer_output = 0;
  OrtUses uses;

  /// The constant, for an initialiser. Its bytes may lie in the mapped model file. An initialiser that is a graph input
  /// too is only a default value (is_input is set), not a constant.
  std::shared_ptr<const OrtValue> initializer;
  std::shared_ptr<const OrtExternalInitializerInfo> external;
  /// What the model says of an input or output of the main graph, where `type` holds less: a caller may give an input
  /// that is declared as a scalar any rank, so neither its shape nor what follows from it is relied on.
  std::shared_ptr<const OrtTypeInfo> declared;
  bool is_input = false;
  bool is_output = false;
  bool expected = false;          ///< while a model is read: some node of the graph will make it
  OrtValueInfo* outer = nullptr;  ///< for a value of an enclosing graph that this graph reads: that graph's value

  bool IsConstant() const { return initializer != nullptr && !is_input; }
};

/// A call of an operator.
struct OrtNode {
  size_t id = 0;  ///< unique in its graph
  std::string name;
  std::string op_type;
  std::string domain;  ///< "" is the standard's; never "ai.onnx"
  int since_version =
      0;  ///< of the operator's schema under the model's opset; the opset itself where no schema is known
  OrtGraph* graph = nullptr;

  std::vector<OrtValueInfo*> inputs;   ///< nullptr for an omitted optional input
  std::vector<OrtValueInfo*> outputs;  ///< nullptr for an omitted optional output
  /// Values of `graph` (its own or its outer ones) that subgraphs of this node read, without repeats.
  std::vector<OrtValueInfo*> implicit_inputs;
  std::vector<OrtOpAttr> attributes;
  std::vector<std::pair<std::string, std::unique_ptr<OrtGraph>>> subgraphs;  ///< attribute name, body

  std::string provider;              ///< the provider that runs it, "" before partitioning
  std::vector<std::string> origins;  ///< names of the model's nodes it stands for; empty: itself

  const OrtOpAttr* Attribute(const std::string& attribute) const;
  int64_t Int(const std::string& attribute, int64_t otherwise) const;
  float Float(const std::string& attribute, float otherwise) const;
  std::string String(const std::string& attribute, const std::string& otherwise) const;
  /// Values of an ints attribute; empty when absent.
  const std::vector<int64_t>& Ints(const std::string& attribute) const;
  bool Is(const char* op, const char* in_domain = "") const { return op_type == op && domain == in_domain; }
  /// "node 'name' (domain.Op)", for messages.
  std::string Describe() const;
};

/// A graph: the main one of a model, or the body of a node.
struct OrtGraph {
 public:
  OrtGraph(OrtModel* model, OrtNode* parent) : model_(model), parent_(parent) {}
  OrtGraph(const OrtGraph&) = delete;
  OrtGraph& operator=(const OrtGraph&) = delete;
  ~OrtGraph();

  std::string name;
  std::string description;

  OrtModel* model() const { return model_; }
  OrtNode* parent() const { return parent_; }  ///< the node that this graph is a body of; nullptr for the main graph

  const std::vector<OrtValueInfo*>& inputs() const { return inputs_; }
  const std::vector<OrtValueInfo*>& outputs() const { return outputs_; }
  std::vector<OrtValueInfo*> Initializers() const;  ///< in the order of their making
  /// In an order in which every node follows its producers, once Sort has been called after the last change.
  const std::vector<std::unique_ptr<OrtNode>>& nodes() const { return nodes_; }
  const std::vector<std::unique_ptr<OrtValueInfo>>& values() const { return values_; }

  /// The value of this graph with that name, or nullptr. Does not look into outer graphs.
  OrtValueInfo* Find(const std::string& value) const;
  /// The value of that name, made when absent.
  OrtValueInfo* FindOrAdd(const std::string& value);
  /// A new value whose name starts with `prefix` and is used nowhere in the model.
  OrtValueInfo* AddValue(const std::string& prefix, OrtTypeInfo type);
  OrtValueInfo* AddConstant(const std::string& prefix, OrtValue tensor);
  /// Takes in a value that was made apart. Its name becomes a prefix, as of AddValue.
  OrtValueInfo* Adopt(std::unique_ptr<OrtValueInfo> value);
  void AddInput(OrtValueInfo* value);
  void AddOutput(OrtValueInfo* value);
  /// Replaces the list of inputs, or outputs; values that leave it stay in the graph.
  void SetInputs(const std::vector<OrtValueInfo*>& inputs);
  void SetOutputs(const std::vector<OrtValueInfo*>& outputs);

  /// A node without inputs, outputs and attributes. Set them with the functions below, which keep producer and uses.
  OrtNode* AddNode(std::string node_name, std::string op, std::string domain, int since_version);
  /// Takes in a node that was made apart, with the values that it names: from now on it reads and makes them.
  OrtNode* Adopt(std::unique_ptr<OrtNode> node);
  void SetInput(OrtNode* node, size_t index, OrtValueInfo* value);   ///< grows the list; nullptr: omitted
  void SetOutput(OrtNode* node, size_t index, OrtValueInfo* value);  ///< the value's former producer loses it
  void AddImplicitInput(OrtNode* node, OrtValueInfo* value);
  /// Makes every consumer of `from` (and the graph's outputs when `outputs` is set) read `to` instead.
  void ReplaceUses(OrtValueInfo* from, OrtValueInfo* to);
  /// Takes a node out. Its outputs lose their producer; values that are then unused may be dropped by RemoveUnused.
  void RemoveNode(OrtNode* node);
  /// As RemoveNode, but the emptied node stays among the others until Sort or RemoveUnused take all such out at once.
  void DetachNode(OrtNode* node);
  /// Drops nodes whose outputs nobody needs, and values without producer and use. Answers how many nodes went.
  size_t RemoveUnused();

  /// Orders nodes_ topologically (stable). Throws Error(ORT_FAIL) naming the nodes of a cycle.
  void Sort();

 private:
  std::string FreshName(const std::string& prefix);
  void DropDetached();

  OrtModel* model_;
  OrtNode* parent_;
  std::vector<std::unique_ptr<OrtValueInfo>> values_;
  std::unordered_map<std::string, OrtValueInfo*> by_name_;
  std::vector<OrtValueInfo*> inputs_;
  std::vector<OrtValueInfo*> outputs_;
  std::vector<std::unique_ptr<OrtNode>> nodes_;
  std::unordered_set<const OrtNode*> detached_;
  size_t next_id_ = 0;
  size_t next_name_ = 0;
};

/// A model: its main graph and what its file says about itself.
struct OrtModel {
 public:
  OrtModel();
  OrtModel(const OrtModel&) = delete;
  OrtModel& operator=(const OrtModel&) = delete;
  ~OrtModel();

  int64_t ir_version = 0;
  std::map<std::string, int> opsets;  ///< domain ("" is the standard's) to version
  std::string producer;
  std::string producer_version;
  std::string domain;
  int64_t version = 0;
  std::string description;
  std::map<std::string, std::string> metadata;
  std::filesystem::path path;  ///< empty for a model from memory

  std::unique_ptr<OrtGraph> graph;
  /// Files and buffers that initialisers point into.
  std::vector<std::shared_ptr<void>> storage;

  /// The opset of a domain, 0 when the model does not import it.
  int Opset(const std::string& of_domain) const;
};

namespace ortrun {

using Attribute = ::OrtOpAttr;
using Graph = ::OrtGraph;
using Model = ::OrtModel;
using Node = ::OrtNode;
using Use = ::OrtUse;
using ValueInfo = ::OrtValueInfo;
using ExternalInitializerInfo = ::OrtExternalInitializerInfo;

}  // namespace ortrun
