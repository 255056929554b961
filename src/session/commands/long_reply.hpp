// LongReply: a reply that takes too long for one loop iteration: KEYS, and all items of a large
// hash or set. The connection asks for it piece by piece, and other connections are served between.
//
// A hash or set is answered as it was when the command came: a command that is about to change it
// first writes the rest of the reply into the client's output. So only kMaxReadings replies of one
// hash or set are made piece by piece. KEYS returns each name that existed all the time, and
// perhaps some that were added or removed meanwhile.
//
// Owned by the Client; one thread: the loop's. Not within EXEC, whose replies are of one moment
// (Call::MaySpanIterations). Messages that arrive meanwhile are sent behind it (Client::held).
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

// The items of a Fields or Members, each passed to `Write` with the reply. The head of the reply
// was written before.
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
    cursor_ =
        items_->Scan(cursor_, ItemsPerIteration(), [&](const auto& item) { Write(reply, item); });
    return cursor_ != 0;
  }

 private:
  // The number of items of one loop iteration, by their average size; tombstones count as well.
  size_t ItemsPerIteration() const {
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

// Writes all items of a hash or set, over several loop iterations if they are many or long.
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
