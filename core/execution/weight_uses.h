// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "core/execution/value.h"
#include "core/graph/graph.h"

namespace ortrun {

/// Who still needs the data of a session's constants. Constants are known by the memory that they lie in, not by their
/// names: several names, shapes and tensors over one memory are one weight. Used while a session is made.
class WeightUses {
 public:
  /// A range of bytes.
  struct Range {
    uintptr_t begin = 0;
    uintptr_t end = 0;
  };

  /// Counts every reader of the constants of a graph and its bodies: inputs of nodes, outputs, defaults of inputs, and
  /// tensors in attributes.
  void Count(const Graph& graph);
  /// One more reader of a tensor.
  void Add(const Value& tensor);
  /// Memory that is somebody else's too: its content stays when no reader in the session is left.
  void KeepContent(const Value& tensor);

  /// One reader of a constant keeps a form of its own from now on.
  void Drop(const Value& constant);
  /// Whether the data of a constant is read by anybody. Always so for what is not counted: text, tensors without
  /// elements.
  bool Needed(const Value& constant) const;
  /// The whole memory around a constant that nobody reads and that the session may do away with; nothing otherwise.
  std::optional<Range> Disposable(const Value& constant) const;

 private:
  struct Entry {
    uintptr_t end = 0;
    size_t readers = 0;
    bool keep_content = false;
  };
  const Entry* Find(const Value& constant) const;
  Entry* Find(const Value& constant);
  Entry* Touch(const Value& tensor);

  std::map<uintptr_t, Entry> entries_;  ///< by first byte; disjoint, as overlapping tensors are one entry
};

}  // namespace ortrun
