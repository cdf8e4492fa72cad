// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <onnx/defs/schema.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ortrun {

/// The operator schemas of the ONNX standard, each made when it is asked for the first time. onnx's own registry makes
/// all versions of all operators at the first question, which takes longer than making a session. Thread-safe; what it
/// hands out lives as long as the process.
class StandardSchemas final : public onnx::ISchemaRegistry {
 public:
  static const StandardSchemas& Instance();

  /// The newest schema not newer than `version`, or nullptr. A pinned domain (pinned_domain.h) says its version itself.
  const onnx::OpSchema* GetSchema(const std::string& op, int version, const std::string& domain) const override;

  /// Names of all operators of a domain. Makes every schema of it.
  std::vector<std::string> Names(const std::string& domain) const;

 private:
  StandardSchemas();
  const onnx::OpSchema& Made(size_t index) const;

  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<const onnx::OpSchema>> made_;  ///< by place in the table; nullptr: not yet
};

}  // namespace ortrun
