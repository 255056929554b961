// EpollDriver: the Driver of a Loop in the real program: the machine's clocks and edge-triggered
// epoll. One thread, except Wake.
#pragma once

#include <atomic>
#include <cstdint>

#include "io/fd.hpp"
#include "io/loop.hpp"

namespace meridian::io {

// The owner of a descriptor in the epoll set. It must call Remove before it is destroyed.
class EpollHandler {
 public:
  // `events` is a set of EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. May only mark fibers
  // ready.
  virtual void OnEvents(uint32_t events) = 0;

 protected:
  ~EpollHandler() = default;
};

class EpollDriver final : public Driver {
 public:
  EpollDriver();

  TimePoint Now() const override { return clock_.Now(); }
  WallTime Wall() const override { return clock_.Wall(); }
  void Wait(TimePoint until) override;
  void Wake() override;
  void Pause(Duration most) override;

  // Watches `fd` for `events`, edge-triggered, until Remove.
  void Add(int fd, uint32_t events, EpollHandler& handler);
  void Remove(int fd);

 private:
  SystemClock clock_;
  Fd epoll_;
  Fd wake_;
  Fd only_wake_;  // an epoll set that holds only wake_
  std::atomic<uint64_t> wakes_ = 0;
  uint64_t seen_wakes_ = 0;  // value of wakes_ when the last Wait ended
};

}  // namespace meridian::io
