// SPDX-License-Identifier: Apache-2.0
#include "core/graph/opset_choice.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <set>

#include "core/graph/early_operators.h"
#include "core/graph/pinned_domain.h"
#include "core/graph/schema.h"

namespace ortrun {
namespace {

/// The newest opset of a domain that onnx describes; those of channels-last forms are the standard's.
int Newest(const std::string& domain) {
  const auto& known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto range = known.find(domain);
  return range != known.end() ? range->second.second : known.at("").second;
}

bool MeansTheSame(const std::string& domain, const std::string& op, int since, int opset) {
  const OperatorSchema* schema = FindModelSchema(domain, op, opset);
  return schema != nullptr && schema->since_version == since;
}

}  // namespace

OpsetChoice::OpsetChoice(const Model& model) : imports_(model.opsets) {
  Visit(*model.graph);
  std::set<std::string> domains;
  for (const auto& [key, range] : operators_) domains.insert(std::get<0>(key));
  for (const std::string& domain : domains) Choose(domain);
}

void OpsetChoice::Visit(const Graph& graph) {
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->subgraphs) Visit(*body.second);
    const OperatorSchema* schema = FindSchema(node->domain, node->op_type, node->since_version);
    if (schema == nullptr || schema->standard == nullptr) {
      imports_.emplace(node->domain, std::max(node->since_version, 1));
      continue;
    }
    const auto [place, added] =
        operators_.emplace(Key{node->domain, node->op_type, node->since_version}, Range{node->since_version, 0});
    if (!added) continue;
    int& last = place->second.last;
    for (last = node->since_version; last < Newest(node->domain); ++last) {
      const OperatorSchema* next = FindSchema(node->domain, node->op_type, last + 1);
      if (next == nullptr || next->since_version != schema->since_version) break;
    }
  }
}

void OpsetChoice::Choose(const std::string& domain) {
  Range common{1, Newest(domain)};
  for (const auto& [key, range] : operators_) {
    if (std::get<0>(key) != domain) continue;
    common.first = std::max(common.first, range.first);
    common.last = std::min(common.last, range.last);
  }
  const auto import = imports_.emplace(domain, imports_.count("") != 0 ? imports_[""] : common.first).first;
  if (common.first <= common.last) {
    import->second = std::clamp(import->second, common.first, common.last);
    return;
  }
  for (const auto& entry : operators_) {
    const auto& [of, op, since] = entry.first;
    if (of != domain || MeansTheSame(domain, op, since, import->second)) continue;
    const std::string pinned = PinnedDomain{domain, since}.Name();
    imports_[pinned] = since;
    pinned_[entry.first] = pinned;
  }
}

const std::string& OpsetChoice::DomainOf(const Node& node) const {
  const auto found = pinned_.find(Key{node.domain, node.op_type, node.since_version});
  return found == pinned_.end() ? node.domain : found->second;
}

}  // namespace ortrun
