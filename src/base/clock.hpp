// Clock: the interface through which all code reads the time, so that tests and simulations can set
// it. Pure code reads no clock: its caller passes a TimePoint or a WallTime.
#pragma once

#include <chrono>
#include <cstdint>

namespace meridian {

using Duration = std::chrono::nanoseconds;

// Monotonic time, for deadlines, timers and durations. Its zero has no meaning.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Time since the Unix epoch, UTC, for text that people read and for messages between machines.
using WallTime = std::chrono::sys_time<Duration>;

constexpr TimePoint kNever = TimePoint::max();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallTime Wall() const = 0;
};

// The machine's clocks. Any thread.
class SystemClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  WallTime Wall() const override { return std::chrono::system_clock::now(); }
};

// A clock that a test advances. One thread.
class ManualClock final : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  WallTime Wall() const override { return WallTime{now_.time_since_epoch()} + wall_offset_; }
  void Advance(Duration by) { now_ += by; }
  void SkewWall(Duration by) { wall_offset_ += by; }

 private:
  TimePoint now_{std::chrono::hours{1}};
  Duration wall_offset_{std::chrono::hours{24} * 365 * 50};
};

inline double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

inline double Milliseconds(Duration duration) { return Seconds(duration) * 1e3; }

// `time + by`. The result is kNever if `time` is kNever or the sum overflows.
constexpr TimePoint SaturatingAdd(TimePoint time, Duration by) {
  return by > Duration::zero() && time > kNever - by ? kNever : time + by;
}

}  // namespace meridian
