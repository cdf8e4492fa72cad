// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/model_bytes.h"
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

constexpr const char* kDomain = "test.custom";

/// y = factor * x; a factor of 0 is refused when the kernel is made, a negative one when it runs.
struct ScaleKernel {
  const OrtApi* host;
  float factor;

  OrtStatus* Compute(OrtKernelContext* context) const {
    if (factor < 0) return host->CreateStatus(ORT_INVALID_ARGUMENT, "the factor is negative");
    const OrtValue* x = nullptr;
    if (OrtStatus* status = host->KernelContext_GetInput(context, 0, &x)) return status;
    ONNXTensorElementDataType type{};
    const int64_t* shape = nullptr;
    size_t rank = 0;
    if (OrtStatus* status = host->GetTensorElementTypeAndShapeDataReference(x, &type, &shape, &rank)) return status;
    OrtValue* y = nullptr;
    if (OrtStatus* status = host->KernelContext_GetOutput(context, 0, shape, rank, &y)) return status;
    const void* from = nullptr;
    void* to = nullptr;
    size_t bytes = 0;
    if (OrtStatus* status = host->GetTensorData(x, &from)) return status;
    if (OrtStatus* status = host->GetTensorMutableData(y, &to)) return status;
    if (OrtStatus* status = host->GetTensorSizeInBytes(x, &bytes)) return status;
    for (size_t i = 0; i < bytes / sizeof(float); ++i)
      static_cast<float*>(to)[i] = factor * static_cast<const float*>(from)[i];
    return nullptr;
  }
};

/// The op as a library compiled for an old version of the interface has it, and as a new one does.
struct ScaleOp : OrtCustomOp {
  explicit ScaleOp(uint32_t the_version) : OrtCustomOp{} {
    version = the_version;
    GetName = [](const OrtCustomOp*) { return "Scale"; };
    GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
    GetInputType = [](const OrtCustomOp*, size_t) { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; };
    GetInputTypeCount = [](const OrtCustomOp*) -> size_t { return 1; };
    GetOutputType = GetInputType;
    GetOutputTypeCount = GetInputTypeCount;
    GetInputCharacteristic = [](const OrtCustomOp*, size_t) { return INPUT_OUTPUT_REQUIRED; };
    GetOutputCharacteristic = GetInputCharacteristic;
    GetInputMemoryType = [](const OrtCustomOp*, size_t) { return OrtMemTypeDefault; };
    GetVariadicInputMinArity = [](const OrtCustomOp*) { return 1; };
    GetVariadicInputHomogeneity = GetVariadicInputMinArity;
    GetVariadicOutputMinArity = GetVariadicInputMinArity;
    GetVariadicOutputHomogeneity = GetVariadicInputMinArity;
    CreateKernel = [](const OrtCustomOp*, const OrtApi* host, const OrtKernelInfo* info) -> void* {
      float factor = 0;
      EXPECT_TRUE(Ok(host->KernelInfoGetAttribute_float(info, "factor", &factor)));
      return new ScaleKernel{host, factor};
    };
    KernelCompute = [](void* kernel, OrtKernelContext* context) {
      EXPECT_TRUE(Ok(static_cast<ScaleKernel*>(kernel)->Compute(context)));
    };
    KernelDestroy = [](void* kernel) { delete static_cast<ScaleKernel*>(kernel); };
    if (version < 17) return;
    CreateKernelV2 = [](const OrtCustomOp*, const OrtApi* host, const OrtKernelInfo* info, void** kernel) {
      float factor = 0;
      if (OrtStatus* status = host->KernelInfoGetAttribute_float(info, "factor", &factor)) return status;
      if (factor == 0) return host->CreateStatus(ORT_FAIL, "the factor is zero");
      *kernel = new ScaleKernel{host, factor};
      return static_cast<OrtStatus*>(nullptr);
    };
    KernelComputeV2 = [](void* kernel, OrtKernelContext* context) {
      return static_cast<ScaleKernel*>(kernel)->Compute(context);
    };
    GetStartVersion = [](const OrtCustomOp*) { return 1; };
    GetEndVersion = [](const OrtCustomOp*) { return 3; };
  }
};

/// Without an import of the domain where `version` is 0.
std::string ScaleModel(float factor, int64_t version = 1, int result = kFloat, const std::string& op = "Scale") {
  std::vector<Import> imports;
  if (version != 0) imports.push_back({kDomain, version});
  return ModelBytes({.nodes = {Node(op, {"x"}, {"y"}, {FloatAttribute("factor", factor)}, kDomain)},
                     .inputs = {ValueInfo("x", TensorType(kFloat, {"N"}))},
                     .outputs = {ValueInfo("y", TensorType(result, {"N"}))}},
                    imports);
}

class CustomOp : public testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Ok(api.CustomOpDomain_Add(domain.get(), &op)));
    ASSERT_TRUE(Ok(api.AddCustomOpDomain(options.get(), domain.get())));
  }
  OrtStatus* Run(const Session& session) {
    const char* input = "x";
    const char* output = "y";
    const OrtValue* inputs[] = {x.get()};
    OrtValue* made = nullptr;
    OrtStatus* status = api.Run(session.get(), nullptr, &input, inputs, 1, &output, 1, &made);
    y.reset(made);
    return status;
  }

  const ScaleOp op{GetParam()};
  const CustomOpDomain domain = Made<CustomOpDomain>(api.CreateCustomOpDomain, kDomain);
  const SessionOptions options = Made<SessionOptions>(api.CreateSessionOptions);
  std::vector<float> data = {1, 2, 3};
  const Value x = TensorOver(data, {3});
  Value y;
};

