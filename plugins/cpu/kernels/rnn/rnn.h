// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// The recurrent layers: LSTM, GRU, RNN.
void RegisterRecurrent(KernelList& list);

// One function a file, called by RegisterRecurrent.
void RegisterGru(KernelList& list);
void RegisterLstm(KernelList& list);

}  // namespace ortrun::cpu
