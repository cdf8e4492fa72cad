// SPDX-License-Identifier: Apache-2.0
#include "core/execution/session.h"

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/providers/environment.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateSession(const OrtEnv* env, const char* model_path, const OrtSessionOptions* options,
                         OrtSession** out) {
  return Guard({{"env", env}, {"model_path", model_path}, {"out", out}}, [&] {
    *out = OrtSession::FromFile(const_cast<OrtEnv&>(*env), model_path,  // NOLINT: the environment is shared and locks
                                options == nullptr ? OrtSessionOptions() : *options)
               .release();
  });
}

OrtStatus* CreateSessionFromArray(const OrtEnv* env, const void* model_data, size_t model_data_length,
                                  const OrtSessionOptions* options, OrtSession** out) {
  return Guard({{"env", env}, {"model_data", model_data}, {"out", out}}, [&] {
    *out = OrtSession::FromMemory(const_cast<OrtEnv&>(*env), model_data, model_data_length,  // NOLINT: as above
                                  options == nullptr ? OrtSessionOptions() : *options)
               .release();
  });
}

// Weights that kernels packed are not shared between sessions: the container is accepted and stays empty.
OrtStatus* CreateSessionWithPrepackedWeightsContainer(const OrtEnv* env, const char* model_path,
                                                      const OrtSessionOptions* options,
                                                      OrtPrepackedWeightsContainer* container, OrtSession** out) {
  return Guard({{"container", container}}, [&] { ThrowOnError(Api(), CreateSession(env, model_path, options, out)); });
}

OrtStatus* CreateSessionFromArrayWithPrepackedWeightsContainer(const OrtEnv* env, const void* model_data,
                                                               size_t model_data_length,
                                                               const OrtSessionOptions* options,
                                                               OrtPrepackedWeightsContainer* container,
                                                               OrtSession** out) {
  return Guard({{"container", container}},
               [&] { ThrowOnError(Api(), CreateSessionFromArray(env, model_data, model_data_length, options, out)); });
}

using Values = std::vector<const OrtValueInfo*>;

const OrtValueInfo& At(const Values& values, size_t index, const char* what) {
  if (index >= values.size())
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("index ", index, " is out of range: the model has ", values.size(), " ", what));
  return *values[index];
}

template <const Values& (OrtSession::*kList)() const>
OrtStatus* Count(const OrtSession* session, size_t* out) {
  return Guard(
      {{"session", session}, {"out", out}}, [&] { *out = (session->*kList)().size(); }, "SessionGetCount");
}

template <const Values& (OrtSession::*kList)() const>
OrtStatus* NameAt(const OrtSession* session, size_t index, OrtAllocator* allocator, char** value) {
  return Guard(
      {{"session", session}, {"allocator", allocator}, {"value", value}},
      [&] { *value = CopyText(allocator, At((session->*kList)(), index, "of them").name); }, "SessionGetName");
}

template <const Values& (OrtSession::*kList)() const>
OrtStatus* TypeAt(const OrtSession* session, size_t index, OrtTypeInfo** type_info) {
  return Guard(
      {{"session", session}, {"type_info", type_info}},
      [&] {
        const OrtValueInfo& info = At((session->*kList)(), index, "of them");
        *type_info = std::make_unique<OrtTypeInfo>(info.declared == nullptr ? info.type : *info.declared).release();
      },
      "SessionGetTypeInfo");
}

OrtStatus* SessionEndProfiling(OrtSession* session, OrtAllocator* allocator, char** out) {
  return Guard({{"session", session}, {"allocator", allocator}, {"out", out}},
               [&] { *out = CopyText(allocator, session->EndProfiling()); });
}

OrtStatus* SessionGetProfilingStartTimeNs(const OrtSession* session, uint64_t* out) {
  return Guard({{"session", session}, {"out", out}}, [&] { *out = session->ProfilingStartNs(); });
}

template <const OrtMemoryInfo* (OrtSession::*kMemory)(size_t) const, const Values& (OrtSession::*kList)() const>
OrtStatus* Memories(const OrtSession* session, const OrtMemoryInfo** out, size_t count) {
  return Guard(
      {{"session", session}, {"out", out}},
      [&] {
        Require(count == (session->*kList)().size(), "the array has ", count, " entries, the session ",
                (session->*kList)().size());
        for (size_t i = 0; i < count; ++i) out[i] = (session->*kMemory)(i);
      },
      "SessionGetMemoryInfo");
}

template <const OrtEpDevice* (OrtSession::*kDevice)(size_t) const, const Values& (OrtSession::*kList)() const>
OrtStatus* DevicesOf(const OrtSession* session, const OrtEpDevice** out, size_t count) {
  return Guard(
      {{"session", session}, {"out", out}},
      [&] {
        Require(count == (session->*kList)().size(), "the array has ", count, " entries, the session ",
                (session->*kList)().size());
        for (size_t i = 0; i < count; ++i) out[i] = (session->*kDevice)(i);
      },
      "SessionGetEpDevice");
}

