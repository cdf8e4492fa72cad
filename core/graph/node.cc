// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/nearest.h"
#include "core/graph/graph.h"
#include "ortrun/error.h"

const OrtOpAttr* OrtNode::Attribute(const std::string& attribute) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const OrtOpAttr& a) { return a.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

int64_t OrtNode::Int(const std::string& attribute, int64_t otherwise) const {
  const OrtOpAttr* found = Attribute(attribute);
  return found != nullptr && found->type == ORT_OP_ATTR_INT ? found->i : otherwise;
}

float OrtNode::Float(const std::string& attribute, float otherwise) const {
  const OrtOpAttr* found = Attribute(attribute);
  return found != nullptr && found->type == ORT_OP_ATTR_FLOAT ? found->f : otherwise;
}

std::string OrtNode::String(const std::string& attribute, const std::string& otherwise) const {
  const OrtOpAttr* found = Attribute(attribute);
  return found != nullptr && found->type == ORT_OP_ATTR_STRING ? found->s : otherwise;
}

const std::vector<int64_t>& OrtNode::Ints(const std::string& attribute) const {
  static const std::vector<int64_t> none;
  const OrtOpAttr* found = Attribute(attribute);
  return found != nullptr && found->type == ORT_OP_ATTR_INTS ? found->ints : none;
}

std::string OrtNode::Describe() const {
  return ortrun::Concat("node '", ortrun::Shortened(name), "' (", domain.empty() ? "" : ortrun::Shortened(domain) + ".",
                        ortrun::Shortened(op_type), ")");
}
