// CoalescedFetch: one fetch from the origin for all requests that miss the same key (collapsed
// requests), on all loops of the process. The first request asks the origin; the others wait for
// the head and then read the same body as it arrives. Owned by shared_ptr: by the table, the fiber
// that fetches, and the readers.
//
// Threads: the fetch has a home loop, that of the request that asks the origin. Requests of any
// loop read. The home loop alone changes `state`, and writes what the state publishes before: the
// response, its length, the error. While the body arrives, a mutex guards it and the readers'
// positions; a reader takes a span of it under the mutex, and sends it without. A complete body
// needs no mutex. Readers of other loops are woken by a LoopSignal of their loop, the fetching
// fiber by a post to the home loop: nothing polls.
//
// Invariants: a body is complete only when the origin ended it properly, and only a complete body
// is stored. No request joins a fetch that a purge or an unsafe request has outdated, and its
// response is not stored. A body that is not stored holds at most a window of kFetchWindowBytes. A
// body that is to be stored is fetched to its end although its readers leave, within the limits of
// UnreadFetches. Mutexes are taken in this order: the table's, the fetch's, the store's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/optional_mutex.hpp"
#include "edge/cache/storage/pass_table.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/costs/costs.hpp"
#include "http/client/client_exchange.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/threads/loop_signal.hpp"
#include "io/wait_queue.hpp"

namespace meridian::edge {

// Budget of all fetches without a reader (kMaxUnreadFetches, kMaxUnreadFetchBytes). Shared by the
// loops; any thread.
class UnreadFetches {
 public:
  explicit UnreadFetches(bool shared) : mutex_(shared) {}

  // For a fetch that has still to receive `missing` bytes. False: the budget is used up.
  bool Reserve(uint64_t missing);
  void Release(uint64_t missing);

 private:
  OptionalMutex mutex_;
  size_t fetches_ = 0;
  uint64_t bytes_ = 0;
};

class CoalescedFetch : public std::enable_shared_from_this<CoalescedFetch> {
  // The readers of a loop that is not the home loop.
  struct LoopReaders {
    explicit LoopReaders(io::Loop& on) : loop(on), signal(on) {}
    io::Loop& loop;
    io::LoopSignal signal;
    size_t readers = 0;  // guarded by the fetch's mutex
  };

 public:
  enum class State : uint8_t {
    kAwaitingHead,  // the head has not arrived
    kReceiving,     // `response` is set, its body grows
    kDone,          // the body is complete
    kBroken,        // the body broke off
    kNotShared,     // the response may not be shared: each request asks the origin itself
    kFailed,        // no response: `error`
    kAbandoned,     // the asking visitor left before the head: a waiting request asks again
  };

  // A request on `loop` that reads the body; it needs the bytes from `position` on. Used on that
  // loop alone.
  class Reader {
   public:
    Reader(std::shared_ptr<CoalescedFetch> fetch, io::Loop& loop);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader();

    CoalescedFetch& fetch() const { return *fetch_; }
    const std::shared_ptr<CoalescedFetch>& shared() const { return fetch_; }
    // False: it came too late, when the first bytes were perhaps no longer held.
    bool joined() const { return joined_; }
    // The contiguous bytes from `offset` on that have arrived.
    Bytes At(uint64_t offset) const;
    void Advance(uint64_t position);
    // Waits until the state changes or bytes arrive. Test for these before, on the same loop.
    // Result<void>: success when woken. Errors: kTimeout, kCancelled.
    auto Changed(TimePoint deadline = kNever) {
      return waiting_ == nullptr ? fetch_->changed_.Wait(deadline)
                                 : waiting_->signal.Wait(deadline);
    }

   private:
    friend class CoalescedFetch;
    std::shared_ptr<CoalescedFetch> fetch_;
    io::Loop& loop_;
    std::shared_ptr<LoopReaders> waiting_;  // of its loop; null on the home loop
    uint64_t position_ = 0;                 // guarded by the fetch's mutex
    bool joined_ = false;
  };

  CoalescedFetch(const KeyView& key_of_fetch, std::string slot_of_variant, uint64_t store_mark,
                 io::Loop& home_loop, bool is_shared)
      : key(key_of_fetch),
        mark(store_mark),
        home(home_loop),
        slot(std::move(slot_of_variant)),
        mutex_(is_shared) {}

  State state() const { return state_.load(std::memory_order_acquire); }
  bool over() const { return state() != State::kAwaitingHead && state() != State::kReceiving; }

  // Any thread.
  const OwnedKey key;
  const uint64_t mark;  // of the store, when the origin was asked
  io::Loop& home;
  std::atomic<bool> forbidden = false;  // it is invalidated or outdated: not to be stored
  std::atomic<bool> stored = false;     // the response is in the store

  // Written on the home loop before the state is set that publishes them; read after that.
  std::shared_ptr<StoredResponse> response;
  std::optional<uint64_t> length;  // of the body, when the origin gave it
  Error error{Errc::kUnavailable, ""};
  int failed_status = 0;  // kFailed: the origin's error status; 0: no answer