OrtStatus* SetEpDynamicOptions(OrtSession* sess, const char* const* keys, const char* const* values, size_t kv_len) {
  return Guard({{"sess", sess}, {"keys", keys}, {"values", values}}, [&] {
    for (const std::string& provider : sess->provider_names())
      sess->SetProviderOptions(provider, {keys, kv_len}, {values, kv_len});
  });
}

OrtStatus* Session_GetEpGraphAssignmentInfo(const OrtSession* session,
                                            const OrtEpAssignedSubgraph* const** ep_subgraphs,
                                            size_t* num_ep_subgraphs) {
  return Guard({{"session", session}, {"ep_subgraphs", ep_subgraphs}, {"num_ep_subgraphs", num_ep_subgraphs}}, [&] {
    constexpr const char* kRecord = "session.record_ep_graph_assignment_info";
    if (session->options().config.Get(kRecord, "0") != "1")
      throw Error(ORT_FAIL, Concat("the session was made without the configuration entry '", kRecord,
                                   "' set to \"1\", so which provider runs which node is not told"));
    *ep_subgraphs = session->assignment_pointers().data();
    *num_ep_subgraphs = session->assignment_pointers().size();
  });
}

OrtStatus* EpAssignedSubgraph_GetEpName(const OrtEpAssignedSubgraph* ep_subgraph, const char** out) {
  return Guard({{"ep_subgraph", ep_subgraph}, {"out", out}}, [&] { *out = ep_subgraph->provider.c_str(); });
}

OrtStatus* EpAssignedSubgraph_GetNodes(const OrtEpAssignedSubgraph* ep_subgraph,
                                       const OrtEpAssignedNode* const** ep_nodes, size_t* num_ep_nodes) {
  return Guard({{"ep_subgraph", ep_subgraph}, {"ep_nodes", ep_nodes}, {"num_ep_nodes", num_ep_nodes}}, [&] {
    *ep_nodes = ep_subgraph->node_pointers.data();
    *num_ep_nodes = ep_subgraph->node_pointers.size();
  });
}

template <std::string OrtEpAssignedNode::*kText>
OrtStatus* AssignedText(const OrtEpAssignedNode* ep_node, const char** out) {
  return Guard(
      {{"ep_node", ep_node}, {"out", out}}, [&] { *out = (ep_node->*kText).c_str(); }, "EpAssignedNode_Get");
}

}  // namespace

void FillSession(OrtApi& api) {
  api.CreateSession = CreateSession;
  api.CreateSessionFromArray = CreateSessionFromArray;
  api.CreateSessionWithPrepackedWeightsContainer = CreateSessionWithPrepackedWeightsContainer;
  api.CreateSessionFromArrayWithPrepackedWeightsContainer = CreateSessionFromArrayWithPrepackedWeightsContainer;
  api.ReleaseSession = Delete<OrtSession>;
  api.SessionGetInputCount = Count<&OrtSession::inputs>;
  api.SessionGetOutputCount = Count<&OrtSession::outputs>;
  api.SessionGetOverridableInitializerCount = Count<&OrtSession::overridable>;
  api.SessionGetInputName = NameAt<&OrtSession::inputs>;
  api.SessionGetOutputName = NameAt<&OrtSession::outputs>;
  api.SessionGetOverridableInitializerName = NameAt<&OrtSession::overridable>;
  api.SessionGetInputTypeInfo = TypeAt<&OrtSession::inputs>;
  api.SessionGetOutputTypeInfo = TypeAt<&OrtSession::outputs>;
  api.SessionGetOverridableInitializerTypeInfo = TypeAt<&OrtSession::overridable>;
  api.SessionEndProfiling = SessionEndProfiling;
  api.SessionGetProfilingStartTimeNs = SessionGetProfilingStartTimeNs;
  api.SessionGetMemoryInfoForInputs = Memories<&OrtSession::InputMemory, &OrtSession::inputs>;
  api.SessionGetMemoryInfoForOutputs = Memories<&OrtSession::OutputMemory, &OrtSession::outputs>;
  api.SessionGetEpDeviceForInputs = DevicesOf<&OrtSession::InputDevice, &OrtSession::inputs>;
  api.SessionGetEpDeviceForOutputs = DevicesOf<&OrtSession::OutputDevice, &OrtSession::outputs>;
  api.SetEpDynamicOptions = SetEpDynamicOptions;
  api.Session_GetEpGraphAssignmentInfo = Session_GetEpGraphAssignmentInfo;
  api.EpAssignedSubgraph_GetEpName = EpAssignedSubgraph_GetEpName;
  api.EpAssignedSubgraph_GetNodes = EpAssignedSubgraph_GetNodes;
  api.EpAssignedNode_GetName = AssignedText<&OrtEpAssignedNode::name>;
  api.EpAssignedNode_GetDomain = AssignedText<&OrtEpAssignedNode::domain>;
  api.EpAssignedNode_GetOperatorType = AssignedText<&OrtEpAssignedNode::op_type>;
}

}  // namespace ortrun::abi
