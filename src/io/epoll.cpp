#include "io/epoll.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/clock.hpp"

namespace meridian::io {

constexpr int kEventsPerWait = 256;

namespace {

timespec AsTimespec(Duration duration) {
  auto left = std::max(duration.count(), Duration::rep{0});
  return {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
}

}  // namespace

EpollDriver::EpollDriver()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      only_wake_(epoll_create1(EPOLL_CLOEXEC)) {
  CHECK(epoll_ && wake_ && only_wake_);
  for (const Fd* set : {&epoll_, &only_wake_}) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
    CHECK(epoll_ctl(set->get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
  }
}

void EpollDriver::Wait(TimePoint until) {
  timespec timeout{};
  if (until != kNever) timeout = AsTimespec(until - Now());
  std::array<epoll_event, kEventsPerWait> events;  // NOLINT: filled by the kernel
  int count = epoll_pwait2(epoll_.get(), events.data(), kEventsPerWait,
                           until == kNever ? nullptr : &timeout, nullptr);
  CHECK(count >= 0 || errno == EINTR);
  seen_wakes_ = wakes_.load(std::memory_order_acquire);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    // The eventfd is edge-triggered and never read: each write is a new edge.
    if (event.data.ptr == nullptr) continue;
    static_cast<EpollHandler*>(event.data.ptr)->OnEvents(event.events);
  }
}

void EpollDriver::Wake() {
  wakes_.fetch_add(1, std::memory_order_release);
  uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

void EpollDriver::Pause(Duration most) {
  timespec timeout = AsTimespec(most);
  epoll_event event{};
  bool woken = epoll_pwait2(only_wake_.get(), &event, 1, &timeout, nullptr) == 1;
  bool stale =
      wakes_.load(std::memory_order_acquire) == seen_wakes_;  // this wake-up already ended a Wait
  if (woken && stale) (void)epoll_pwait2(only_wake_.get(), &event, 1, &timeout, nullptr);
}

void EpollDriver::Add(int fd, uint32_t events, EpollHandler& handler) {
  epoll_event event{.events = events | EPOLLET, .data = {.ptr = &handler}};
  CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void EpollDriver::Remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

}  // namespace meridian::io
