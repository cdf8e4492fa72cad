// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ortrun::accelerator {

/// Whether the test wants the accelerator to fail in one of its ways. ORTRUN_TEST_ACCELERATOR_FAIL names them,
/// separated by commas, and is read at each question:
///   factories   CreateEpFactories fails
///   ep          CreateEp fails
///   capability  GetCapability fails
///   claim       GetCapability claims every node, those without a kernel too
///   kernel      a kernel cannot be made
///   run         a kernel fails when it runs
bool Fails(const char* way);

}  // namespace ortrun::accelerator
