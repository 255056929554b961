// Fill: one answer of the origin on its way into the cache, and everybody who waits for it. Whoever
// misses first asks; the rest wait for the head and then read the body from the same bytes, as they
// arrive. Owned by shared_ptr: of the table, the fiber that fills it and its readers. One thread.
//
// Invariants: a body is complete only when the origin ended it in good order, and only a complete
// one is stored. A fill that a purge or an unsafe request has made out of date is joined by nobody
// and not stored. A body that is not stored holds no more than a window. One that is to be stored
// is finished however its readers leave, within the room of UnreadFills.
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

// What the fills that nobody reads any more may take, all together (kMaxUnreadFills,
// kMaxUnreadFillBytes). Owned by the cache's handler.
class UnreadFills {
 public:
  // For one whose `missing` bytes have still to come. False: there is no room.
  bool Take(uint64_t missing);
  void Give(uint64_t missing);

 private:
  size_t fills_ = 0;
  uint64_t bytes_ = 0;
};

struct Fill {
  enum class State : uint8_t {
    kAsking,     // the head has not come
    kArriving,   // `response` is there, its body grows
    kDone,       // the body is complete
    kBroken,     // the body broke off
    kAlone,      // the answer is not for sharing: everybody asks for himself
    kFailed,     // no answer: `error`
    kAbandoned,  // who asked has left: somebody else is to ask
  };

  // Somebody who needs the body from `position` on.
  class Reader {
   public:
    explicit Reader(std::shared_ptr<Fill> fill);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader();

    Fill& fill() const { return *fill_; }
    const std::shared_ptr<Fill>& shared() const { return fill_; }
    uint64_t position() const { return position_; }
    void Advance(uint64_t position);

   private:
    std::shared_ptr<Fill> fill_;
    uint64_t position_ = 0;
  };

  Fill(const KeyView& fill_key, std::string fill_slot, uint64_t store_mark)
      : key(fill_key), slot(std::move(fill_slot)), mark(store_mark) {}

  bool over() const { return state != State::kAsking && state != State::kArriving; }
  // The first byte that some reader still needs.
  uint64_t NeededFrom() const;
  // Whether it goes on without a reader; takes room for that.
  bool GoesOnUnread();
  void GiveUnread();
  // The state changes, and all who wait are told.
  void Become(State next);

  OwnedKey key;
  std::string slot;  // in the table
  uint64_t mark;     // of the store, when the origin was asked
  State state = State::kAsking;
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
  io::Fiber* filler = nullptr;  // while it runs, as these
  UnreadFills* unread = nullptr;
  uint64_t max_object_bytes = 0;
  std::optional<uint64_t> unread_bytes;  // that it has taken of `unread`
};

// The fills that may be joined, by key and variant.
class FillTable {
 public:
  std::shared_ptr<Fill> Find(const std::string& slot) const;
  void Add(const std::shared_ptr<Fill>& fill) { fills_[fill->slot] = fill; }
  // Unless another has taken its place.
  void Remove(const Fill& fill);
  // All of one key, whichever variant: nobody joins them, and they are not stored.
  void Forbid(std::string_view key);
  size_t size() const { return fills_.size(); }

 private:
  std::map<std::string, std::shared_ptr<Fill>, std::less<>> fills_;
};

// The slot of a variant; `vary` and `variant` may be empty.
std::string FillSlot(std::string_view key, std::string_view vary, std::string_view variant);
// A slot that nobody joins, for an answer that may be stored all the same; `number` is one of its
// own.
std::string LoneFillSlot(std::string_view key, uint64_t number);

// Reads the body of `from` into `fill`, whose response is there, and stores it when it is complete.
// What the options refer to outlives it.
struct FillOptions {
  FillTable& table;
  MemoryStore& store;
  Costs& costs;
  UnreadFills& unread;
  PassTable& too_large;
  io::Loop& loop;
  uint64_t max_object_bytes = 0;
};
io::Task<void> FillBody(FillOptions options, std::shared_ptr<Fill> fill,
                        std::unique_ptr<http::ClientExchange> from);

}  // namespace meridian::edge
