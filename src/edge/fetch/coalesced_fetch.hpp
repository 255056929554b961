// CoalescedFetch: one fetch from the origin for all requests that miss the same key (collapsed
// requests). The first request asks the origin; the others wait for the head and then read the same
// body as it arrives. Owned by shared_ptr: by the table, the fiber that fetches, and the readers.
// One thread.
//
// Invariants: a body is complete only when the origin ended it properly, and only a complete body
// is stored. No request joins a fetch that a purge or an unsafe request has outdated, and its
// response is not stored. A body that is not stored holds at most a window of kFetchWindowBytes. A
// body that is to be stored is fetched to its end although its readers leave, within the limits of
// UnreadFetches.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "edge/cache/cache_key.hpp"
#include "edge/cache/storage/memory_store.hpp"
#include "edge/cache/storage/pass_table.hpp"
#include "edge/cache/storage/stored_response.hpp"
#include "edge/costs/costs.hpp"
#include "http/client/client_exchange.hpp"
#include "io/fiber.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"

namespace meridian::edge {

// Budget of all fetches without a reader (kMaxUnreadFetches, kMaxUnreadFetchBytes). Owned by the
// cache's handler.
class UnreadFetches {
 public:
  // For a fetch that has still to receive `missing` bytes. False: the budget is used up.
  bool Reserve(uint64_t missing);
  void Release(uint64_t missing);

 private:
  size_t fetches_ = 0;
  uint64_t bytes_ = 0;
};

struct CoalescedFetch {
  enum class State : uint8_t {
    kAwaitingHead,  // the head has not arrived
    kReceiving,     // `response` is set, its body grows
    kDone,          // the body is complete
    kBroken,        // the body broke off
    kNotShared,     // the response may not be shared: each request asks the origin itself
    kFailed,        // no response: `error`
    kAbandoned,     // the asking visitor left before the head: a waiting request asks again
  };

  // A request that reads the body; it needs the bytes from `position` on.
  class Reader {
   public:
    explicit Reader(std::shared_ptr<CoalescedFetch> fetch);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader();

    CoalescedFetch& fetch() const { return *fetch_; }
    const std::shared_ptr<CoalescedFetch>& shared() const { return fetch_; }
    uint64_t position() const { return position_; }
    void Advance(uint64_t position);

   private:
    std::shared_ptr<CoalescedFetch> fetch_;
    uint64_t position_ = 0;
  };

  CoalescedFetch(const KeyView& key_of_fetch, std::string slot_of_variant, uint64_t store_mark)
      : key(key_of_fetch), slot(std::move(slot_of_variant)), mark(store_mark) {}

  bool over() const { return state != State::kAwaitingHead && state != State::kReceiving; }
  // The position of the slowest reader.
  uint64_t NeededFrom() const;
  // Whether the fetch goes on without a reader; reserves the budget for that.
  bool ContinuesUnread();
  void ReleaseUnread();
  // Changes the state and wakes all waiting requests.
  void SetState(State next);

  OwnedKey key;
  std::string slot;  // in the table
  uint64_t mark;     // of the store, when the origin was asked
  State state = State::kAwaitingHead;
  std::atomic<bool> forbidden = false;  // an unsafe request has invalidated it: not to be stored
  std::shared_ptr<StoredResponse> response;
  std::optional<uint64_t> length;  // of the body, when the origin gave it
  // A stored piece; its bytes from `tail_from` on follow the body that arrives.
  std::shared_ptr<StoredResponse> tail;
  uint64_t tail_from = 0;     // in its body
  uint64_t stored_bytes = 0;  // of the body, that came from a stored piece
  Error error{Errc::kUnavailable, ""};
  bool stored = false;    // the response is in the store
  bool shareable = true;  // kDone by a 304 whose fields allow other visitors to have the response
  bool crosses = false;   // it comes from another data center
  int failed_status = 0;  // kFailed: the origin's error status; 0: no answer
  io::WaitQueue changed;  // notified when the state changes or bytes arrive
  io::WaitQueue room;     // notified when a reader advances or leaves
  std::vector<Reader*> readers;
  // Set while the fetching fiber runs.
  io::Fiber* fiber = nullptr;
  UnreadFetches* unread = nullptr;
  uint64_t max_object_bytes = 0;
  std::optional<uint64_t> unread_bytes;  // reserved of `unread`
};

// The fetches that requests may join, by key and variant.
class FetchTable {
 public:
  std::shared_ptr<CoalescedFetch> Find(const std::string& slot) const;
  void Add(const std::shared_ptr<CoalescedFetch>& fetch) { fetches_[fetch->slot] = fetch; }
  // Does nothing when another fetch has replaced it in its slot.
  void Remove(const CoalescedFetch& fetch);
  // Forbids joining and storing the fetches of all variants of `key`.
  void Forbid(std::string_view key);
  size_t size() const { return fetches_.size(); }

 private:
  std::map<std::string, std::shared_ptr<CoalescedFetch>, std::less<>> fetches_;
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
