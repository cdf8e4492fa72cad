// SPDX-License-Identifier: Apache-2.0
#include "core/graph/opset_imports.h"

#include <onnx/common/constants.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <string>
#include <utility>

#include "ortrun/error.h"

namespace ortrun {
namespace {

std::string Shown(const std::string& domain) { return domain.empty() ? "ai.onnx" : domain; }

/// The newest version of a domain of the standard; 0 for other domains.
int NewestVersion(const std::string& domain) {
  const auto& known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  const auto range = known.find(domain);
  return range == known.end() ? 0 : range->second.second;
}

class Imports {
 public:
  explicit Imports(const ReadOptions& options) : options_(options) {}

  void Read(const onnx::ModelProto& model) {
    for (const auto& opset : model.opset_import()) {
      const std::string domain = StandardName(opset.domain());
      constexpr int kMost = 10000;
      const int newest = NewestVersion(domain) == 0 ? kMost : NewestVersion(domain);
      if (opset.version() > newest)
        throw Error(ORT_FAIL, Concat("Unsupported opset: the model imports opset ", opset.version(), " of domain '",
                                     Shown(domain), "', the newest that is supported is ", newest,
                                     ". Export the model with an older opset, or install a newer runtime"));
      if (opset.version() < 1) {
        Warn("the model's import of opset ", opset.version(), " of domain '", Shown(domain),
             "' is passed over: versions begin at 1");
        continue;
      }
      versions_[domain] = static_cast<int>(opset.version());
    }
    if (model.opset_import().empty()) versions_[""] = 1;
  }

  /// Imports what the nodes of a graph and its bodies need.
  void Cover(const onnx::GraphProto& graph) {
    for (const auto& node : graph.node()) {
      if (versions_.count(StandardName(node.domain())) == 0) Add(node);
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) Cover(attribute.g());
        for (const auto& body : attribute.graphs()) Cover(body);
      }
    }
  }

  void Write(onnx::ModelProto& model) const {
    model.clear_opset_import();
    for (const auto& [domain, version] : versions_) {
      auto* opset = model.add_opset_import();
      opset->set_domain(domain);
      opset->set_version(version);
    }
  }

 private:
  static std::string StandardName(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

  void Add(const onnx::NodeProto& node) {
    const std::string domain = StandardName(node.domain());
    int version = NewestVersion(domain);
    if (version == 0) {
      version = 1;
      const bool known = FindSchema(domain, node.op_type(), version) != nullptr ||
                         (options_.custom_schema && options_.custom_schema(domain, node.op_type(), version) != nullptr);
      if (!known)
        throw Error(ORT_INVALID_GRAPH,
                    Concat("This is an invalid model. Error: node '", node.name(), "' (", domain, ".", node.op_type(),
                           "): the model has no opset import for domain '", domain, "'; add one"));
    }
    Warn("the model has nodes of domain '", Shown(domain), "', such as '", node.name(), "' (", node.op_type(),
         "), but no opset import for it: version ", version, " is taken; add an import");
    versions_[domain] = version;
  }

  template <typename... Args>
  void Warn(const Args&... args) const {
    if (options_.logger != nullptr) options_.logger->Warning(args...);
  }

  const ReadOptions& options_;
  std::map<std::string, int> versions_;
};

}  // namespace

void CompleteImports(onnx::ModelProto& model, const ReadOptions& options) {
  Imports imports(options);
  imports.Read(model);
  imports.Cover(model.graph());
  imports.Write(model);
}

}  // namespace ortrun
