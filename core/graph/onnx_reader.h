// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/base/logging.h"
#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// What the caller may say about reading a model.
struct ReadOptions {
  /// Folder in which external data of a model from memory may lie; empty: external data is refused.
  std::filesystem::path external_folder;
  /// External data is copied instead of mapped: the files may change while a session lives, at the cost of its memory.
  bool copy_external_data = false;
  /// Contents of external files given by the caller, by the name that the model uses.
  std::map<std::string, std::pair<const char*, size_t>> external_files;
  /// Initialisers given by the caller, by name; they replace those of the model.
  std::map<std::string, std::shared_ptr<const Value>> initializers;
  /// Names of those that the model must have; of the others a warning says that it has none.
  std::set<std::string> demanded_initializers;
  /// Values for symbolic dimensions, by symbol and by denotation.
  std::map<std::string, int64_t> dimension_by_name;
  std::map<std::string, int64_t> dimension_by_denotation;
  /// Schemas of custom operators, asked where onnx knows none.
  std::function<const OperatorSchema*(const std::string& domain, const std::string& op, int version)> custom_schema;
  /// Sets the types of what a custom operator's node makes, as far as the operator says them.
  std::function<void(Node& node)> infer_custom;
  const Logger* logger = nullptr;
};

/// Reads an ONNX model: parses, checks, resolves external data (mapped unless it is to be copied, inside the model's
/// real folder only), inlines the model's own functions, turns Constant nodes into initialisers, sorts, infers types
/// and shapes. What the standard does not allow but models in use have (a domain that is not imported, a name given
/// twice to constants) is taken with a warning. Errors: ORT_NO_SUCHFILE, ORT_INVALID_PROTOBUF (says what it looks
/// like), ORT_INVALID_ARGUMENT (no graph, or a value that nobody makes), ORT_INVALID_GRAPH (a node that its operator
/// does not allow), ORT_FAIL (everything else).
std::unique_ptr<Model> ReadModel(const std::filesystem::path& path, const ReadOptions& options);

/// As above from memory. Neither the bytes here nor the file above are needed after the call; external data stays
/// mapped.
std::unique_ptr<Model> ReadModel(const void* data, size_t bytes, const ReadOptions& options);

/// Infers types and shapes of all values again after inputs got fixed dimensions or nodes were added
/// (used for models built through the model editor interface).
void InferTypes(Model& model, const ReadOptions& options);

}  // namespace ortrun
