// MirrorFollower: the decisions of a follower on one stream of a connection: what it asks for, and
// whether it accepts what it gets. Pure; mirror_client.cpp does the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

// Why a follower of `source` does not go on with who has answered, or nothing.
std::optional<Refusal> CheckWelcome(const Welcome& welcome, const std::string& source,
                                    const HybridClock& clock);

// Of the copy, when the stream is opened.
struct CopyFacts {
  uint64_t log_id = 0;  // 0: it has followed nothing yet
  uint64_t next_offset = 0;
  uint32_t newest_epoch = 0;
};

class MirrorFollower {
 public:
  MirrorFollower(const HybridClock& clock, CopyFacts copy, uint32_t min_epoch)
      : clock_(clock), copy_(copy), min_epoch_(min_epoch) {}

  OpenStream MakeOpenStream(const std::string& log) const;
  // Each: why the stream must end, or nothing.
  std::optional<Refusal> TakeOpened(const StreamOpened& opened);
  std::optional<Refusal> TakeState(const SourceState& state);
  std::optional<Refusal> TakeRecords(const RecordBatch& batch);
  std::optional<Refusal> TakeSnapshot(const SnapshotInfo& info);
  // A source of an older epoch is fenced from now on.
  void RaiseLeastEpoch(uint32_t epoch);

  uint64_t log_id() const { return copy_.log_id; }
  uint64_t next_offset() const { return copy_.next_offset; }  // that the source sends next

 private:
  std::optional<Refusal> CheckEpoch(uint32_t epoch) const;
  std::optional<Refusal> CheckClock(HybridTime time) const;

  const HybridClock& clock_;
  CopyFacts copy_;
  uint32_t min_epoch_;
};

}  // namespace meridian::store
