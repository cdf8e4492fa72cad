// SPDX-License-Identifier: Apache-2.0
#include "core/execution/session.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "core/base/json.h"
#include "core/base/nearest.h"
#include "core/execution/kernel_lookup.h"
#include "core/execution/session_impl.h"
#include "core/execution/thread_count.h"
#include "core/graph/model_writer.h"
#include "core/graph/onnx_reader.h"
#include "core/providers/device_copies.h"
#include "ortrun/error.h"

namespace {

ortrun::ReadOptions ReadOptionsOf(const OrtSessionOptions& options, const ortrun::CustomOpSchemas& custom_ops,
                                  const OrtLogger& logger) {
  ortrun::ReadOptions read;
  read.external_folder = options.config.Get("session.model_external_initializers_file_folder_path", "");
  read.copy_external_data = options.config.Get("ortrun.copy_external_data", "0") == "1";
  read.external_files = options.external_files;
  read.initializers = options.initializers;
  read.demanded_initializers = options.external_initializers;
  read.dimension_by_name = options.dimension_by_name;
  read.dimension_by_denotation = options.dimension_by_denotation;
  read.custom_schema = [&custom_ops](const std::string& domain, const std::string& op, int version) {
    return custom_ops.Find(domain, op, version);
  };
  read.infer_custom = [&custom_ops](OrtNode& node) {
    std::string reason;
    if (const OrtCustomOp* op = custom_ops.FindOp(node, &reason)) custom_ops.InferOutputs(node, *op);
  };
  read.logger = &logger;
  return read;
}

std::set<std::string> SplitNames(const std::string& text) {
  std::set<std::string> names;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ';');)
    if (!word.empty()) names.insert(word);
  return names;
}

/// The number that the config entry `key` holds as `text`; `meaning` says what to give when it is none.
size_t ParseCount(const char* key, const std::string& text, const char* meaning) {
  size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size())
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("session config entry ", key, " is '", text, "': give ", meaning));
  return count;
}

}  // namespace

OrtSession::Impl::~Impl() {
  if (state.profiler != nullptr && !state.profiler->ended()) {
    try {
      state.profiler->End();
    } catch (const std::exception& error) {  // nobody is left to take it
      state.logger->Log(ORT_LOGGING_LEVEL_ERROR, error.what());
    }
  }
  program.reset();
  state.bodies.clear();
  if (state.env != nullptr) {
    state.device_constants.clear();
    state.partition = {};
    state.providers.clear();
    state.memories.clear();
    state.env->Release();
  }
}

void OrtSession::Impl::Prepare(OrtEnv& env, const OrtSessionOptions& options) {
  env.AddRef();
  state.env = &env;
  state.options = options;
  const auto severity = options.log_severity < 0 ? env.logger()->severity()
                                                 : static_cast<OrtLoggingLevel>(std::min(options.log_severity, 4));
  auto sink = env.logger()->sink();
  if (options.logging_function != nullptr) {
    auto own = std::make_shared<ortrun::LogSink>();
    own->function = options.logging_function;
    own->param = options.logging_param;
    sink = std::move(own);
  }
  state.logger =
      std::make_shared<OrtLogger>(sink, options.log_id.empty() ? env.logger()->id() : options.log_id, severity);
  const size_t threads = options.intra_op_threads < 0 ? 0 : static_cast<size_t>(options.intra_op_threads);
  const bool shared_pool = !options.own_threads || threads == 0 || threads == env.thread_pool()->size();
  if (threads > ortrun::MaxThreadCount())
    state.logger->Warning("intra_op_num_threads is ", threads, ": no more than ", ortrun::MaxThreadCount(),
                          " threads are started on this machine");
  const std::string affinities = options.config.Get("session.intra_op_thread_affinities", "");
  if (shared_pool && affinities.empty()) {
    state.pool = env.thread_pool();
  } else {
    ortrun::ThreadPool::Options pool;
    pool.threads = threads;
    pool.spin = options.config.Get("session.intra_op.allow_spinning", "1") != "0";
    pool.affinities = affinities;
    state.pool = std::make_shared<ortrun::ThreadPool>(pool);
  }
  denormals_as_zero = options.config.Get("session.set_denormal_as_zero", "0") == "1" ||
                      (!options.own_threads && env.denormal_as_zero());
  std::shared_ptr<OrtAllocator> cpu(&ortrun::CpuAllocator(), [](OrtAllocator*) {});
  if (options.cpu_arena) cpu = ortrun::Arena::Make(std::move(cpu));
  state.memories.push_back({ortrun::CpuMemoryInfo(), std::move(cpu), nullptr});
  if (options.profile_prefix) state.profiler = std::make_unique<ortrun::Profiler>(*options.profile_prefix);
  custom_ops = std::make_unique<ortrun::CustomOpSchemas>(options.custom_op_domains);
}

