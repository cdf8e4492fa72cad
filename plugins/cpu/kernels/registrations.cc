// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/registrations.h"

#include "plugins/cpu/kernels/attention/attention.h"
#include "plugins/cpu/kernels/controlflow/controlflow.h"
#include "plugins/cpu/kernels/elementwise/elementwise.h"
#include "plugins/cpu/kernels/image/image.h"
#include "plugins/cpu/kernels/ml/ml.h"
#include "plugins/cpu/kernels/nn/nn.h"
#include "plugins/cpu/kernels/normalization/normalization.h"
#include "plugins/cpu/kernels/quantization/quantization.h"
#include "plugins/cpu/kernels/random/random.h"
#include "plugins/cpu/kernels/reduction/reduce.h"
#include "plugins/cpu/kernels/rnn/rnn.h"
#include "plugins/cpu/kernels/sequence/sequence.h"
#include "plugins/cpu/kernels/signal/signal.h"
#include "plugins/cpu/kernels/sorting/sorting.h"
#include "plugins/cpu/kernels/tensor/tensor.h"
#include "plugins/cpu/kernels/text/text.h"
#include "plugins/cpu/kernels/training/training.h"

namespace ortrun::cpu {

// One line a family; each family's own file lists its operators.
void RegisterAllKernels(KernelList& list, const Host& host) {
  RegisterAttention(list);
  RegisterControlFlow(list);
  RegisterElementwise(list);
  RegisterImage(list);
  RegisterMachineLearning(list, host);
  RegisterNn(list);
  RegisterNormalization(list);
  RegisterQuantization(list);
  RegisterRandom(list);
  RegisterRecurrent(list);
  RegisterReductions(list);
  RegisterSequence(list, host);
  RegisterSignal(list);
  RegisterSorting(list);
  RegisterTensor(list);
  RegisterText(list);
  RegisterTraining(list);
}

}  // namespace ortrun::cpu
