// SPDX-License-Identifier: Apache-2.0
#pragma once

// What ortrun can tell beyond the public tables, by name through OrtApi::GetExperimentalFunction.
// Texts are JSON in UTF-8, allocated with `allocator`; free them with OrtApi::AllocatorFree. All functions are
// thread-safe.

#include "onnxruntime_c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/// OrtStatus* (OrtEnv*, OrtAllocator*, char** json)
/// Every provider library found or registered, usable or not, as an array of objects:
///   {"name", "registration", "version", "vendor", "file", "status": "ready"|"unusable", "reason" (why it is unusable),
///    "devices": [{"type": "CPU"|"GPU"|"NPU", "vendor", "vendor_id", "device_id", "metadata": {..}, "options": {..}}]}
#define ORTRUN_LIST_PROVIDERS "ortrun.ListProviders"
typedef OrtStatus*(ORT_API_CALL* OrtrunListProvidersFn)(OrtEnv* env, OrtAllocator* allocator, char** json);

/// OrtStatus* (const OrtSession*, OrtAllocator*, char** json)
/// Which provider runs each node of the session and why no earlier one of the caller's order took it:
///   {"providers": [names in order], "copies": number of device copies in one run of the main graph,
///    "nodes": [{"name", "op", "domain", "version", "provider", "graph" (name of the subgraph, "" for the main graph),
///               "fused_from": [names of the nodes of the model it stands for],
///               "declined": [{"provider", "reason"}]}]}
#define ORTRUN_EXPLAIN_SESSION "ortrun.ExplainSession"
typedef OrtStatus*(ORT_API_CALL* OrtrunExplainSessionFn)(const OrtSession* session, OrtAllocator* allocator,
                                                         char** json);

/// OrtStatus* (OrtEnv*, const char* path, OrtAllocator*, char** json)
/// What a model file holds, read without making a session:
///   {"path", "bytes", "external_bytes", "ir_version", "producer", "producer_version", "domain", "model_version",
///    "description", "graph", "opsets": {domain: version}, "metadata": {..},
///    "inputs"/"outputs": [{"name", "type" (as in NodeArg.type), "shape": [number | name | null]}],
///    "operators": {"domain.OpType" or "OpType": count, subgraphs included}, "nodes": n,
///    "parameters": number of elements of all initialisers, "parameter_bytes"}
#define ORTRUN_DESCRIBE_MODEL "ortrun.DescribeModel"
typedef OrtStatus*(ORT_API_CALL* OrtrunDescribeModelFn)(OrtEnv* env, const char* path, OrtAllocator* allocator,
                                                        char** json);

/// OrtStatus* (const OrtSession*, OrtAllocator*, char** json)
/// Counters since the session was made:
///   {"runs", "planned_runs" (runs that used the plan of a known shape), "plans", "plan_bytes",
///    "heap_allocations" (allocations of the run loop besides graph outputs), "copies" (device copies)}
#define ORTRUN_SESSION_COUNTERS "ortrun.SessionCounters"
typedef OrtStatus*(ORT_API_CALL* OrtrunSessionCountersFn)(const OrtSession* session, OrtAllocator* allocator,
                                                          char** json);

/// OrtStatus* (OrtValue*)
/// Says that the memory of a tensor must not be written (a mapped file, an immutable object of another language), which
/// CreateTensorWithDataAsOrtValue cannot say: it is refused as an output of a run and as the target of a copy.
#define ORTRUN_MARK_READ_ONLY "ortrun.MarkReadOnly"
typedef OrtStatus*(ORT_API_CALL* OrtrunMarkReadOnlyFn)(OrtValue* value);

/// OrtStatus* (const OrtValue*, int* out)
/// Whether a value was marked so: *out is 1 or 0.
#define ORTRUN_IS_READ_ONLY "ortrun.IsReadOnly"
typedef OrtStatus*(ORT_API_CALL* OrtrunIsReadOnlyFn)(const OrtValue* value, int* out);

#ifdef __cplusplus
}
#endif
