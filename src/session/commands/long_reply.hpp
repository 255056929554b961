// LongReply: a reply that would hold everybody up if it were made in one turn: KEYS, and all of a
// large hash or set. The connection asks for it piece by piece, and others have their turns
// between.
//
// A hash or set is answered as it was when it was asked for: whoever is about to change it has the
// rest of it put into the client's output first; so only kMaxReadings of one are made in turns.
// KEYS gives each name that was there all the time, and of those that came or went meanwhile
// perhaps some.
//
// Owned by the Client; one thread: the loop's. Not within EXEC, whose replies are of one moment
// (Call::MayTakeTurns). Messages that come meanwhile follow it (Client::held).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "session/data/collections.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {

class KeysReply final : public LongReply {
 public:
  // Without a pattern all keys.
  KeysReply(const Keyspace& keyspace, std::optional<std::string_view> pattern)
      : keyspace_(keyspace), pattern_(pattern) {}

  bool Continue(wire::resp::ReplyWriter& reply) override;

 private:
  void Collect(wire::resp::Version version);

  const Keyspace& keyspace_;
  std::optional<std::string> pattern_;
  uint64_t cursor_ = 0;
  bool collected_ = false;
  size_t count_ = 0;
  size_t bytes_ = 0;
  std::deque<Buffer> names_;  // as they are sent
};

// The items of a Fields or Members, each given to `Write` with the reply. The head of the reply is
// written before.
template <class Items, auto Write>
class ItemsReply final : public LongReply, private Reading {
 public:
  ItemsReply(Client& client, const Items& items) : client_(client), items_(&items) {
    items.readings().Add(*this);
  }
  ~ItemsReply() override {
    if (items_ != nullptr) items_->readings().Remove(*this);
  }

  bool Continue(wire::resp::ReplyWriter& reply) override {
    if (items_ == nullptr) return false;
    cursor_ = items_->Scan(cursor_, ItemsPerTurn(), [&](const auto& item) { Write(reply, item); });
    return cursor_ != 0;
  }

 private:
  // So many that they are about as long as a turn's may be; traces too, which are passed.
  size_t ItemsPerTurn() const {
    size_t average = items_->memory_bytes() / (items_->size() + items_->tombstones() + 1) + 1;
    return std::clamp<size_t>(kReplyBytesPerIteration / average, 1, kReplyItemsPerIteration);
  }
  void BeforeChange() override {
    wire::resp::ReplyWriter reply(&client_.output, client_.version);
    while (Continue(reply)) {
    }
    items_ = nullptr;
    if (!reply.ok()) client_.connection.Disconnect();
  }

  Client& client_;
  const Items* items_;  // null: all of them are in the reply
  uint64_t cursor_ = 0;
};

// Writes all items of a hash or set, in several turns where they are many or long.
template <class Items, auto Write>
void ReplyItems(Call& call, const Items& items) {
  bool is_short = items.size() + items.tombstones() <= kReplyItemsPerIteration &&
                  items.memory_bytes() <= kReplyBytesPerIteration;
  if (items.small() || is_short || !call.MaySpanIterations() || items.readings().full()) {
    return items.ForEachInOrder([&](const auto& item) { Write(call.reply, item); });
  }
  call.client.long_reply = std::make_unique<ItemsReply<Items, Write>>(call.client, items);
}

}  // namespace meridian::session
