// SPDX-License-Identifier: Apache-2.0
// After the first runs of a shape, a run takes nothing from the heap but its outputs.
#include <gtest/gtest.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include <memory>
#include <random>
#include <vector>

#include "onnxruntime_c_api.h"
#include "tests/unit/execution/allocation_counter.h"

namespace ortrun {
namespace {

using testing::AllocationCounter;

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

void Check(OrtStatus* status) {
  if (status == nullptr) return;
  ADD_FAILURE() << Api().GetErrorMessage(status);
  Api().ReleaseStatus(status);
}

template <typename T>
struct Releaser {
  void operator()(T* object) const {
    if constexpr (std::is_same_v<T, OrtEnv>) Api().ReleaseEnv(object);
    if constexpr (std::is_same_v<T, OrtSession>) Api().ReleaseSession(object);
    if constexpr (std::is_same_v<T, OrtSessionOptions>) Api().ReleaseSessionOptions(object);
    if constexpr (std::is_same_v<T, OrtValue>) Api().ReleaseValue(object);
    if constexpr (std::is_same_v<T, OrtMemoryInfo>) Api().ReleaseMemoryInfo(object);
  }
};
template <typename T>
using Owned = std::unique_ptr<T, Releaser<T>>;

/// A model as onnx's text, with random weights.
class ModelText {
 public:
  explicit ModelText(const std::string& graph) {
    const std::string text = "<ir_version: 8, opset_import: [\"\": 17]> graph " + graph;
    const auto status = onnx::OnnxParser::Parse(proto_, text.c_str());
    EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  }
  ModelText& Weight(const std::string& name, const std::vector<int64_t>& dims) {
    auto* tensor = proto_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    int64_t count = 1;
    for (const int64_t dim : dims) {
      tensor->add_dims(dim);
      count *= dim;
    }
    std::normal_distribution<float> normal(0, 0.2f);
    for (int64_t i = 0; i < count; ++i) tensor->add_float_data(normal(random_));
    return *this;
  }
  std::string Bytes() const { return proto_.SerializeAsString(); }

