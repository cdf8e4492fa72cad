// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"

namespace ortrun::abi {

// Calling single operators from inside a kernel is not supported: every slot says so by name.
void FillInvokeOp(OrtApi& api) {
  api.CreateOp = NotImplemented<"OrtApi::CreateOp">();
  api.InvokeOp = NotImplemented<"OrtApi::InvokeOp">();
  api.ReleaseOp = [](OrtOp*) noexcept {};  // none can have been made
}

}  // namespace ortrun::abi
