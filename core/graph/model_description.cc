// SPDX-License-Identifier: Apache-2.0
#include "core/graph/model_description.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/graph/onnx_reader.h"

namespace ortrun {
namespace {

using Json = nlohmann::ordered_json;

Json DescribeValue(const ValueInfo& value) {
  Json described;
  described["name"] = value.name;
  described["type"] = TypeName(value.type);
  if (!value.type.tensor.has_shape) {
    described["shape"] = nullptr;
    return described;
  }
  described["shape"] = Json::array();
  const TensorType& tensor = value.type.tensor;
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    if (tensor.dims[i] >= 0)
      described["shape"].push_back(tensor.dims[i]);
    else if (!tensor.symbols[i].empty())
      described["shape"].push_back(tensor.symbols[i]);
    else
      described["shape"].push_back(nullptr);
  }
  return described;
}

struct Totals {
  std::map<std::string, size_t> operators;
  size_t nodes = 0;
  size_t parameters = 0;
  size_t parameter_bytes = 0;
  size_t external_bytes = 0;
};

void Count(const Graph& graph, Totals& totals) {
  for (const auto& node : graph.nodes()) {
    ++totals.nodes;
    ++totals.operators[node->domain.empty() ? node->op_type : node->domain + "." + node->op_type];
    for (const auto& body : node->subgraphs) Count(*body.second, totals);
  }
  for (const ValueInfo* value : graph.Initializers()) {
    totals.parameters += value->initializer->tensor().count;
    totals.parameter_bytes += value->initializer->bytes();
    if (value->external != nullptr) totals.external_bytes += value->external->bytes;
  }
}

}  // namespace

std::string DescribeModel(const std::filesystem::path& path) {
  const std::unique_ptr<Model> model = ReadModel(path, {});
  Totals totals;
  Count(*model->graph, totals);
  Json described;
  described["path"] = path.string();
  described["bytes"] = std::filesystem::file_size(path);
  described["external_bytes"] = totals.external_bytes;
  described["ir_version"] = model->ir_version;
  described["producer"] = model->producer;
  described["producer_version"] = model->producer_version;
  described["domain"] = model->domain;
  described["model_version"] = model->version;
  described["description"] = model->description;
  described["graph"] = model->graph->name;
  described["opsets"] = model->opsets;
  described["metadata"] = model->metadata;
  described["inputs"] = Json::array();
  for (const ValueInfo* input : model->graph->inputs())
    if (input->initializer == nullptr) described["inputs"].push_back(DescribeValue(*input));
  described["outputs"] = Json::array();
  for (const ValueInfo* output : model->graph->outputs()) described["outputs"].push_back(DescribeValue(*output));
  described["operators"] = totals.operators;
  described["nodes"] = totals.nodes;
  described["parameters"] = totals.parameters;
  described["parameter_bytes"] = totals.parameter_bytes;
  return described.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ortrun
