// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <memory>

#include "core/providers/custom_ops.h"
#include "ortrun/error.h"

namespace ortrun {

void RegisterCustomOpsLibrary(OrtSessionOptions& options, const std::string& file) {
  // Kept by the options and by every session made of them; leaked in the end, since kernels may outlive both.
  auto library = std::make_unique<boost::dll::shared_library>();
  boost::dll::fs::error_code error;
  library->load(boost::dll::fs::path(file), error, boost::dll::load_mode::rtld_now);
  if (error) {
    const char* detail = dlerror();
    throw Error(ORT_FAIL,
                Concat("Failed to load library ", file, " with error: ", detail != nullptr ? detail : error.message()));
  }
  if (!library->has("RegisterCustomOps"))
    throw Error(ORT_FAIL,
                Concat("'", file, "' is no library of custom operators: it does not export RegisterCustomOps"));
  auto* registrar = library->get<OrtStatus*(OrtSessionOptions*, const OrtApiBase*)>("RegisterCustomOps");
  ThrowOnError(*OrtGetApiBase()->GetApi(ORT_API_VERSION), registrar(&options, OrtGetApiBase()));
  options.custom_op_libraries.emplace_back(library.release(), [](boost::dll::shared_library*) {});
}

}  // namespace ortrun
