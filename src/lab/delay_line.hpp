// The data in flight in one direction of a connection: bytes, then perhaps an end, in the order in
// which they were sent, each with its time of arrival. Pure; bounded: senders must check has_room()
// first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"

namespace meridian::lab {

class DelayLine {
 public:
  enum class Kind : uint8_t {
    kBytes,
    kEnd,    // the sender closed its side
    kReset,  // the sender aborted the connection
  };
  struct Item {
    Kind kind = Kind::kBytes;
    std::vector<uint8_t> bytes;
    TimePoint arrives;
  };
  // The overhead of an item beside its bytes, so that many small items are bounded too.
  static constexpr size_t kItemBytes = 64;

  explicit DelayLine(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  bool has_room() const { return held_bytes_ < limit_bytes_; }
  bool empty() const { return items_.empty(); }
  // True after SendEnd.
  bool ended() const { return ended_; }

  // An item never overtakes an earlier item. Ends need no room.
  void Send(Bytes bytes, TimePoint arrives) {
    CHECK(has_room() && !ended_);
    Append({Kind::kBytes, {bytes.begin(), bytes.end()}, arrives});
  }
  void SendEnd(Kind kind, TimePoint arrives) {
    ended_ = true;
    Append({kind, {}, arrives});
  }

  const Item& front() const { return items_.front(); }
  void Pop() {
    held_bytes_ -= items_.front().bytes.size() + kItemBytes;
    items_.pop_front();
  }

 private:
  void Append(Item item) {
    latest_ = std::max(latest_, item.arrives);
    item.arrives = latest_;
    held_bytes_ += item.bytes.size() + kItemBytes;
    items_.push_back(std::move(item));
  }

  size_t limit_bytes_;
  size_t held_bytes_ = 0;
  bool ended_ = false;
  TimePoint latest_ = TimePoint::min();
  std::deque<Item> items_;
};

}  // namespace meridian::lab
