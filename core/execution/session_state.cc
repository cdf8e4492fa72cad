// SPDX-License-Identifier: Apache-2.0
#include "core/execution/session_state.h"

#include "core/execution/program.h"
#include "core/providers/device_copies.h"

namespace ortrun {
namespace {

/// Whether a provider's kernels work on memory of their own.
size_t MemoryOf(const SessionState& session, const Provider* provider) {
  if (provider == nullptr) return 0;
  const int index = session.FindMemory(provider->memory.device);
  return index < 0 ? 0 : static_cast<size_t>(index);
}

const OrtKernelDef* DefOf(const Partition& partition, const Node& node) {
  const auto entry = partition.kernels.find(&node);
  return entry == partition.kernels.end() ? nullptr : &entry->second->def;
}

const Provider* OwnerOf(const Partition& partition, const Node& node) {
  // Bodies run on the host, whoever registered the kernel that starts them.
  if (!node.subgraphs.empty()) return nullptr;
  const auto owner = partition.owners.find(&node);
  return owner == partition.owners.end() ? nullptr : owner->second;
}

}  // namespace

SessionState::SessionState() = default;
SessionState::~SessionState() = default;

int SessionState::FindMemory(const MemoryDevice& device) const {
  for (size_t i = 0; i < memories.size(); ++i)
    if (memories[i].info.device == device) return static_cast<int>(i);
  return -1;
}

size_t SessionState::MemoryIndex(const MemoryInfo& info, Provider* provider) {
  const int found = FindMemory(info.device);
  if (found >= 0) return static_cast<size_t>(found);
  memories.push_back({info, provider->allocator, provider});
  return memories.size() - 1;
}

size_t SessionState::InputMemory(const Node& node, size_t index) const {
  if (IsDeviceCopy(node)) return 0;  // takes its input wherever it is; asked only for constants, which it never has
  const OrtKernelDef* def = DefOf(partition, node);
  if (def != nullptr && def->InputMemory(index) != OrtMemTypeDefault) return 0;
  return MemoryOf(*this, OwnerOf(partition, node));
}

size_t SessionState::OutputMemory(const Node& node, size_t index) const {
  if (IsDeviceCopy(node)) return static_cast<size_t>(node.Int("memory", 0));
  const OrtKernelDef* def = DefOf(partition, node);
  if (def != nullptr && def->OutputMemory(index) != OrtMemTypeDefault) return 0;
  return MemoryOf(*this, OwnerOf(partition, node));
}

}  // namespace ortrun

const OrtValue* OrtKernelInfo::ConstantInput(size_t index) const {
  if (index >= node->inputs.size() || node->inputs[index] == nullptr) return nullptr;
  const OrtValueInfo* holder = node->inputs[index];
  while (holder->outer != nullptr) holder = holder->outer;
  return holder->IsConstant() ? holder->initializer.get() : nullptr;
}