TEST_P(CustomOp, Runs) {
  const Session session = SessionFrom(ScaleModel(2), options.get());
  ASSERT_TRUE(Ok(Run(session)));
  EXPECT_EQ(DataOf<float>(y.get()), (std::vector<float>{2, 4, 6}));
}

TEST_P(CustomOp, NeedsNoImportOfItsDomain) {
  const Session session = SessionFrom(ScaleModel(2, 0), options.get());
  ASSERT_TRUE(Ok(Run(session)));
  EXPECT_EQ(DataOf<float>(y.get()), (std::vector<float>{2, 4, 6}));
}

TEST_P(CustomOp, MakesTheTypeThatItSays) {
  OrtSession* session = nullptr;
  const std::string model = ScaleModel(2, 1, kInt64);
  EXPECT_TRUE(Fails(api.CreateSessionFromArray(Env(), model.data(), model.size(), options.get(), &session), ORT_FAIL,
                    "does not match expected type (tensor(float))"));
}

/// Memory in the type that only the file says would be too small for what the op writes.
TEST_P(CustomOp, ThatDoesNotSayItsTypeIsRefused) {
  ScaleOp silent(GetParam());
  silent.GetName = [](const OrtCustomOp*) { return "Silent"; };
  silent.GetOutputType = [](const OrtCustomOp*, size_t) { return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED; };
  ASSERT_TRUE(Ok(api.CustomOpDomain_Add(domain.get(), &silent)));
  OrtSession* session = nullptr;
  const std::string model = ScaleModel(2, 1, kInt64, "Silent");
  EXPECT_TRUE(Fails(api.CreateSessionFromArray(Env(), model.data(), model.size(), options.get(), &session), ORT_FAIL,
                    "does not say of which type its output 'y' is"));
  silent.GetInputType = silent.GetOutputType;
  EXPECT_TRUE(Fails(api.CreateSessionFromArray(Env(), model.data(), model.size(), options.get(), &session), ORT_FAIL,
                    "does not match expected type (tensor(float))"));
  const Session made = SessionFrom(ScaleModel(2, 1, kFloat, "Silent"), options.get());
  ASSERT_TRUE(Ok(Run(made)));
  EXPECT_EQ(DataOf<float>(y.get()), (std::vector<float>{2, 4, 6}));
}

TEST_P(CustomOp, IsUnknownWhereItIsNotRegistered) {
  OrtSession* session = nullptr;
  const std::string model = ScaleModel(2);
  OrtStatus* status = api.CreateSessionFromArray(Env(), model.data(), model.size(), nullptr, &session);
  ASSERT_NE(status, nullptr);
  EXPECT_NE(std::string_view(api.GetErrorMessage(status)).find("Scale"), std::string_view::npos);
  api.ReleaseStatus(status);
}

INSTANTIATE_TEST_SUITE_P(Versions, CustomOp, testing::Values(8u, 16u, 19u, 30u),
                         [](const auto& instance) { return "Version" + std::to_string(instance.param); });

class CustomOpWithStatus : public CustomOp {};

TEST_P(CustomOpWithStatus, ThatFailsToBeMadeSaysWhy) {
  OrtSession* session = nullptr;
  const std::string model = ScaleModel(0);
  EXPECT_TRUE(Fails(api.CreateSessionFromArray(Env(), model.data(), model.size(), options.get(), &session), ORT_FAIL,
                    "the factor is zero"));
}

TEST_P(CustomOpWithStatus, ThatFailsToRunSaysWhy) {
  const Session session = SessionFrom(ScaleModel(-1), options.get());
  EXPECT_TRUE(Fails(Run(session), ORT_INVALID_ARGUMENT, "the factor is negative"));
}

TEST_P(CustomOpWithStatus, ServesItsVersions) {
  EXPECT_NE(SessionFrom(ScaleModel(1, 3), options.get()), nullptr);
  OrtSession* session = nullptr;
  const std::string model = ScaleModel(1, 4);
  OrtStatus* status = api.CreateSessionFromArray(Env(), model.data(), model.size(), options.get(), &session);
  EXPECT_NE(status, nullptr);
  api.ReleaseStatus(status);
}

INSTANTIATE_TEST_SUITE_P(Versions, CustomOpWithStatus, testing::Values(19u, 30u),
                         [](const auto& instance) { return "Version" + std::to_string(instance.param); });

TEST(CustomOpLibrary, ThatIsNotThereSaysWhich) {
  const auto options = Made<SessionOptions>(api.CreateSessionOptions);
  OrtStatus* status = api.RegisterCustomOpsLibrary_V2(options.get(), "/no/such/ops.so");
  ASSERT_NE(status, nullptr);
  EXPECT_NE(std::string_view(api.GetErrorMessage(status)).find("/no/such/ops.so"), std::string_view::npos);
  api.ReleaseStatus(status);
  EXPECT_TRUE(Fails(api.RegisterCustomOpsUsingFunction(options.get(), "no_such_function"), ORT_INVALID_ARGUMENT,
                    "no_such_function"));
}

}  // namespace
}  // namespace ortrun::abi_testing
