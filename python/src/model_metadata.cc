// SPDX-License-Identifier: Apache-2.0
#include <pybind11/stl.h>

#include <memory>

#include "python/src/session.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

struct ModelMetadata {
  std::string producer_name, graph_name, domain, description, graph_description;
  int64_t version = 0;
  StringMap custom;
};

using TextFunction = OrtStatusPtr (*)(const OrtModelMetadata*, OrtAllocator*, char**);

std::string Text(const OrtModelMetadata* metadata, TextFunction function) {
  char* text = nullptr;
  Check(function(metadata, CpuAllocator(), &text));
  return TakeText(text);
}

StringMap CustomEntries(const OrtModelMetadata* metadata) {
  char** keys = nullptr;
  int64_t count = 0;
  Check(Api().ModelMetadataGetCustomMetadataMapKeys(metadata, CpuAllocator(), &keys, &count));
  StringMap entries;
  for (int64_t i = 0; i < count; ++i) {
    const std::string key = TakeText(keys[i]);
    char* value = nullptr;
    Check(Api().ModelMetadataLookupCustomMetadataMap(metadata, CpuAllocator(), key.c_str(), &value));
    entries[key] = TakeText(value);
  }
  if (keys != nullptr) Check(Api().AllocatorFree(CpuAllocator(), keys));
  return entries;
}

ModelMetadata Read(const Session& session) {
  const OrtApi& api = Api();
  const auto owned = Make<OrtModelMetadata>(api.SessionGetModelMetadata, static_cast<const OrtSession*>(session.get()));
  const OrtModelMetadata* metadata = owned.get();
  ModelMetadata result;
  result.producer_name = Text(metadata, api.ModelMetadataGetProducerName);
  result.graph_name = Text(metadata, api.ModelMetadataGetGraphName);
  result.domain = Text(metadata, api.ModelMetadataGetDomain);
  result.description = Text(metadata, api.ModelMetadataGetDescription);
  result.graph_description = Text(metadata, api.ModelMetadataGetGraphDescription);
  Check(api.ModelMetadataGetVersion(metadata, &result.version));
  result.custom = CustomEntries(metadata);
  return result;
}

}  // namespace

void DefineModelMetadata(py::module_& m) {
  py::class_<ModelMetadata>(m, "ModelMetadata", "What a model says about itself.")
      .def_readwrite("producer_name", &ModelMetadata::producer_name, "producer name")
      .def_readwrite("graph_name", &ModelMetadata::graph_name, "graph name")
      .def_readwrite("domain", &ModelMetadata::domain, "ONNX domain")
      .def_readwrite("description", &ModelMetadata::description, "description of the model")
      .def_readwrite("graph_description", &ModelMetadata::graph_description, "description of the graph in the model")
      .def_readwrite("version", &ModelMetadata::version, "version of the model")
      .def_readwrite("custom_metadata_map", &ModelMetadata::custom, "additional metadata");
  py::object(m.attr("InferenceSession")).attr("model_meta") =
      py::module_::import("builtins").attr("property")(py::cpp_function(&Read));
}

}  // namespace ortrun::python
