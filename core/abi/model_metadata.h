// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/graph/graph.h"

/// What a model says about itself; a copy, so that it may outlive the session.
struct OrtModelMetadata {
  std::string producer;
  std::string graph_name;
  std::string domain;
  std::string description;
  std::string graph_description;
  int64_t version = 0;
  std::map<std::string, std::string> custom;
};

namespace ortrun::abi {
std::unique_ptr<OrtModelMetadata> NewModelMetadata(const OrtModel& model, const OrtGraph& graph);
}
