// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/options.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateThreadingOptions(OrtThreadingOptions** out) {
  return Guard({{"out", out}}, [&] { *out = new OrtThreadingOptions(); });
}

size_t ThreadCount(int threads) {
  Require(threads >= 0, "a number of threads cannot be negative; 0 takes the default");
  return static_cast<size_t>(threads);
}

OrtStatus* SetGlobalIntraOpNumThreads(OrtThreadingOptions* tp_options, int intra_op_num_threads) {
  return Guard({{"tp_options", tp_options}}, [&] { tp_options->intra_op.threads = ThreadCount(intra_op_num_threads); });
}

OrtStatus* SetGlobalInterOpNumThreads(OrtThreadingOptions* tp_options, int inter_op_num_threads) {
  return Guard({{"tp_options", tp_options}}, [&] { tp_options->inter_op_threads = ThreadCount(inter_op_num_threads); });
}

OrtStatus* SetGlobalSpinControl(OrtThreadingOptions* tp_options, int allow_spinning) {
  return Guard({{"tp_options", tp_options}}, [&] {
    Require(allow_spinning == 0 || allow_spinning == 1, "Received invalid value for allow_spinning: ", allow_spinning,
            ". Valid values are 0 or 1.");
    tp_options->intra_op.spin = allow_spinning != 0;
  });
}

OrtStatus* SetGlobalDenormalAsZero(OrtThreadingOptions* tp_options) {
  return Guard({{"tp_options", tp_options}}, [&] { tp_options->denormal_as_zero = true; });
}

OrtStatus* SetGlobalIntraOpThreadAffinity(OrtThreadingOptions* tp_options, const char* affinity_string) {
  return Guard({{"tp_options", tp_options}, {"affinity_string", affinity_string}},
               [&] { tp_options->intra_op.affinities = affinity_string; });
}

}  // namespace

void FillThreading(OrtApi& api) {
  api.CreateThreadingOptions = CreateThreadingOptions;
  api.ReleaseThreadingOptions = Delete<OrtThreadingOptions>;
  api.SetGlobalIntraOpNumThreads = SetGlobalIntraOpNumThreads;
  api.SetGlobalInterOpNumThreads = SetGlobalInterOpNumThreads;
  api.SetGlobalSpinControl = SetGlobalSpinControl;
  api.SetGlobalDenormalAsZero = SetGlobalDenormalAsZero;
  api.SetGlobalIntraOpThreadAffinity = SetGlobalIntraOpThreadAffinity;
  // The pool starts its own threads: it must be able to start them again in a forked child.
  api.SetGlobalCustomCreateThreadFn = NotImplemented<"OrtApi::SetGlobalCustomCreateThreadFn">();
  api.SetGlobalCustomThreadCreationOptions = NotImplemented<"OrtApi::SetGlobalCustomThreadCreationOptions">();
  api.SetGlobalCustomJoinThreadFn = NotImplemented<"OrtApi::SetGlobalCustomJoinThreadFn">();
  api.SessionOptionsSetCustomCreateThreadFn = NotImplemented<"OrtApi::SessionOptionsSetCustomCreateThreadFn">();
  api.SessionOptionsSetCustomThreadCreationOptions =
      NotImplemented<"OrtApi::SessionOptionsSetCustomThreadCreationOptions">();
  api.SessionOptionsSetCustomJoinThreadFn = NotImplemented<"OrtApi::SessionOptionsSetCustomJoinThreadFn">();
  api.SetPerSessionThreadPoolCallbacks = NotImplemented<"OrtApi::SetPerSessionThreadPoolCallbacks">();
}

}  // namespace ortrun::abi
