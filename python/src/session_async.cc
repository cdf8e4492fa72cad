// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <mutex>

#include "python/src/errors.h"
#include "python/src/gil.h"
#include "python/src/session.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

// Runs whose callback has not returned. The interpreter must not end before: a thread that asks it for the GIL then is
// ended in the middle of the runtime.
class RunsUnderWay {
 public:
  void Add() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void Remove() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_left_.notify_all();
  }
  void Wait() {
    const ReleaseGil released;
    std::unique_lock lock(mutex_);
    none_left_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_left_;
  size_t count_ = 0;
};

RunsUnderWay& UnderWay() {
  static auto* const runs = new RunsUnderWay;  // threads may use it until the process is gone
  return *runs;
}

// All that a run needs until its callback has returned.
struct AsyncRun {
  py::object session;
  py::object options;
  py::object callback;
  py::object user_data;
  Feed feed;
  std::vector<const char*> output_names;
  std::vector<OrtValue*> outputs;
};

py::list TakeOutputs(AsyncRun& run) {
  py::list results;
  std::vector<Owned<OrtValue>> owned;
  for (OrtValue*& value : run.outputs) owned.emplace_back(std::exchange(value, nullptr));
  for (Owned<OrtValue>& value : owned) results.append(ToPython(std::move(value)));
  return results;
}

// The last reference to a session must not go on one of the session's own threads, which its end waits for; so it is
// handed to the main thread.
void ReleaseOnMainThread(std::unique_ptr<AsyncRun> run) {
  PyObject* session = run->session.release().ptr();
  run.reset();
  if (Py_REFCNT(session) > 1) {
    Py_DECREF(session);
    return;
  }
  Py_AddPendingCall(
      [](void* object) {
        Py_DECREF(static_cast<PyObject*>(object));
        return 0;
      },
      session);
}

void Finished(void* user_data, OrtValue**, size_t, OrtStatus* raw_status) {
  struct Leave {
    ~Leave() { UnderWay().Remove(); }
  } leave;
  const Owned<OrtStatus> status(raw_status);
  std::unique_ptr<AsyncRun> run(static_cast<AsyncRun*>(user_data));
  if (!InterpreterLives()) {
    static_cast<void>(run.release());  // nothing of Python may be touched any more
    return;
  }
  const HoldGil held;
  try {
    std::string error;
    py::list results;
    if (status != nullptr) {
      error = FormatStatus(Api().GetErrorCode(status.get()), Api().GetErrorMessage(status.get()));
    } else {
      try {
        results = TakeOutputs(*run);
      } catch (const std::exception& failure) {
        error = failure.what();
        results = py::list();
      }
    }
    run->callback(results, run->user_data, error);
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable(run->callback);
  }
  ReleaseOnMainThread(std::move(run));
}

}  // namespace

void RunAsync(const py::object& session_object, const py::object& output_names, const py::object& feed,
              py::object callback, py::object user_data, const py::object& options) {
  auto& session = session_object.cast<Session&>();
  if (!PyCallable_Check(callback.ptr())) throw py::type_error("run_async: the callback must be callable");
  auto run = std::make_unique<AsyncRun>();
  const RunOptions* run_options = options.is_none() ? nullptr : &options.cast<const RunOptions&>();
  run->session = session_object;
  run->options = options;
  run->callback = std::move(callback);
  run->user_data = std::move(user_data);
  const py::dict given = AsFeedDict(feed);
  run->feed.Add(session, given);
  const bool complete = run->feed.complete;
  for (const size_t index : session.WantedOutputs(output_names)) {
    run->output_names.push_back(session.outputs()[index].name.c_str());
  }
  run->outputs.resize(run->output_names.size(), nullptr);
  OrtSession* handle = session.get();
  AsyncRun* raw = run.release();  // the callback may free it before RunAsync comes back
  OrtStatus* status = nullptr;
  UnderWay().Add();
  {
    const ReleaseGil released;
    status = Api().RunAsync(handle, run_options ? run_options->handle.get() : nullptr, raw->feed.names.data(),
                            raw->feed.pointers.data(), raw->feed.pointers.size(), raw->output_names.data(),
                            raw->output_names.size(), raw->outputs.data(), &Finished, raw);
  }
  if (status != nullptr) {
    UnderWay().Remove();
    run.reset(raw);
  }
  CallWithMissing(session, given, complete, [status] { Check(status); });
}

void WaitForAsyncRuns() { UnderWay().Wait(); }

}  // namespace ortrun::python
