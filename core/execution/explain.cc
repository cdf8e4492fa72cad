// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "core/execution/session.h"
#include "core/execution/session_impl.h"
#include "core/providers/device_copies.h"

using Json = nlohmann::ordered_json;

namespace {

Json DescribeNode(const OrtNode& node, const OrtSession::Impl& impl) {
  Json described;
  described["name"] = node.name;
  described["op"] = node.op_type;
  described["domain"] = node.domain;
  described["version"] = node.since_version;
  described["provider"] = node.provider;
  described["graph"] = node.graph->parent() == nullptr ? "" : node.graph->name;
  Json origins = Json::array();
  for (const std::string& origin : node.origins) origins.push_back(origin);
  Json declined = Json::array();
  if (const auto* refusals = impl.state.partition.RefusalsOf(node))
    for (const ortrun::Refusal& refusal : *refusals)
      declined.push_back({{"provider", refusal.provider}, {"reason", refusal.reason}});
  for (const ortrun::FusedGroup& group : impl.state.partition.fused)
    if (group.node == &node)
      for (const auto& part : group.body->nodes()) origins.push_back(part->name);
  described["fused_from"] = std::move(origins);
  described["declined"] = std::move(declined);
  return described;
}

void Visit(const OrtGraph& graph, const OrtSession::Impl& impl, Json& nodes) {
  for (const auto& node : graph.nodes()) {
    if (!ortrun::IsDeviceCopy(*node)) nodes.push_back(DescribeNode(*node, impl));
    for (const auto& body : node->subgraphs) Visit(*body.second, impl, nodes);
  }
}

std::string Text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string OrtSession::Explain() const {
  Json explained;
  explained["providers"] = impl_->provider_names;
  explained["copies"] = impl_->copies;
  explained["nodes"] = Json::array();
  Visit(*impl_->model->graph, *impl_, explained["nodes"]);
  return Text(explained);
}

std::string OrtSession::Counters() const {
  const ortrun::SessionCounters& counters = impl_->state.counters;
  Json counted;
  counted["runs"] = counters.runs.load();
  counted["planned_runs"] = counters.planned_runs.load();
  counted["plans"] = impl_->program->plans().size();
  counted["plan_bytes"] = impl_->program->plans().bytes();
  counted["heap_allocations"] = counters.heap_allocations.load();
  counted["copies"] = counters.copies.load();
  return Text(counted);
}
