#include "store/mirror/mirror_follower.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/snapshot/snapshot_format.hpp"

namespace meridian::store {

std::optional<Refusal> CheckWelcome(const Welcome& welcome, const std::string& source,
                                    const HybridClock& clock) {
  if (welcome.data_center != source) {
    return Refusal{RefusalReason::kNotAllowed,
                   fmt::format("{} answers in place of {}", welcome.data_center, source)};
  }
  if (Result<void> plausible = clock.CheckSkew(welcome.now); !plausible) {
    return Refusal{RefusalReason::kClockAhead, plausible.error().message};
  }
  return std::nullopt;
}

OpenStream MirrorFollower::MakeOpenStream(const std::string& log) const {
  return {.log = log,
          .log_id = copy_.log_id,
          .next_offset = copy_.next_offset,
          .newest_epoch = copy_.newest_epoch,
          .min_epoch = min_epoch_};
}

std::optional<Refusal> MirrorFollower::CheckEpoch(uint32_t epoch) const {
  uint32_t least = std::max(min_epoch_, copy_.newest_epoch);
  if (epoch >= least) return std::nullopt;
  return Refusal{RefusalReason::kStaleEpoch,
                 fmt::format("epoch {} was replaced by epoch {}", epoch, least)};
}

std::optional<Refusal> MirrorFollower::CheckClock(HybridTime time) const {
  Result<void> plausible = clock_.CheckSkew(time);
  if (plausible) return std::nullopt;
  return Refusal{RefusalReason::kClockAhead, plausible.error().message};
}

std::optional<Refusal> MirrorFollower::TakeOpened(const StreamOpened& opened) {
  if (copy_.log_id != 0 && opened.log_id != copy_.log_id) {
    return Refusal{
        RefusalReason::kOtherLog,
        fmt::format("the copy is one of {:016x}, the log is {:016x}", copy_.log_id, opened.log_id)};
  }
  if (auto refusal = CheckEpoch(opened.epoch)) return refusal;
  copy_.log_id = opened.log_id;
  return std::nullopt;
}

std::optional<Refusal> MirrorFollower::TakeState(const SourceState& state) {
  if (auto refusal = CheckEpoch(state.epoch)) return refusal;
  if (auto refusal = CheckClock(state.now)) return refusal;
  return std::nullopt;
}

std::optional<Refusal> MirrorFollower::TakeRecords(const RecordBatch& batch) {
  if (batch.empty() || batch.begin_offset() != copy_.next_offset) {
    return Refusal{RefusalReason::kProtocol,
                   fmt::format("records from {} on came where {} comes next", batch.begin_offset(),
                               copy_.next_offset)};
  }
  if (auto refusal = CheckClock(batch.newest_time())) return refusal;
  // Old records may be of old epochs, but no epoch follows a newer one.
  uint32_t epoch = copy_.newest_epoch;
  bool ascending = true;
  batch.ForEach([&](const Record& record) {
    ascending = ascending && record.epoch >= epoch;
    epoch = record.epoch;
  });
  if (!ascending) {
    return Refusal{RefusalReason::kDiverged, "a record of an older epoch follows a newer one"};
  }
  copy_.newest_epoch = epoch;
  copy_.next_offset = batch.end_offset();
  return std::nullopt;
}

std::optional<Refusal> MirrorFollower::TakeSnapshot(const SnapshotInfo& info) {
  if (info.log_id != copy_.log_id || info.end_offset <= copy_.next_offset) {
    return Refusal{RefusalReason::kProtocol,
                   fmt::format("a snapshot of {} for a copy that has all below {}", info.end_offset,
                               copy_.next_offset)};
  }
  if (info.epoch < copy_.newest_epoch) {
    return Refusal{RefusalReason::kDiverged, "the snapshot is of an older epoch than the copy"};
  }
  if (auto refusal = CheckClock(info.time)) return refusal;
  copy_.newest_epoch = info.epoch;
  copy_.next_offset = info.end_offset;
  return std::nullopt;
}

void MirrorFollower::RaiseLeastEpoch(uint32_t epoch) { min_epoch_ = std::max(min_epoch_, epoch); }

}  // namespace meridian::store
