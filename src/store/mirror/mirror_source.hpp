// MirrorSource: the decisions of a source for one stream: whether to serve it, and what to send
// next. Pure: its caller, mirror_server.cpp, says what the log holds and what time it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {

struct MirrorIdentity {
  std::string site;         // both ends must be of one site
  std::string data_center;  // our own name
};

// Why a source does not serve the follower at all, or nothing.
std::optional<Refusal> CheckHello(const Hello& hello, const MirrorIdentity& source,
                                  const HybridClock& clock);

// The present state of the log, and of the connection.
struct SourceFacts {
  uint64_t log_id = 0;
  uint32_t epoch = 0;
  uint64_t begin_offset = 0;
  uint64_t end_offset = 0;
  // The end offset of the newest snapshot.
  std::optional<uint64_t> snapshot_end_offset;
  // Whether a new follower starts from a snapshot, and whether that was made.
  bool begins_with_snapshot = false;
  bool snapshot_is_made = true;
  // Whether the follower's next record can be read, when it is between begin and end.
  bool next_is_readable = true;
  // The epoch of the record before the follower's first, if the log has it. For Begin.
  std::optional<uint32_t> epoch_before;
  // In flight on all streams of the connection.
  size_t connection_in_flight_bytes = 0;
};

class MirrorSource {
 public:
  enum class Do : uint8_t {
    kSendRecords,
    kSendSnapshot,
    kHeartbeat,
    kAwaitRecords,
    kAwaitAck,
    kAwaitSnapshot,
    kRefuse
  };
  struct Action {
    Do what = Do::kAwaitRecords;
    size_t max_bytes = 0;      // kSendRecords, from next_offset() on
    TimePoint until = kNever;  // kAwait...: then ask again
    Refusal refusal = {};
  };

  MirrorSource(const HybridClock& clock, TimePoint now)
      : clock_(clock), heard_(now), sent_at_(now) {}

  // Why the follower is not served, or nothing.
  std::optional<Refusal> Begin(const OpenStream& open, const SourceFacts& facts);
  Action Next(const SourceFacts& facts, TimePoint now) const;

  void SentRecords(uint64_t end_offset, size_t bytes, TimePoint now);
  // A snapshot is about to be sent; its blocks follow.
  void BeginSnapshot(uint64_t end_offset);
  void SentBlock(size_t bytes, TimePoint now);
  void SentOther(TimePoint now) { sent_at_ = now; }
  std::optional<Refusal> TakeAck(const Ack& ack, TimePoint now);

  // Why a follower that acknowledges nothing is left, or nothing.
  std::optional<Refusal> CheckSilence(TimePoint now) const;
  // Whether flow control lets another batch or block be sent. Past the connection's limit a stream
  // may still have one batch in flight, so that streams whose follower is slow do not stop others.
  bool MaySend(size_t connection_in_flight_bytes) const;

  size_t in_flight_bytes() const { return in_flight_bytes_; }
  uint64_t next_offset() const { return next_; }           // to be sent
  uint64_t acknowledged() const { return acknowledged_; }  // all below

 private:
  struct Sent {
    uint64_t end_offset = 0;
    size_t bytes = 0;
  };
  Action NextForOneWithNothing(const SourceFacts& facts, TimePoint now) const;
  Action NextUnreachable(const SourceFacts& facts) const;

  const HybridClock& clock_;
  uint64_t next_ = 0;
  uint64_t acknowledged_ = 0;
  std::deque<Sent> in_flight_;
  size_t in_flight_bytes_ = 0;
  uint64_t block_bytes_sent_ = 0;
  uint64_t block_bytes_taken_ = 0;
  TimePoint heard_;
  TimePoint sent_at_;
};

}  // namespace meridian::store
