// ByteBudget: the memory that the requests of one loop may take together. A request has a share,
// which grows as its bytes arrive, and which it gives back when its response is sent or when it
// begins to wait long. While there is no room, a connection reads no further, which holds its
// client back.
//
// Requests that have begun to arrive could all wait for each other's memory: one at a time may take
// more than there is, so that it ends.
//
// One thread: the loop's. It outlives the shares. Invariants: the bytes that are taken are at most
// the limit and those of one request; requests that begin get room in the order in which they
// asked, and so do those that grow.
#pragma once

#include <cstddef>
#include <list>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::queue {

class ByteBudget {
 public:
  explicit ByteBudget(size_t limit) : limit_(limit) {}

  // What one request has taken. Owned by the request; gives everything back when it is destroyed.
  class Share {
   public:
    explicit Share(ByteBudget& budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { Give(); }

    // Takes `bytes` more; waits until there is room. kTimeout, kCancelled: nothing was taken.
    io::Task<Result<void>> Take(size_t bytes, TimePoint deadline);
    // Gives back all. No Take may be waiting.
    void Give();
    size_t bytes() const { return bytes_; }

   private:
    friend class ByteBudget;
    ByteBudget& budget_;
    size_t bytes_ = 0;
  };

  size_t taken() const { return taken_; }
  // Whether requests wait for room.
  bool contended() const { return !beginning_.empty() || !growing_.empty(); }

 private:
  struct Waiting {
    Share& share;
    size_t bytes;
    bool granted = false;
    io::WaitQueue woken = {};
  };
  using Queue = std::list<Waiting*>;

  bool Fits(const Share& share, size_t bytes) const;
  void Add(Share& share, size_t bytes);
  void Grant();
  void Grant(Queue& queue);

  const size_t limit_;
  size_t taken_ = 0;
  const Share* overdrawn_ = nullptr;  // the one that has taken more than there was
  Queue beginning_;
  Queue growing_;
};

}  // namespace meridian::queue
