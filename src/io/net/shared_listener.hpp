// SharedListener: one listening socket, whose connections are spread over several loops. It accepts
// on its own loop, and gives each connection to the loop with the fewest open ones of all
// listeners; among equals to a later one, as the first loop does the tier's other work. A loop that
// has not taken its last connection yet, because it is busy or hangs, comes after all that have.
// (SO_REUSEPORT chooses by a hash, which leaves loops idle while clients are few and keep their
// connections.)
//
//   SharedListener shared(process.driver(), std::move(fd), drivers_and_loops);
//   scope.Spawn(shared.Run());
//   server_of_loop_1.Serve(shared.ForLoop(1));
//
// An error of accept(2) goes to the loop with the most connections, whose server can close one. It
// waits behind that loop's connections, and is dropped when accept(2) succeeds before it is taken.
//
// Owned by the process; its own loop's thread, except the listeners of ForLoop. Run must have ended
// before it is destroyed.
#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/epoll.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/net/socket_calls.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::io {

// The number of open connections of a loop. Written by the accepting loop and the loop itself, when
// a connection begins and ends.
struct alignas(64) OpenConnections {
  std::atomic<int64_t> count = 0;
};

class SharedListener final : private EpollHandler {
 public:
  // Connections that one loop was given and has not taken yet. While every loop has so many,
  // further connections wait in the kernel.
  static constexpr size_t kMaxWaiting = 256;
  // The wait after an error of accept(2), and while every loop has kMaxWaiting connections.
  static constexpr Duration kPause = std::chrono::milliseconds{1};

  struct Place {
    EpollDriver& driver;
    Loop& loop;
    // Shared by the listeners of a loop; null: this one has a count of its own.
    std::shared_ptr<OpenConnections> open = nullptr;
  };

  // `listening` is a listening TCP socket; `own` the driver of the loop of Run. At least one place.
  SharedListener(EpollDriver& own, Fd listening, const std::vector<Place>& places);
  SharedListener(const SharedListener&) = delete;
  SharedListener& operator=(const SharedListener&) = delete;
  ~SharedListener();

  // The listener of the loop `index`, to be called once for each loop. To be used and destroyed on
  // that loop's thread, before or after the SharedListener. After Close it returns the connections
  // that were given to it before, then kClosed.
  std::unique_ptr<Listener> ForLoop(size_t index);

  // Spreads connections until it is cancelled, or every listener of ForLoop is closed.
  Task<void> Run();

 private:
  class LoopListener;
  struct Lane;

  void OnEvents(uint32_t events) override;
  std::shared_ptr<Lane> ReserveLane();
  bool all_closed() const;
  void Report(const Error& error);

  EpollDriver& own_;
  Fd listening_;
  std::vector<std::shared_ptr<Lane>> lanes_;  // in the order of the places
  // What ReserveLane sorts: less loaded lanes first.
  struct Load {
    bool is_behind;
    int64_t open;
    size_t from_end;  // the lane's place in lanes_: of equal ones the accepting loop's is last

    auto operator<=>(const Load&) const = default;
  };
  std::vector<Load> loads_;
  WaitQueue readable_;
};

}  // namespace meridian::io
