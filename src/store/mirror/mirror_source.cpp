#include "store/mirror/mirror_source.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "store/limits.hpp"
#include "store/mirror/mirror_protocol.hpp"

namespace meridian::store {

std::optional<Refusal> CheckHello(const Hello& hello, const MirrorIdentity& source,
                                  const HybridClock& clock) {
  using enum RefusalReason;
  if (hello.version != kMirrorVersion) {
    return Refusal{kVersion, fmt::format("the follower speaks version {}, this source version {}",
                                         hello.version, kMirrorVersion)};
  }
  if (hello.site != source.site) {
    return Refusal{kOtherSite, fmt::format("this is the site {}", source.site)};
  }
  if (Result<void> plausible = clock.CheckSkew(hello.now); !plausible) {
    return Refusal{kClockAhead, plausible.error().message};
  }
  return std::nullopt;
}

std::optional<Refusal> MirrorSource::Begin(const OpenStream& open, const SourceFacts& facts) {
  using enum RefusalReason;
  if (open.log_id != 0 && open.log_id != facts.log_id) {
    return Refusal{kOtherLog, fmt::format("the log is {:016x}, the copy one of {:016x}",
                                          facts.log_id, open.log_id)};
  }
  if (open.min_epoch > facts.epoch || open.newest_epoch > facts.epoch) {
    return Refusal{kStaleEpoch,
                   fmt::format("this source writes epoch {}, the follower knows {}", facts.epoch,
                               std::max(open.min_epoch, open.newest_epoch))};
  }
  if (open.next_offset > facts.end_offset) {
    return Refusal{kDiverged, fmt::format("the copy ends at {}, the log at {}", open.next_offset,
                                          facts.end_offset)};
  }
  if (facts.epoch_before && *facts.epoch_before != open.newest_epoch) {
    return Refusal{kDiverged,
                   fmt::format("the record before {} is of epoch {} here and {} in the copy",
                               open.next_offset, *facts.epoch_before, open.newest_epoch)};
  }
  next_ = acknowledged_ = open.next_offset;
  return std::nullopt;
}

MirrorSource::Action MirrorSource::Next(const SourceFacts& facts, TimePoint now) const {
  if (auto silent = CheckSilence(now)) return {.what = Do::kRefuse, .refusal = *silent};
  if (next_ == 0 && facts.begins_with_snapshot) return NextForOneWithNothing(facts, now);
  if (next_ < facts.begin_offset || (next_ < facts.end_offset && !facts.next_is_readable)) {
    return NextUnreachable(facts);
  }
  bool open = MaySend(facts.connection_in_flight_bytes);
  if (next_ < facts.end_offset && open) {
    return {.what = Do::kSendRecords,
            .max_bytes = std::min(kMirrorBatchBytes, kMaxInFlightBytes - in_flight_bytes_)};
  }
  if (now - sent_at_ >= kMirrorHeartbeat) return {.what = Do::kHeartbeat};
  return {.what = open ? Do::kAwaitRecords : Do::kAwaitAck, .until = sent_at_ + kMirrorHeartbeat};
}

MirrorSource::Action MirrorSource::NextForOneWithNothing(const SourceFacts& facts,
                                                         TimePoint now) const {
  if (facts.snapshot_is_made) return NextUnreachable(facts);
  if (now - sent_at_ >= kMirrorHeartbeat) return {.what = Do::kHeartbeat};
  return {.what = Do::kAwaitSnapshot, .until = sent_at_ + kMirrorHeartbeat};
}

MirrorSource::Action MirrorSource::NextUnreachable(const SourceFacts& facts) const {
  if (facts.snapshot_end_offset && *facts.snapshot_end_offset > next_ &&
      *facts.snapshot_end_offset >= facts.begin_offset) {
    return {.what = Do::kSendSnapshot};
  }
  return {.what = Do::kRefuse,
          .refusal = {RefusalReason::kOutOfReach,
                      fmt::format("records from {} on are not here any more, and no snapshot "
                                  "stands for them; the oldest is {}",
                                  next_, facts.begin_offset)}};
}

void MirrorSource::SentRecords(uint64_t end_offset, size_t bytes, TimePoint now) {
  next_ = end_offset;
  in_flight_.push_back({.end_offset = end_offset, .bytes = bytes});
  in_flight_bytes_ += bytes;
  sent_at_ = now;
}

std::optional<Refusal> MirrorSource::CheckSilence(TimePoint now) const {
  if (now - heard_ < kMaxMirrorSilence) return std::nullopt;
  return Refusal{RefusalReason::kProtocol, "no acknowledgement came in time"};
}

bool MirrorSource::MaySend(size_t connection_in_flight_bytes) const {
  if (in_flight_bytes_ < kMirrorBatchBytes) return true;
  return in_flight_bytes_ < kMaxInFlightBytes &&
         connection_in_flight_bytes < kMaxConnectionInFlightBytes;
}

void MirrorSource::BeginSnapshot(uint64_t end_offset) { next_ = end_offset; }

void MirrorSource::SentBlock(size_t bytes, TimePoint now) {
  block_bytes_sent_ += bytes;
  in_flight_bytes_ += bytes;
  sent_at_ = now;
}

std::optional<Refusal> MirrorSource::TakeAck(const Ack& ack, TimePoint now) {
  if (ack.end_offset < acknowledged_ || ack.end_offset > next_) {
    return Refusal{RefusalReason::kProtocol,
                   fmt::format("an acknowledgement of {}, of what is between {} and {}",
                               ack.end_offset, acknowledged_, next_)};
  }
  if (ack.block_bytes < block_bytes_taken_ || ack.block_bytes > block_bytes_sent_) {
    return Refusal{RefusalReason::kProtocol,
                   fmt::format("an acknowledgement of {} bytes of blocks, of {} that were sent",
                               ack.block_bytes, block_bytes_sent_)};
  }
  if (Result<void> plausible = clock_.CheckSkew(ack.now); !plausible) {
    return Refusal{RefusalReason::kClockAhead, plausible.error().message};
  }
  heard_ = now;
  acknowledged_ = ack.end_offset;
  in_flight_bytes_ -= ack.block_bytes - block_bytes_taken_;
  block_bytes_taken_ = ack.block_bytes;
  while (!in_flight_.empty() && in_flight_.front().end_offset <= acknowledged_) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  return std::nullopt;
}

}  // namespace meridian::store