void OrtSession::Impl::Optimize(ortrun::PassStage stage) {
  const ortrun::SessionKernels kernels(state, *model);
  ortrun::PassContext context{*model, kernels, *state.logger, patches, state.options.deterministic};
  context.names = names.get();
  constexpr const char* kMost = "ortrun.optimizer.stop_after";
  if (const std::string most = state.options.config.Get(kMost, ""); !most.empty())
    patches.most = ParseCount(kMost, most, "the number of patches to apply");
  ortrun::OptimizerOptions options;
  options.level = state.options.optimization_level;
  options.disabled = SplitNames(state.options.config.Get("optimization.disable_specified_optimizers", ""));
  options.disabled.merge(SplitNames(state.options.config.Get("session.disabled_passes", "")));
  options.canceled = [flag = state.options.load_canceled] { return flag->load(); };
  ortrun::Optimize(stage, context, options);
}

void OrtSession::Impl::Build(std::unique_ptr<OrtModel> read) {
  ortrun::ProfiledScope all(state.profiler.get(), "Session", "session_initialization");
  model = std::move(read);
  CollectNames();
  state.providers = ortrun::CreateProviders(*state.env, state.options, *model, *state.logger);
  for (const auto& provider : state.providers) {
    provider_names.push_back(provider->name);
    if (provider->memory.device.HostAccessible()) {
      // Providers that work on the CPU's memory share its arena.
      provider->allocator = state.memories[0].allocator;
    } else {
      state.MemoryIndex(provider->memory, provider.get());
    }
  }
  const bool rewrite = state.options.optimization_level != ORT_DISABLE_ALL;
  names = std::make_unique<ortrun::DimensionNames>(*model->graph);
  if (rewrite) Optimize(ortrun::PassStage::kPortable);
  state.partition = ortrun::PartitionModel(*model, state.providers, *custom_ops, state.options.config, *state.logger);
  if (rewrite) {
    Optimize(ortrun::PassStage::kProvider);
    ortrun::AssignNewNodes(*model->graph, state.providers, state.partition);
  }
  Save();
  copies = ortrun::InsertDeviceCopies(*model->graph, state);
  CountWeightUses();
  program = std::make_unique<ortrun::Program>(state, *model->graph);
  input_check = std::make_unique<ortrun::InputCheck>(*program, names->relied());
  state.device_constants.clear();
  program->ReleasePackedConstants();
  for (const auto& body : state.bodies) body.second->ReleasePackedConstants();
  ReleasePackedWeights(*model->graph);
  state.packed_weights.DoneMaking();
  for (const auto& provider : state.providers)
    if (provider->ep->ort_version_supported >= 27 && provider->ep->OnSessionInitializationEnd != nullptr)
      ortrun::ThrowOnError(*OrtGetApiBase()->GetApi(ORT_API_VERSION),
                           provider->ep->OnSessionInitializationEnd(provider->ep));
  CollectAssignment();
}

