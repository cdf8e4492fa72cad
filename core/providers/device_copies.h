// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/execution/session_state.h"
#include "core/graph/graph.h"

namespace ortrun {

/// Whether a node is one of those that InsertDeviceCopies made.
bool IsDeviceCopy(const Node& node);

/// Index of the memory that a value is made in, by whatever graph; inputs of the main graph are on the CPU.
size_t MadeIn(const ValueInfo& value, const SessionState& session);

/// Whether a node reads the shape of its input alone: it takes the value in whatever memory it is.
bool ReadsShapeOnly(const Node& node);

/// Puts a copy where a value is made in one memory and wanted in another: one per value and wanted memory, however many
/// nodes want it there. Values that are inputs or outputs of `graph` are on the CPU; values of outer graphs stay where
/// their own graph made them. Constants need no copies: a program keeps them where they are wanted.
/// Works on subgraphs too. Answers the number of copies in `graph` itself.
size_t InsertDeviceCopies(Graph& graph, SessionState& session);

}  // namespace ortrun
