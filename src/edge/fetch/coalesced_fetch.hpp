// CoalescedFetch: one answer of the origin on its way into the cache, and everybody who waits for
// it. Whoever misses first asks; the rest wait for the head and then read the body from the same
// bytes, as they arrive. Owned by shared_ptr: of the table, the fiber that fetches it and its
// readers. One thread.
//
// Invariants: a body is complete only when the origin ended it in good order, and only a complete
// one is stored. A fetch that a purge or an unsafe request has made out of date is joined by nobody
// and not stored. A body that is not stored holds no more than a window. One that is to be stored
// is finished however its readers leave, within the room of UnreadFetches.
#pragma once

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

// What the fetches that nobody reads any more may take, all together (kMaxUnreadFetches,
// kMaxUnreadFetchBytes). Owned by the cache's handler.
class UnreadFetches {
 public:
  // For one whose `missing` bytes have still to come. False: there is no room.
  bool Take(uint64_t missing);
  void Give(uint64_t missing);

 private:
  size_t fetches_ = 0;
  uint64_t bytes_ = 0;
};

struct CoalescedFetch {
  enum class State : uint8_t {
    kAwaitingHead,  // the head has not come
    kReceiving,     // `response` is there, its body grows
    kDone,          // the body is complete
    kBroken,        // the body broke off
    kNotShared,     // the answer is not for sharing: everybody asks for himself
    kFailed,        // no answer: `error`
    kAbandoned,     // who asked has left: somebody else is to ask
  };

  // Somebody who needs the body from `position` on.
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
  // The first byte that some reader still needs.
  uint64_t NeededFrom() const;
  // Whether it goes on without a reader; takes room for that.
  bool ContinuesUnread();
  void ReleaseUnread();
  // The state changes, and all who wait are told.
  void SetState(State next);

  OwnedKey key;
  std::string slot;  // in the table
  uint64_t mark;     // of the store, when the origin was asked
  State state = State::kAwaitingHead;
  bool forbidden = false;  // by an unsafe request meanwhile: not to be stored
  std::shared_ptr<StoredResponse> response;
  std::optional<uint64_t> length;  // of the body, when the origin told it
  // A stored piece whose bytes from `tail_from` on follow what arrives.
  std::shared_ptr<StoredResponse> tail;
  uint64_t tail_from = 0;  // in its body
  uint64_t had_bytes = 0;  // of the body, that were there already
  Error error{Errc::kUnavailable, ""};
  bool stored = false;    // the response is in the store
  bool kept = true;       // what a 304 confirmed: by its fields, others may have it too
  bool crosses = false;   // it comes from another data center
  int failed_status = 0;  // kFailed, with an error of the origin's own
  io::WaitQueue changed;  // the state, or more bytes
  io::WaitQueue room;     // a reader went on, or left
  std::vector<Reader*> readers;
  io::Fiber* fiber = nullptr;  // while it runs, as these
  UnreadFetches* unread = nullptr;
  uint64_t max_object_bytes = 0;
  std::optional<uint64_t> unread_bytes;  // that it has taken of `unread`
};

// The fetches that may be joined, by key and variant.
class FetchTable {
 public:
  std::shared_ptr<CoalescedFetch> Find(const std::string& slot) const;
  void Add(const std::shared_ptr<CoalescedFetch>& fetch) { fetches_[fetch->slot] = fetch; }
  // Unless another has taken its place.
  void Remove(const CoalescedFetch& fetch);
  // All of one key, whichever variant: nobody joins them, and they are not stored.
  void Forbid(std::string_view key);
  size_t size() const { return fetches_.size(); }

 private:
  std::map<std::string, std::shared_ptr<CoalescedFetch>, std::less<>> fetches_;
};

// The slot of a variant; `vary` and `variant` may be empty.
std::string FetchSlot(std::string_view key, std::string_view vary, std::string_view variant);
// A slot that nobody joins, for an answer that may be stored all the same; `number` is one of its
// own.
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