  // The home loop alone.
  std::string slot;  // in the table
  // A stored piece; its bytes from `tail_from` on follow the body that arrives.
  std::shared_ptr<StoredResponse> tail;
  uint64_t tail_from = 0;     // in its body
  uint64_t stored_bytes = 0;  // of the body, that came from a stored piece
  bool shareable = true;      // kDone by a 304 whose fields allow others to have the response
  bool crosses = false;       // it comes from another data center

  // These are for the home loop. Changes the state and wakes all waiting requests.
  void SetState(State next);
  // Before the body is read, by `fiber`, and after.
  void BeginReading(io::Fiber& fiber, UnreadFetches& unread, uint64_t max_object_bytes);
  void EndReading();
  // Copies what the budget allows into a counted body, and wakes the readers by WakeReaders;
  // returns the number of bytes copied.
  [[nodiscard]] size_t Append(Bytes data, uint64_t expected);
  // From now on the body is a window, and no reader joins; see Body::StopCounting.
  void StopCounting();
  void WakeReaders();
  // Waits while the slowest reader of a body that is not stored is too far behind. False: no reader
  // is left.
  io::Task<bool> KeepPace();

 private:
  // With the mutex held. The position of the slowest reader.
  uint64_t NeededFrom() const;
  // Whether the fetch goes on without a reader; reserves the budget for that.
  bool ContinuesUnread();
  void ReleaseUnread();
  // Ends the fetch if it has no reader and may not go on without. The home loop.
  void CancelIfUnwanted();
  // A reader on `loop` has advanced or left.
  void WakeFetcher(io::Loop& loop);

  std::atomic<State> state_ = State::kAwaitingHead;
  io::WaitQueue changed_;       // readers on the home loop
  io::WaitQueue room_;          // the fetching fiber
  io::Fiber* fiber_ = nullptr;  // set while it reads the body

  OptionalMutex mutex_;  // guards the members below, and the body while it arrives
  std::vector<Reader*> readers_;
  std::vector<std::shared_ptr<LoopReaders>> others_;  // loops that have or had readers
  bool is_window_ = false;
  bool waits_for_room_ = false;
  UnreadFetches* unread_ = nullptr;
  uint64_t max_object_bytes_ = 0;
  std::optional<uint64_t> unread_bytes_;  // reserved of `unread_`
};

// The fetches that requests may join, by key and variant. Shared by the loops; any thread. It is
// divided by the hash of the key, each part with its mutex. Of the hits only those use it that are
// stale, and look for the fetch that replaces the response (stale-while-revalidate).
class FetchTable {
 public:
  explicit FetchTable(bool shared);

  // The fetch in `slot`, if it may be joined (`may_join`), else a new one by `make`, which takes
  // its place. One for all loops that ask at the same time.
  struct Joined {
    std::shared_ptr<CoalescedFetch> fetch;
    bool is_new = false;
  };
  Joined FindOrAdd(const KeyView& key, const std::string& slot,
                   const std::function<bool(CoalescedFetch&)>& may_join,
                   const std::function<std::shared_ptr<CoalescedFetch>()>& make);
  void Add(const std::shared_ptr<CoalescedFetch>& fetch);
  // Moves the fetch to another slot of its key; adds it when it was not in the table. A Forbid of
  // another loop finds it before or after. The fetch's home loop.
  void Move(const std::shared_ptr<CoalescedFetch>& fetch, std::string slot);
  // Does nothing when another fetch has replaced it in its slot. The fetch's home loop.
  void Remove(const CoalescedFetch& fetch);
  // Forbids joining and storing the fetches of all variants of `key`.
  void Forbid(const KeyView& key);

 private:
  struct Part {
    explicit Part(bool shared) : mutex(shared) {}
    mutable OptionalMutex mutex;
    std::map<std::string, std::shared_ptr<CoalescedFetch>, std::less<>> fetches;
  };
  Part& PartOf(const KeyView& key) { return *parts_[key.hash % parts_.size()]; }

  std::vector<std::unique_ptr<Part>> parts_;
};

// The slot of a variant; `vary` and `variant` may be empty.
std::string FetchSlot(std::string_view key, std::string_view vary, std::string_view variant);
// A slot that no request joins, for a response that may still be stored; `number` is unique.
std::string UnsharedFetchSlot(std::string_view key, uint64_t number);

// Reads the body of `from` into `fetch`, whose response is there, and stores it when it is
// complete. What the options refer to outlives it.
struct CoalescedFetchOptions {
  FetchTable& table;
  MemoryStore& store;
  Costs& costs;
  UnreadFetches& unread;
  PassTable& too_large;
  io::Loop& loop;
  uint64_t max_object_bytes = 0;
};
io::Task<void> ReadBodyInto(CoalescedFetchOptions options, std::shared_ptr<CoalescedFetch> fetch,
                            std::unique_ptr<http::ClientExchange> from);

}  // namespace meridian::edge
