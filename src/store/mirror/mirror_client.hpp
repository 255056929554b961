// MirrorClient: keeps a copy of another data center's log, at the same offsets, in a Log and
// Snapshots of its own. It follows on a stream of a MirrorConnection, and opens another whenever
// that ends.
//
//   auto copy = co_await Log::Open(loop, disk, {.folder = "state/session/us-west", .id = 0});
//   MirrorClient client(loop, options, **copy, **snapshots, dial);
//   scope.Spawn(client.Run());
//
// With a dial function it has a connection for itself; with a MirrorConnection it shares that.
//
// What is durable in the copy is acknowledged. The owner (store/replica.hpp) reads the copy as
// after a start: where a snapshot has replaced records, Read returns kNotFound; then the snapshot
// is loaded, and the copy read from its end offset on. A slow owner does not hold up the mirror.
//
// A copy is opened with id 0, and takes the id of the first log that it follows; it never follows
// another. Protocol: store/mirror/mirror_protocol.hpp; decisions: store/mirror/mirror_follower.hpp.
//
// Owned by a Replica; one thread, the loop's. Nobody else writes to the copy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/clock_file.hpp"
#include "store/limits.hpp"
#include "store/log/log.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/early_ends.hpp"
#include "store/mirror/mirror_connection.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

struct MirrorClientOptions {
  MirrorIdentity identity;
  std::string source;      // the data center that is followed
  std::string log;         // the log's name there
  uint32_t min_epoch = 0;  // known to be in force: a source of an older one is fenced
  HybridClock& clock;
  ClockFile* clock_file = nullptr;  // where the clock has a bound on disk
  uint64_t seed = 0;                // for the time between attempts
  // Called when a snapshot was received and is about to replace the copy. The source may have
  // dropped tombstones of what it knows to be applied here: after this call nothing that was
  // applied may be needed from the copy again. Null: nothing is needed.
  std::function<io::Task<Result<void>>()> before_snapshot;
  // The offset of our own log of that name that the source must have received for our copy to count
  // (Ack::own_offset). Null: none.
  std::function<uint64_t()> own_offset = {};
  // Called with each record that was received, before it is taken into the copy. May be empty.
  std::function<void(const Record& record)> on_record = {};
};

// How far a copy is behind, for /metrics.
struct MirrorGauges {
  MirrorGauges(Metrics& metrics, const std::string& log, const std::string& source);
  Gauge& records;
  Gauge& seconds;
  Gauge& connected;
  Gauge& clock_lead;
  Gauge& clock_error;
};

class MirrorClient {
 public:
  using Dial = MirrorConnection::Dial;

  MirrorClient(io::Loop& loop, const MirrorClientOptions& options, Log& copy, Snapshots& snapshots,
               Dial dial);
  // The connection's source and identity are those of `options`. The owner runs it.
  MirrorClient(io::Loop& loop, MirrorClientOptions options, Log& copy, Snapshots& snapshots,
               MirrorConnection& shared);
  MirrorClient(const MirrorClient&) = delete;
  MirrorClient& operator=(const MirrorClient&) = delete;

  // Follows until it is cancelled. Waits longer after each failure in a row.
  io::Task<void> Run();
  // Another writer is in force: sources of an older epoch are refused from now on.
  void RaiseLeastEpoch(uint32_t epoch);
  // The source was heard of in another way: dials at once, also where an attempt is waiting for an
  // answer that may have been lost.
  void RedialNow();

  // The source is followed, and neither connections to it nor streams keep ending early.
  bool connected() const {
    return connected_ && connection_.steady() && early_ends_.IsSteady(loop_.Now());
  }
  // What ended the last attempt to follow. Empty before the first attempt has ended. While
  // connected: why nothing is taken (the disk has no room), or empty.
  std::string problem() const {
    if (!connection_.steady()) return connection_.problem();
    return connected() ? waiting_for_ : problem_;
  }
  // Of the last attempt, if one end has refused the other.
  const std::optional<Refusal>& refusal() const {
    return connection_.up() ? refusal_ : connection_.refusal();
  }
  // Number of records that the copy lacks, as the source last said.
  uint64_t lag_records() const;
  // How long ago the copy had all that the source has; zero when it has now.
  Duration lag() const;
  // How far the source's clock is ahead of ours. Nothing: not connected, or no answer yet.
  std::optional<ClockOffset::Estimate> clock_offset() const {
    return connected_ ? clock_offset_.best() : std::nullopt;
  }
  void Show(MirrorGauges& gauges) const;

 private:
  class Session;
  MirrorClient(io::Loop& loop, MirrorClientOptions options, Log& copy, Snapshots& snapshots,
               std::unique_ptr<MirrorConnection> own, MirrorConnection* shared);
  io::Task<Result<void>> Reconcile();
  io::Task<Result<void>> FollowOnce();
  io::Task<void> Follow();
  void Report(const Result<void>& ended, TimePoint begun);
  void NoteSource(uint64_t end_offset);

  io::Loop& loop_;
  MirrorClientOptions options_;
  Log& copy_;
  Snapshots& snapshots_;
  std::unique_ptr<MirrorConnection> own_;  // null: the connection is shared
  MirrorConnection& connection_;
  Random random_;
  io::WaitQueue retry_requested_;
  Session* session_ = nullptr;
  bool connected_ = false;
  bool opened_ = false;  // in the last attempt
  uint64_t source_end_ = 0;
  TimePoint complete_;  // when the copy had all, or we began
  ClockOffset clock_offset_;
  EarlyEnds early_ends_;       // of streams; those of connections are not counted
  RecurringProblem problems_;  // for the log
  std::string problem_;
  std::string waiting_for_;
  std::optional<Refusal> refusal_;
};

}  // namespace meridian::store
