// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <stdio.h>

#include "onnxruntime_c_api.h"

int main(void) {
  const OrtApiBase* base = OrtGetApiBase();
  if (base->GetApi(ORT_API_VERSION) == NULL) return 1;
  printf("runtime %s\n", base->GetVersionString());
  void* plugin = dlopen(PLUGIN_FILE, RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  uint32_t (*version)(const OrtApiBase*) = (uint32_t(*)(const OrtApiBase*))dlsym(plugin, "AskedVersion");
  if (version == NULL || version(base) != ORT_API_VERSION) return 3;
  printf("plugin %u\n", version(base));
  return 0;
}
