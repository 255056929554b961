// LoopThread: a thread that runs a loop of its own, with the loop's driver, network and scope.
//
//   LoopThread thread("edge-2");
//   int answer = co_await RunOn(thread.scope(), Compute());   // see run_on.hpp
//
// Owned by the main thread. The references may be taken on any thread; what they refer to is used
// on this thread alone, except Loop::Post. Every fiber of scope() must have ended before the
// LoopThread is destroyed, which ends the thread.
#pragma once

#include <string>
#include <thread>

#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/scope.hpp"

namespace meridian::io {

class LoopThread {
 public:
  // `name` is shown by ps and gdb; at most 15 bytes of it are used.
  explicit LoopThread(std::string name);
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread();

  Loop& loop() { return loop_; }
  EpollDriver& driver() { return driver_; }
  SystemNetwork& network() { return network_; }
  Scope& scope() { return scope_; }

 private:
  EpollDriver driver_;
  Loop loop_;
  SystemNetwork network_;
  Scope scope_;
  std::thread thread_;
};

}  // namespace meridian::io