void OrtSession::Impl::Save() const {
  const std::filesystem::path& path = state.options.optimized_model_path;
  if (path.empty()) return;
  const auto& config = state.options.config;
  if (config.Get("session.save_model_format", path.extension() == ".ort" ? "ORT" : "ONNX") == "ORT")
    throw ortrun::Error(ORT_NOT_IMPLEMENTED,
                        ortrun::Concat("'", path.string(),
                                       "' cannot be written in ORT format: "
                                       "only ONNX is supported. Give it a name that ends with .onnx"));
  ortrun::WriteOptions write;
  write.external_file = config.Get("session.optimized_model_external_initializers_file_name", "");
  constexpr const char* kLeast = "session.optimized_model_external_initializers_min_size_in_bytes";
  if (const std::string* least = config.Find(kLeast))
    write.external_threshold = ParseCount(kLeast, *least, "a number of bytes");
  write.onnxruntime_operators_only = config.Get(ortrun::kOnnxRuntimeOperatorsOnly, "0") == "1";
  ortrun::WriteModel(*model, path, write);
}

void OrtSession::Impl::CountWeightUses() {
  state.weight_uses.Count(*model->graph);
  for (const ortrun::FusedGroup& group : state.partition.fused)
    if (group.body != nullptr) state.weight_uses.Count(*group.body);
  for (const auto& [name, value] : state.options.initializers) state.weight_uses.KeepContent(*value);
  for (const auto& value : borrowed_initializers) state.weight_uses.KeepContent(*value);
}

void OrtSession::Impl::ReleasePackedWeights(const OrtGraph& graph) {
  for (const auto& value : graph.values()) {
    if (!value->IsConstant() || state.weight_uses.Needed(*value->initializer)) continue;
    // Kernels keep their own form of it now; the shape stays for whoever asks.
    auto shape = std::make_shared<OrtValue>(*value->initializer);
    shape->ReleaseStorage();
    value->initializer = std::move(shape);
  }
  for (const auto& node : graph.nodes())
    for (const auto& body : node->subgraphs) ReleasePackedWeights(*body.second);
}

void OrtSession::Impl::CollectNames() {
  // Types as the model declares them are kept apart: passes and partitioning may refine the graph's own.
  for (OrtValueInfo* input : model->graph->inputs()) {
    input_index.emplace(input->name, input_index.size());
    input_names.push_back(input->name);
    (input->initializer == nullptr ? inputs : overridable).push_back(input);
  }
  for (OrtValueInfo* output : model->graph->outputs()) {
    output_index.emplace(output->name, output_names.size());
    output_names.push_back(output->name);
    outputs.push_back(output);
  }
}

void OrtSession::Impl::CollectAssignment() {
  const auto visit = [this](const auto& self, const OrtGraph& graph) -> void {
    for (const auto& node : graph.nodes()) {
      if (!ortrun::IsDeviceCopy(*node)) {
        if (assignment.empty() || assignment.back()->provider != node->provider) {
          assignment.push_back(std::make_unique<OrtEpAssignedSubgraph>());
          assignment.back()->provider = node->provider;
        }
        auto& nodes = assignment.back()->nodes;
        const ortrun::FusedGroup* group = nullptr;
        for (const ortrun::FusedGroup& fused : state.partition.fused)
          if (fused.node == node.get()) group = &fused;
        if (group == nullptr) {
          nodes.push_back({node->name, node->domain, node->op_type});
        } else {
          for (const auto& part : group->body->nodes()) nodes.push_back({part->name, part->domain, part->op_type});
        }
      }
      for (const auto& body : node->subgraphs) self(self, *body.second);
    }
  };
  visit(visit, *model->graph);
  for (const auto& part : assignment)
    for (const OrtEpAssignedNode& node : part->nodes) part->node_pointers.push_back(&node);
  for (const auto& part : assignment) assignment_pointers.push_back(part.get());
}

OrtSession::OrtSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OrtSession::~OrtSession() = default;

std::unique_ptr<OrtSession> OrtSession::FromFile(OrtEnv& env, const std::filesystem::path& path,
                                                 const OrtSessionOptions& options,
                                                 OrtPrepackedWeightsContainer* shared) {
  auto impl = std::make_unique<Impl>();
  impl->Prepare(env, options);
  impl->state.packed_weights.UseContainer(shared);
  impl->Build(ortrun::ReadModel(path, ReadOptionsOf(options, *impl->custom_ops, *impl->state.logger)));
  return std::unique_ptr<OrtSession>(new OrtSession(std::move(impl)));
}

