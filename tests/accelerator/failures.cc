// SPDX-License-Identifier: Apache-2.0
#include "tests/accelerator/failures.h"

#include <cstdlib>
#include <sstream>
#include <string>

namespace ortrun::accelerator {

bool Fails(const char* way) {
  const char* wanted = std::getenv("ORTRUN_TEST_ACCELERATOR_FAIL");
  if (wanted == nullptr) return false;
  std::istringstream ways(wanted);
  for (std::string one; std::getline(ways, one, ',');)
    if (one == way) return true;
  return false;
}

}  // namespace ortrun::accelerator
