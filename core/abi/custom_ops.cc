// SPDX-License-Identifier: Apache-2.0
#include "core/providers/custom_ops.h"

#include <dlfcn.h>

#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateCustomOpDomain(const char* domain, OrtCustomOpDomain** out) {
  return Guard({{"domain", domain}, {"out", out}}, [&] {
    auto made = std::make_unique<OrtCustomOpDomain>();
    made->domain = domain;
    *out = made.release();
  });
}

OrtStatus* CustomOpDomain_Add(OrtCustomOpDomain* custom_op_domain, const OrtCustomOp* op) {
  return Guard({{"custom_op_domain", custom_op_domain}, {"op", op}}, [&] {
    Require(op->GetName != nullptr && op->GetName(op) != nullptr, "the custom op has no name");
    custom_op_domain->ops.push_back(op);
  });
}

OrtStatus* AddCustomOpDomain(OrtSessionOptions* options, OrtCustomOpDomain* custom_op_domain) {
  return Guard({{"options", options}, {"custom_op_domain", custom_op_domain}},
               [&] { options->custom_op_domains.push_back(custom_op_domain); });
}

OrtStatus* RegisterCustomOpsLibrary(OrtSessionOptions* options, const char* library_path, void** library_handle) {
  return Guard({{"options", options}, {"library_path", library_path}, {"library_handle", library_handle}}, [&] {
    ortrun::RegisterCustomOpsLibrary(*options, library_path);
    *library_handle = dlopen(library_path, RTLD_NOW | RTLD_NOLOAD);  // the caller may close it; the library stays
  });
}

OrtStatus* RegisterCustomOpsLibrary_V2(OrtSessionOptions* options, const char* library_name) {
  return Guard({{"options", options}, {"library_name", library_name}},
               [&] { ortrun::RegisterCustomOpsLibrary(*options, library_name); });
}

OrtStatus* RegisterCustomOpsUsingFunction(OrtSessionOptions* options, const char* registration_func_name) {
  return Guard({{"options", options}, {"registration_func_name", registration_func_name}}, [&] {
    auto registrar =
        reinterpret_cast<RegisterCustomOpsFn>(dlsym(RTLD_DEFAULT, registration_func_name));  // NOLINT: dlsym's way
    if (registrar == nullptr)
      throw Error(ORT_INVALID_ARGUMENT,
                  Concat("RegisterCustomOpsUsingFunction: no function '", registration_func_name,
                         "' is visible in this process; link the library that has it and export the function"));
    ThrowOnError(Api(), registrar(options, OrtGetApiBase()));
  });
}

OrtStatus* EnableOrtCustomOps(OrtSessionOptions* options) {
  return Guard({{"options", options}}, [] {
    throw Error(ORT_FAIL,
                "EnableOrtCustomOps: onnxruntime-extensions are not built in; register their library with "
                "RegisterCustomOpsLibrary_V2");
  });
}

}  // namespace

void FillCustomOps(OrtApi& api) {
  api.CreateCustomOpDomain = CreateCustomOpDomain;
  api.CustomOpDomain_Add = CustomOpDomain_Add;
  api.AddCustomOpDomain = AddCustomOpDomain;
  api.ReleaseCustomOpDomain = Delete<OrtCustomOpDomain>;
  api.RegisterCustomOpsLibrary = RegisterCustomOpsLibrary;
  api.RegisterCustomOpsLibrary_V2 = RegisterCustomOpsLibrary_V2;
  api.RegisterCustomOpsUsingFunction = RegisterCustomOpsUsingFunction;
  api.EnableOrtCustomOps = EnableOrtCustomOps;
}

}  // namespace ortrun::abi
