// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "core/graph/graph.h"

namespace ortrun {

struct WriteOptions {
  /// Name of a file beside the model that takes the data of initialisers of at least `external_threshold` bytes; empty:
  /// everything stands in the model.
  std::string external_file = {};
  size_t external_threshold = 1024;
  /// Refuse a model that ONNX Runtime would not read.
  bool onnxruntime_operators_only = false;
};

/// Writes a model as ONNX: what ReadModel makes of the file has the same inputs, outputs, nodes and values, each node
/// in the version that it has in memory (opset_choice.h).
/// Both files are written beside their places and renamed when they are complete: a failure leaves the old ones, and
/// sessions that have those mapped, the model's own source among them, keep what they read.
/// Throws Error(ORT_INVALID_ARGUMENT) for an external file that would not lie beside the model, ORT_FAIL when the model
/// cannot be a file (nodes that a provider compiled, more than 2 GiB without an external file) or the file cannot be
/// written.
void WriteModel(const Model& model, const std::filesystem::path& path, const WriteOptions& options);

}  // namespace ortrun
