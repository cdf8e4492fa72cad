// SPDX-License-Identifier: Apache-2.0
// The symbols of libonnxruntime.so for linking only; see CMakeLists.txt beside this file. Nothing loads this library.
void OrtGetApiBase(void) {}
void OrtSessionOptionsAppendExecutionProvider_CPU(void) {}
