#include "io/threads/loop_thread.hpp"

#include <cstddef>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>

namespace meridian::io {
namespace {

constexpr size_t kMaxNameBytes = 15;  // of pthread_setname_np, without the final zero

}  // namespace

LoopThread::LoopThread(std::string name)
    : loop_(driver_), network_(driver_), scope_(loop_), thread_([this, name = std::move(name)] {
        pthread_setname_np(pthread_self(), name.substr(0, kMaxNameBytes).c_str());
        loop_.Run();
      }) {}

// Stop is posted, so that work that was posted before runs.
LoopThread::~LoopThread() {
  loop_.Post([this] { loop_.Stop(); });
  thread_.join();
}

}  // namespace meridian::io
