// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/rewriter.h"

namespace ortrun {

namespace {

template <typename Nodes>
std::string Listed(const Nodes& nodes) {
  std::string text;
  for (const auto& node : nodes) text += (text.empty() ? "" : ", ") + node->Describe();
  return text.empty() ? "nothing" : text;
}

}  // namespace

void Rewriter::Log(const Patch& patch) const {
  if (!context_.logger.Enabled(ORT_LOGGING_LEVEL_VERBOSE)) return;
  context_.logger.Log(ORT_LOGGING_LEVEL_VERBOSE, "patch ", context_.patches.applied, " by ", pass_, ": ",
                      Listed(patch.taken()), " -> ", Listed(patch.made()));
}

bool Rewriter::Apply(Patch& patch) {
  if (context_.patches.applied >= context_.patches.most) return false;
  if (const std::string why = patch.Refusal(); !why.empty()) {
    context_.logger.Log(ORT_LOGGING_LEVEL_VERBOSE, "a patch by ", pass_, " was refused: ", why);
    return false;
  }
  ++context_.patches.applied;
  ++count_;
  if (context_.names != nullptr) context_.names->Commit();
  Log(patch);
  std::vector<std::string> all;
  for (const Node* node : patch.taken_) {
    if (node->origins.empty()) {
      all.push_back(node->name);
    } else {
      all.insert(all.end(), node->origins.begin(), node->origins.end());
    }
  }
  for (const Node* node : patch.taken_) removed_.insert(node);
  for (Node* node : patch.taken_) graph_.DetachNode(node);
  for (auto& value : patch.values_) graph_.Adopt(std::move(value));
  for (auto& node : patch.made_) {
    if (patch.for_all_.count(node.get()) != 0) node->origins = all;
    graph_.Adopt(std::move(node));
  }
  for (const auto& [from, to] : patch.redirected_) {
    if (!from->is_output) {
      graph_.ReplaceUses(from, to);
      continue;
    }
    graph_.SetOutput(to->producer, to->producer_output, from);
    graph_.ReplaceUses(to, from);
  }
  for (auto& constant : patch.constants_) {
    constant.value->type = constant.constant->TypeOf();
    constant.value->initializer = std::move(constant.constant);
    constant.value->external = std::move(constant.external);
  }
  return true;
}

bool Rewriter::Bypass(Node* node, ValueInfo* by) {
  if (node->outputs.empty() || node->outputs[0] == nullptr || by == nullptr) return false;
  Patch patch = Start(*node);
  patch.Take(node);
  patch.Redirect(node->outputs[0], by);
  return Apply(patch);
}

}  // namespace ortrun
