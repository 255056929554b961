// AcceptLoop: accepts connections from a listener until it is cancelled or the listener is closed.
// After any other error of accept(2) (no descriptor, no memory, the network is down) it waits a
// little and continues. Every port of every tier accepts connections with it.
//
//   io::AcceptLoop loop(*listener_, {.name = "admin port", .admit = ..., .make_room = ...});
//   co_await loop.Run();
//
// One thread: the loop's. The listener and the AcceptLoop must outlive Run.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/recurring_problem.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"

namespace meridian::io {

class AcceptLoop {
 public:
  // The wait between an error and the next try.
  static constexpr Duration kPause = std::chrono::milliseconds{50};
  // The same after make_room closed a connection, so that its descriptor is freed.
  static constexpr Duration kRoomPause = std::chrono::milliseconds{1};

  // A problem is over when accept(2) has not failed for this long: at the limit of descriptors,
  // every other call fails as connections come and go.
  static constexpr Duration kSolvedAfter = std::chrono::seconds{10};

  struct Options {
    std::string name;  // the port's name, for the log
    std::function<void(std::unique_ptr<Stream>)> admit;
    // Called when no descriptor is left: closes an idle connection. False: no connection was idle.
    // May be empty.
    std::function<bool()> make_room = {};
  };

  AcceptLoop(Listener& listener, Options options)
      : listener_(listener), options_(std::move(options)) {}

  Task<void> Run();

 private:
  Duration OnError(const Error& error, TimePoint now);

  Listener& listener_;
  Options options_;
  RecurringProblem problem_;
  TimePoint last_error_;  // while a problem lasts
};

}  // namespace meridian::io