 private:
  onnx::ModelProto proto_;
  std::mt19937 random_{1};
};

ModelText ConvolutionNet() {
  return ModelText(R"((float[N,3,16,16] a_long_name_of_an_input) => (float[N,10] a_long_name_of_an_output) {
      c1 = Conv <pads = [1,1,1,1], strides = [2,2]> (a_long_name_of_an_input, w1, b1)
      r1 = Relu(c1)
      c2 = Conv <pads = [1,1,1,1]> (r1, w2)
      s2 = Add(c2, r1)
      r2 = Relu(s2)
      c3 = Conv <pads = [1,1,1,1], group = 8> (r2, w3)
      t3 = Sigmoid(c3)
      m3 = Mul(c3, t3)
      p = MaxPool <kernel_shape = [2,2], strides = [2,2]> (m3)
      g = GlobalAveragePool(p)
      f = Flatten(g)
      a_long_name_of_an_output = Gemm <transB = 1> (f, wf, bf)
    })")
      .Weight("w1", {8, 3, 3, 3})
      .Weight("b1", {8})
      .Weight("w2", {8, 8, 3, 3})
      .Weight("w3", {8, 1, 3, 3})
      .Weight("wf", {10, 8})
      .Weight("bf", {10});
}

ModelText Transformer() {
  return ModelText(R"((float[N,S,32] hidden) => (float[N,S,32] result)
    <int64[4] heads = {0, 0, 4, 8}, int64[1] zero = {0}, int64[1] one = {1}, int64[1] width = {32},
     float scale = {0.35}, float two = {2}, float epsilon = {0.00001}> {
      n = LayerNormalization <axis = -1> (hidden, g1, g0)
      q0 = MatMul(n, wq)
      k0 = MatMul(n, wk)
      v0 = MatMul(n, wv)
      qb = Add(q0, bq)
      q1 = Reshape(qb, heads)
      k1 = Reshape(k0, heads)
      v1 = Reshape(v0, heads)
      q = Transpose <perm = [0,2,1,3]> (q1)
      k = Transpose <perm = [0,2,3,1]> (k1)
      v = Transpose <perm = [0,2,1,3]> (v1)
      qk = MatMul(q, k)
      sc = Mul(qk, scale)
      p = Softmax <axis = -1> (sc)
      o = MatMul(p, v)
      ot = Transpose <perm = [0,2,1,3]> (o)
      shape = Shape(hidden)
      d0 = Gather(shape, zero)
      d1 = Gather(shape, one)
      target = Concat <axis = 0> (d0, d1, width)
      oj = Reshape(ot, target)
      op = MatMul(oj, wo)
      a = Add(op, hidden)
      m = ReduceMean <axes = [-1]> (a)
      d = Sub(a, m)
      dd = Pow(d, two)
      var = ReduceMean <axes = [-1]> (dd)
      ve = Add(var, epsilon)
      sd = Sqrt(ve)
      nn = Div(d, sd)
      ns = Mul(nn, g1)
      nb = Add(ns, g0)
      f = MatMul(nb, wf)
      ft = Tanh(f)
      fo = MatMul(ft, wg)
      result = Add(fo, a)
    })")
      .Weight("g1", {32})
      .Weight("g0", {32})
      .Weight("bq", {32})
      .Weight("wq", {32, 32})
      .Weight("wk", {32, 32})
      .Weight("wv", {32, 32})
      .Weight("wo", {32, 32})
      .Weight("wf", {32, 64})
      .Weight("wg", {64, 32});
}

struct Case {
  const char* name;
  ModelText (*model)();
  std::vector<int64_t> input;
  std::vector<int64_t> output;
};

class AllocationTest : public ::testing::TestWithParam<std::tuple<Case, int>> {
 protected:
  AllocationTest() : bytes_(test_case().model().Bytes()) {
    OrtEnv* env = nullptr;
    Check(Api().CreateEnv(ORT_LOGGING_LEVEL_ERROR, "test", &env));
    env_.reset(env);
    OrtSessionOptions* options = nullptr;
    Check(Api().CreateSessionOptions(&options));
    const Owned<OrtSessionOptions> owned(options);
    Check(Api().SetIntraOpNumThreads(options, std::get<1>(GetParam())));
    OrtSession* session = nullptr;
    Check(Api().CreateSessionFromArray(env, bytes_.data(), bytes_.size(), options, &session));
    session_.reset(session);
    OrtMemoryInfo* memory = nullptr;
    Check(Api().CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    memory_.reset(memory);
    OrtAllocator* allocator = nullptr;
    Check(Api().GetAllocatorWithDefaultOptions(&allocator));
    Check(Api().SessionGetInputName(session, 0, allocator, &input_name_));
    Check(Api().SessionGetOutputName(session, 0, allocator, &output_name_));
  }
  ~AllocationTest() override {
    OrtAllocator* allocator = nullptr;
    Check(Api().GetAllocatorWithDefaultOptions(&allocator));
    Check(Api().AllocatorFree(allocator, input_name_));
    Check(Api().AllocatorFree(allocator, output_name_));
  }

  static Case test_case() { return std::get<0>(GetParam()); }

  struct Tensor {
    std::vector<float> data;
    Owned<OrtValue> value;
  };
  Tensor Make(const std::vector<int64_t>& dims) const {
    Tensor tensor;
    size_t count = 1;
    for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
    tensor.data.assign(count, 0.5f);
    OrtValue* value = nullptr;
    Check(Api().CreateTensorWithDataAsOrtValue(memory_.get(), tensor.data.data(), count * sizeof(float), dims.data(),
                                               dims.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
    tensor.value.reset(value);
    return tensor;
  }

  /// Runs; `output` may point at nullptr for a new value.
  void Run(const OrtValue* input, OrtValue** output) const {
    const char* const input_names[] = {input_name_};
    const char* const output_names[] = {output_name_};
    Check(Api().Run(session_.get(), nullptr, input_names, &input, 1, output_names, 1, output));
  }

 private:
  const std::string bytes_;
  Owned<OrtEnv> env_;
  Owned<OrtSession> session_;
  Owned<OrtMemoryInfo> memory_;
  char* input_name_ = nullptr;
  char* output_name_ = nullptr;
};

TEST_P(AllocationTest, NothingWhenTheOutputIsTheCallers) {
  const Tensor input = Make(test_case().input);
  const Tensor output = Make(test_case().output);
  OrtValue* given = output.value.get();
  for (int i = 0; i < 3; ++i) Run(input.value.get(), &given);
  AllocationCounter counter;
  for (int i = 0; i < 5; ++i) Run(input.value.get(), &given);
  const size_t count = counter.count();
  EXPECT_EQ(count, 0u) << counter.Stop();
}

TEST_P(AllocationTest, OnlyTheOutputWhenItIsNew) {
  const Tensor input = Make(test_case().input);
  const auto run = [&] {
    OrtValue* made = nullptr;
    Run(input.value.get(), &made);
    Api().ReleaseValue(made);
  };
  for (int i = 0; i < 3; ++i) run();
  AllocationCounter counter;
  run();
  const size_t count = counter.count();
  EXPECT_LE(count, 3u) << "the value, its memory, the count of its holders\n" << counter.Stop();
}

TEST_P(AllocationTest, NothingWhenShapesTakeTurns) {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  for (const int64_t batch : {1, 2, 3}) {
    Case sized = test_case();
    sized.input[0] = sized.output[0] = batch;
    inputs.push_back(Make(sized.input));
    outputs.push_back(Make(sized.output));
  }
  const auto round = [&] {
    for (size_t i = 0; i < inputs.size(); ++i) {
      OrtValue* given = outputs[i].value.get();
      Run(inputs[i].value.get(), &given);
    }
  };
  for (int i = 0; i < 3; ++i) round();
  AllocationCounter counter;
  round();
  const size_t count = counter.count();
  EXPECT_EQ(count, 0u) << counter.Stop();
}

std::string NameOf(const ::testing::TestParamInfo<AllocationTest::ParamType>& info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::to_string(std::get<1>(info.param)) + "_threads";
}

INSTANTIATE_TEST_SUITE_P(
    Models, AllocationTest,
    ::testing::Combine(::testing::Values(Case{"Convolution", ConvolutionNet, {2, 3, 16, 16}, {2, 10}},
                                         Case{"Transformer", Transformer, {2, 7, 32}, {2, 7, 32}}),
                       ::testing::Values(1, 3)),
    NameOf);

TEST(AllocationCounter, SeesAllocationsOfTheLibrary) {
  AllocationCounter counter;
  OrtSessionOptions* options = nullptr;
  Check(Api().CreateSessionOptions(&options));
  const size_t count = counter.count();
  Api().ReleaseSessionOptions(options);
  EXPECT_GT(count, 0u);
}

}  // namespace
}  // namespace ortrun