std::unique_ptr<OrtSession> OrtSession::FromMemory(OrtEnv& env, const void* data, size_t bytes,
                                                   const OrtSessionOptions& options,
                                                   OrtPrepackedWeightsContainer* shared) {
  auto impl = std::make_unique<Impl>();
  impl->Prepare(env, options);
  impl->state.packed_weights.UseContainer(shared);
  impl->Build(ortrun::ReadModel(data, bytes, ReadOptionsOf(options, *impl->custom_ops, *impl->state.logger)));
  return std::unique_ptr<OrtSession>(new OrtSession(std::move(impl)));
}

std::unique_ptr<OrtSession> OrtSession::FromModel(OrtEnv& env, std::unique_ptr<OrtModel> model,
                                                  const OrtSessionOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->Prepare(env, options);
  ortrun::InferTypes(*model, ReadOptionsOf(options, *impl->custom_ops, *impl->state.logger));
  for (const auto& value : model->graph->values())
    if (value->initializer != nullptr) impl->borrowed_initializers.push_back(value->initializer);
  impl->Build(std::move(model));
  return std::unique_ptr<OrtSession>(new OrtSession(std::move(impl)));
}

const std::vector<const OrtValueInfo*>& OrtSession::inputs() const { return impl_->inputs; }
const std::vector<const OrtValueInfo*>& OrtSession::outputs() const { return impl_->outputs; }
const std::vector<const OrtValueInfo*>& OrtSession::overridable() const { return impl_->overridable; }
const OrtModel& OrtSession::model() const { return *impl_->model; }
const OrtSessionOptions& OrtSession::options() const { return impl_->state.options; }
OrtEnv& OrtSession::env() const { return *impl_->state.env; }
const std::vector<std::string>& OrtSession::provider_names() const { return impl_->provider_names; }
const std::vector<const OrtEpAssignedSubgraph*>& OrtSession::assignment_pointers() const {
  return impl_->assignment_pointers;
}

std::shared_ptr<OrtAllocator> OrtSession::AllocatorFor(const OrtMemoryInfo& memory) const {
  const int index = impl_->state.FindMemory(memory.device);
  if (index < 0)
    throw ortrun::Error(ORT_INVALID_ARGUMENT,
                        ortrun::Concat("no provider of this session allocates in memory '", memory.name,
                                       "'; its providers are ", ortrun::Join(impl_->provider_names)));
  return impl_->state.memories[static_cast<size_t>(index)].allocator;
}

std::string OrtSession::EndProfiling() { return impl_->state.profiler == nullptr ? "" : impl_->state.profiler->End(); }

uint64_t OrtSession::ProfilingStartNs() const {
  return impl_->state.profiler == nullptr ? 0 : impl_->state.profiler->StartNs();
}

void OrtSession::SetProviderOptions(const std::string& provider, std::span<const char* const> keys,
                                    std::span<const char* const> values) {
  for (const auto& candidate : impl_->state.providers) {
    if (candidate->name != provider) continue;
    if (candidate->ep->SetDynamicOptions == nullptr)
      throw ortrun::Error(ORT_NOT_IMPLEMENTED, ortrun::Concat("provider '", provider, "' has no dynamic options"));
    ortrun::ThrowOnError(*OrtGetApiBase()->GetApi(ORT_API_VERSION),
                         candidate->ep->SetDynamicOptions(candidate->ep, keys.data(), values.data(), keys.size()));
    return;
  }
  throw ortrun::Error(ORT_INVALID_ARGUMENT, ortrun::Concat("this session has no provider '", provider, "'.",
                                                           ortrun::DidYouMean(provider, impl_->provider_names)));
}

void OrtSession::Schedule(std::function<void()> task) {
  if (impl_->state.pool->size() < 2)
    throw ortrun::Error(
        ORT_INVALID_ARGUMENT,
        "RunAsync needs a thread beside the caller's: make the session with at least 2 intra-op threads");
  impl_->state.pool->Schedule(std::move(task));
}
