// SPDX-License-Identifier: Apache-2.0
#include "core/graph/graph.h"

#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/abi/model_metadata.h"
#include "core/graph/subgraph.h"

namespace ortrun::abi {
namespace {

OrtStatus* Graph_GetName(const OrtGraph* graph, const char** graph_name) {
  return Guard({{"graph", graph}, {"graph_name", graph_name}}, [&] { *graph_name = graph->name.c_str(); });
}

OrtStatus* Graph_GetModelPath(const OrtGraph* graph, const char** model_path) {
  return Guard({{"graph", graph}, {"model_path", model_path}}, [&] { *model_path = graph->model()->path.c_str(); });
}

OrtStatus* Graph_GetOnnxIRVersion(const OrtGraph* graph, int64_t* onnx_ir_version) {
  return Guard({{"graph", graph}, {"onnx_ir_version", onnx_ir_version}},
               [&] { *onnx_ir_version = graph->model()->ir_version; });
}

OrtStatus* Graph_GetNumOperatorSets(const OrtGraph* graph, size_t* num_operator_sets) {
  return Guard({{"graph", graph}, {"num_operator_sets", num_operator_sets}},
               [&] { *num_operator_sets = graph->model()->opsets.size(); });
}

OrtStatus* Graph_GetOperatorSets(const OrtGraph* graph, const char** domains, int64_t* opset_versions,
                                 size_t num_operator_sets) {
  return Guard({{"graph", graph}, {"domains", domains}, {"opset_versions", opset_versions}}, [&] {
    const auto& opsets = graph->model()->opsets;
    Require(num_operator_sets >= opsets.size(), "the arrays hold ", num_operator_sets, " entries, ", opsets.size(),
            " are needed");
    for (const auto& [domain, version] : opsets) {
      *domains++ = domain.c_str();
      *opset_versions++ = version;
    }
  });
}

OrtStatus* Graph_GetNumInputs(const OrtGraph* graph, size_t* num_inputs) {
  return Guard({{"graph", graph}, {"num_inputs", num_inputs}}, [&] { *num_inputs = graph->inputs().size(); });
}

OrtStatus* Graph_GetInputs(const OrtGraph* graph, const OrtValueInfo** inputs, size_t num_inputs) {
  return Guard({{"graph", graph}, Array("inputs", inputs, num_inputs)},
               [&] { CopyPointersOut(graph->inputs(), "the inputs", inputs, num_inputs); });
}

OrtStatus* Graph_GetNumOutputs(const OrtGraph* graph, size_t* num_outputs) {
  return Guard({{"graph", graph}, {"num_outputs", num_outputs}}, [&] { *num_outputs = graph->outputs().size(); });
}

OrtStatus* Graph_GetOutputs(const OrtGraph* graph, const OrtValueInfo** outputs, size_t num_outputs) {
  return Guard({{"graph", graph}, Array("outputs", outputs, num_outputs)},
               [&] { CopyPointersOut(graph->outputs(), "the outputs", outputs, num_outputs); });
}

OrtStatus* Graph_GetNumInitializers(const OrtGraph* graph, size_t* num_initializers) {
  return Guard({{"graph", graph}, {"num_initializers", num_initializers}},
               [&] { *num_initializers = graph->Initializers().size(); });
}

OrtStatus* Graph_GetInitializers(const OrtGraph* graph, const OrtValueInfo** initializers, size_t num_initializers) {
  return Guard({{"graph", graph}, Array("initializers", initializers, num_initializers)},
               [&] { CopyPointersOut(graph->Initializers(), "the initializers", initializers, num_initializers); });
}

OrtStatus* Graph_GetNumNodes(const OrtGraph* graph, size_t* num_nodes) {
  return Guard({{"graph", graph}, {"num_nodes", num_nodes}}, [&] { *num_nodes = graph->nodes().size(); });
}

OrtStatus* Graph_GetNodes(const OrtGraph* graph, const OrtNode** nodes, size_t num_nodes) {
  return Guard({{"graph", graph}, Array("nodes", nodes, num_nodes)},
               [&] { CopyPointersOut(graph->nodes(), "the nodes", nodes, num_nodes); });
}

OrtStatus* Graph_GetParentNode(const OrtGraph* graph, const OrtNode** node) {
  return Guard({{"graph", graph}, {"node", node}}, [&] { *node = graph->parent(); });
}

OrtStatus* Graph_GetGraphView(const OrtGraph* src_graph, const OrtNode** nodes, size_t num_nodes,
                              OrtGraph** dst_graph) {
  return Guard({{"src_graph", src_graph}, Array("nodes", nodes, num_nodes), {"dst_graph", dst_graph}}, [&] {
    for (size_t i = 0; i < num_nodes; ++i)
      Require(nodes[i] != nullptr && nodes[i]->graph == src_graph, "Graph_GetGraphView: node ", i,
              " is null or of another graph");
    *dst_graph = ExtractSubgraph(*src_graph, {nodes, nodes + num_nodes}).release();
  });
}

OrtStatus* Graph_GetModelMetadata(const OrtGraph* graph, OrtModelMetadata** out) {
  return Guard({{"graph", graph}, {"out", out}}, [&] { *out = NewModelMetadata(*graph->model(), *graph).release(); });
}

}  // namespace

void FillGraph(OrtApi& api) {
  api.Graph_GetName = Graph_GetName;
  api.Graph_GetModelPath = Graph_GetModelPath;
  api.Graph_GetOnnxIRVersion = Graph_GetOnnxIRVersion;
  api.Graph_GetNumOperatorSets = Graph_GetNumOperatorSets;
  api.Graph_GetOperatorSets = Graph_GetOperatorSets;
  api.Graph_GetNumInputs = Graph_GetNumInputs;
  api.Graph_GetInputs = Graph_GetInputs;
  api.Graph_GetNumOutputs = Graph_GetNumOutputs;
  api.Graph_GetOutputs = Graph_GetOutputs;
  api.Graph_GetNumInitializers = Graph_GetNumInitializers;
  api.Graph_GetInitializers = Graph_GetInitializers;
  api.Graph_GetNumNodes = Graph_GetNumNodes;
  api.Graph_GetNodes = Graph_GetNodes;
  api.Graph_GetParentNode = Graph_GetParentNode;
  api.Graph_GetGraphView = Graph_GetGraphView;
  api.Graph_GetModelMetadata = Graph_GetModelMetadata;
  api.ReleaseGraph = Delete<OrtGraph>;
}

}  // namespace ortrun::abi
