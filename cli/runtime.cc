// SPDX-License-Identifier: Apache-2.0
#include "cli/runtime.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/element_type.h"
#include "ortrun/tools.h"

namespace ortrun::cli {
namespace {

const OrtApi* FindApi() {
  const OrtApi* api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  if (api == nullptr)
    throw CliError(kFailed, std::string("the library libonnxruntime is of version ") +
                                OrtGetApiBase()->GetVersionString() + " and does not speak API version " +
                                std::to_string(ORT_API_VERSION));
  return api;
}

std::vector<Slot> Slots(const Runtime& runtime, const OrtSession* session, bool outputs) {
  const OrtApi& api = runtime.api();
  size_t count = 0;
  runtime.Check((outputs ? api.SessionGetOutputCount : api.SessionGetInputCount)(session, &count));
  std::vector<Slot> slots(count);
  for (size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    runtime.Check(
        (outputs ? api.SessionGetOutputName : api.SessionGetInputName)(session, i, runtime.allocator(), &name));
    slots[i].name = name;
    runtime.allocator()->Free(runtime.allocator(), name);
    OrtTypeInfo* raw = nullptr;
    runtime.Check((outputs ? api.SessionGetOutputTypeInfo : api.SessionGetInputTypeInfo)(session, i, &raw));
    const Handle<OrtTypeInfo> info(raw, api.ReleaseTypeInfo);
    runtime.Check(api.GetOnnxTypeFromTypeInfo(raw, &slots[i].kind));
    const OrtTensorTypeAndShapeInfo* tensor = nullptr;
    runtime.Check(api.CastTypeInfoToTensorInfo(raw, &tensor));
    if (tensor == nullptr) continue;
    runtime.Check(api.GetTensorElementType(tensor, &slots[i].type));
    slots[i].has_shape = api.TensorTypeAndShape_HasShape(tensor);
    if (!slots[i].has_shape) continue;
    size_t rank = 0;
    runtime.Check(api.GetDimensionsCount(tensor, &rank));
    slots[i].shape.resize(rank);
    runtime.Check(api.GetDimensions(tensor, slots[i].shape.data(), rank));
    std::vector<const char*> symbols(rank);
    runtime.Check(api.GetSymbolicDimensions(tensor, symbols.data(), rank));
    for (const char* symbol : symbols) slots[i].symbols.emplace_back(symbol == nullptr ? "" : symbol);
  }
  return slots;
}

ExitCode ExitCodeOf(OrtErrorCode code) {
  switch (code) {
    case ORT_NO_SUCHFILE:
    case ORT_NO_MODEL:
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
      return kNoModel;
    case ORT_NOT_IMPLEMENTED:
    case ORT_EP_FAIL:
      return kNoProvider;
    default:
      return kFailed;
  }
}

}  // namespace

Runtime::Runtime(OrtLoggingLevel severity) : api_(FindApi()), env_(nullptr, api_->ReleaseEnv) {
  OrtEnv* env = nullptr;
  Check(api_->CreateEnv(severity, "ortrun", &env));
  env_.reset(env);
  Check(api_->GetAllocatorWithDefaultOptions(&allocator_));
}

namespace {

/// Whether the file can be read as a model: asked when a session could not be made, to tell whose fault it is.
bool IsModel(const Runtime& runtime, const std::string& path) {
  try {
    runtime.Tell<OrtrunDescribeModelFn>(ORTRUN_DESCRIBE_MODEL, runtime.env(), path.c_str());
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// A size for a dimension that the model does not have would be passed over in silence.
void CheckDimensions(const Runtime& runtime, const SessionRequest& request) {
  if (request.dimensions.empty()) return;
  using Json = nlohmann::json;
  const Json model =
      Json::parse(runtime.Tell<OrtrunDescribeModelFn>(ORTRUN_DESCRIBE_MODEL, runtime.env(), request.model.c_str()));
  std::set<std::string> names;
  for (const Json& input : model["inputs"])
    for (const Json& dim : input.value("shape", Json::array()))
      if (dim.is_string()) names.insert(dim.get<std::string>());
  for (const auto& [name, size] : request.dimensions) {
    if (names.count(name) != 0) continue;
    std::string listed;
    for (const std::string& known : names) listed += (listed.empty() ? "" : ", ") + known;
    throw CliError(kBadInput, "the model has no free dimension '" + name + "'." +
                                  DidYouMean(name, {names.begin(), names.end()}) +
                                  " Its free dimensions are: " + (listed.empty() ? "none" : listed));
  }
}

}  // namespace

Session OpenSession(const Runtime& runtime, const SessionRequest& request) {
  const OrtApi& api = runtime.api();
  OrtSessionOptions* raw = nullptr;
  runtime.Check(api.CreateSessionOptions(&raw));
  const Handle<OrtSessionOptions> options(raw, api.ReleaseSessionOptions);
  runtime.Check(api.SetIntraOpNumThreads(raw, request.threads));
  runtime.Check(api.SetSessionGraphOptimizationLevel(raw, static_cast<GraphOptimizationLevel>(request.optimization)));
  for (const auto& [name, size] : request.dimensions)
    runtime.Check(api.AddFreeDimensionOverrideByName(raw, name.c_str(), size));
  for (const auto& [key, value] : request.config)
    runtime.Check(api.AddSessionConfigEntry(raw, key.c_str(), value.c_str()));
  if (request.log != nullptr) {
    runtime.Check(api.SetUserLoggingFunction(raw, request.log, request.log_to));
    runtime.Check(api.SetSessionLogSeverityLevel(raw, ORT_LOGGING_LEVEL_VERBOSE));
  }
  if (!request.profile.empty()) runtime.Check(api.EnableProfiling(raw, request.profile.c_str()));
  for (const std::string& provider : request.providers) {
    try {
      runtime.Check(api.SessionOptionsAppendExecutionProvider(raw, provider.c_str(), nullptr, nullptr, 0));
    } catch (const Error& error) {
      throw CliError(kNoProvider,
                     std::string(error.what()) + ". 'ortrun providers' tells why something found is not usable");
    }
  }
  OrtSession* session = nullptr;
  try {
    CheckDimensions(runtime, request);
    runtime.Check(api.CreateSession(runtime.env(), request.model.c_str(), raw, &session));
  } catch (const Error& error) {
    const ExitCode code = ExitCodeOf(error.code());
    throw CliError(code != kFailed || IsModel(runtime, request.model) ? code : kNoModel, error.what());
  }
  return Session(session, api.ReleaseSession);
}

std::vector<Slot> Inputs(const Runtime& runtime, const OrtSession* session) { return Slots(runtime, session, false); }
std::vector<Slot> Outputs(const Runtime& runtime, const OrtSession* session) { return Slots(runtime, session, true); }

std::string Describe(const Slot& slot) {
  if (slot.kind != ONNX_TYPE_TENSOR)
    return slot.kind == ONNX_TYPE_SEQUENCE ? "sequence" : slot.kind == ONNX_TYPE_MAP ? "map" : "other";
  std::string text = NameOf(slot.type);
  if (!slot.has_shape) return text;
  text += '[';
  for (size_t i = 0; i < slot.shape.size(); ++i) {
    if (i != 0) text += ',';
    text += slot.shape[i] >= 0 ? std::to_string(slot.shape[i]) : slot.symbols[i].empty() ? "?" : slot.symbols[i];
  }
  return text + ']';
}

}  // namespace ortrun::cli
