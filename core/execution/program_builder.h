// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/execution/program.h"
#include "core/execution/shape_dependence.h"

namespace ortrun {

/// Turns a partitioned, sorted graph into the steps and values of a program, makes the kernels and packs the weights.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(Program& program) : program_(program), session_(program.session_) {}
  void FromGraph(const Graph& graph);
  void FromNode(const Node& node, std::unique_ptr<KernelInfo> info, StepKernel kernel);

 private:
  int IndexOf(const ValueInfo& value, size_t memory);
  int AddValue(const ValueInfo& value, ProgramValue::Role role);
  void AddStep(const Node& node);
  StepKernel MakeKernel(const Node& node, Provider* provider);
  int StreamOf(Provider* provider);
  void PackWeights(Step& step);
  void FindLifetimes();
  void FindSharing();
  void FindShapeOnly();
  void DescribeOutputs();
  ShapeKnowledge KnowledgeOf(const ValueInfo& value) const;

  Program& program_;
  SessionState& session_;
  std::unordered_map<const ValueInfo*, int> locals_;
  std::map<std::pair<const ValueInfo*, size_t>, int> constants_;  ///< by holder and memory
  std::unordered_map<const ValueInfo*, ShapeKnowledge> knowledge_;
};

}  // namespace ortrun
