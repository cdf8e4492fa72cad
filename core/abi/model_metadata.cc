// SPDX-License-Identifier: Apache-2.0
#include "core/abi/model_metadata.h"

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/session.h"

namespace ortrun::abi {

std::unique_ptr<OrtModelMetadata> NewModelMetadata(const OrtModel& model, const OrtGraph& graph) {
  auto metadata = std::make_unique<OrtModelMetadata>();
  metadata->producer = model.producer;
  metadata->graph_name = graph.name;
  metadata->domain = model.domain;
  metadata->description = model.description;
  metadata->graph_description = graph.description;
  metadata->version = model.version;
  metadata->custom = model.metadata;
  return metadata;
}

namespace {

OrtStatus* SessionGetModelMetadata(const OrtSession* session, OrtModelMetadata** out) {
  return Guard({{"session", session}, {"out", out}},
               [&] { *out = NewModelMetadata(session->model(), *session->model().graph).release(); });
}

template <std::string OrtModelMetadata::*kText>
OrtStatus* TextOf(const OrtModelMetadata* model_metadata, OrtAllocator* allocator, char** value) {
  return Guard(
      {{"model_metadata", model_metadata}, {"allocator", allocator}, {"value", value}},
      [&] { *value = CopyText(allocator, model_metadata->*kText); }, "ModelMetadataGet");
}

OrtStatus* ModelMetadataGetVersion(const OrtModelMetadata* model_metadata, int64_t* value) {
  return Guard({{"model_metadata", model_metadata}, {"value", value}}, [&] { *value = model_metadata->version; });
}

OrtStatus* ModelMetadataLookupCustomMetadataMap(const OrtModelMetadata* model_metadata, OrtAllocator* allocator,
                                                const char* key, char** value) {
  return Guard({{"model_metadata", model_metadata}, {"allocator", allocator}, {"key", key}, {"value", value}}, [&] {
    const auto found = model_metadata->custom.find(key);
    *value = found == model_metadata->custom.end() ? nullptr : CopyText(allocator, found->second);
  });
}

OrtStatus* ModelMetadataGetCustomMetadataMapKeys(const OrtModelMetadata* model_metadata, OrtAllocator* allocator,
                                                 char*** keys, int64_t* num_keys) {
  return Guard({{"model_metadata", model_metadata}, {"allocator", allocator}, {"keys", keys}, {"num_keys", num_keys}},
               [&] {
                 char** copies = NewArray<char*>(allocator, model_metadata->custom.size());
                 size_t next = 0;
                 for (const auto& entry : model_metadata->custom) copies[next++] = CopyText(allocator, entry.first);
                 *keys = copies;
                 *num_keys = static_cast<int64_t>(next);
               });
}

}  // namespace

void FillModelMetadata(OrtApi& api) {
  api.SessionGetModelMetadata = SessionGetModelMetadata;
  api.ModelMetadataGetProducerName = TextOf<&OrtModelMetadata::producer>;
  api.ModelMetadataGetGraphName = TextOf<&OrtModelMetadata::graph_name>;
  api.ModelMetadataGetDomain = TextOf<&OrtModelMetadata::domain>;
  api.ModelMetadataGetDescription = TextOf<&OrtModelMetadata::description>;
  api.ModelMetadataGetGraphDescription = TextOf<&OrtModelMetadata::graph_description>;
  api.ModelMetadataGetVersion = ModelMetadataGetVersion;
  api.ModelMetadataLookupCustomMetadataMap = ModelMetadataLookupCustomMetadataMap;
  api.ModelMetadataGetCustomMetadataMapKeys = ModelMetadataGetCustomMetadataMapKeys;
  api.ReleaseModelMetadata = Delete<OrtModelMetadata>;
}

}  // namespace ortrun::abi
