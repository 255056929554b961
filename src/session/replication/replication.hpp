// Replication: makes this data center converge with the others. It follows the session log of each
// (store::Replica), serves its own log to them (store::MirrorServer), writes heartbeats
// (MatrixClock), tells the keyspace the stability horizon, and counts acknowledgements for WAIT.
//
// Owned by the Session; one thread: the loop's. Close before it goes; journal and keyspace outlive
// it. Invariant: while a snapshot is written the stability horizon does not move, so that changes
// which are applied again on top of the snapshot bring no deleted key back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/metrics.hpp"
#include "io/file/disk.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/acknowledgements.hpp"
#include "session/replication/disk_journal.hpp"
#include "session/replication/log_applier.hpp"
#include "session/replication/matrix_clock.hpp"
#include "session/replication/peer_problem.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/disk_failure.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/replica.hpp"

namespace meridian::session {

class Replication final : public Acknowledgements {
 public:
  struct Options {
    std::string site;
    std::vector<std::string> data_centers;  // by replica id
    size_t here = 0;                        // our replica id
    std::string folder;                     // where the copies are
    uint64_t seed = 0;
    store::OnDiskFailure on_disk_failure = store::EndProcessOnDiskFailure;
    // Connects to another data center's peer port.
    std::function<store::MirrorClient::Dial(const std::string& data_center)> dial;
  };
  // The state of another data center, as seen from here.
  struct Peer {
    std::string name;
    bool connected = false;       // we follow it now
    uint64_t behind_records = 0;  // that it has and we lack
    Duration behind{};            // how long ago we had all that it has
    std::optional<store::ClockOffset::Estimate> clock;
    uint64_t ahead_records = 0;  // that we have and it lacks
    PeerProblem problem;         // why we do not follow it
    PeerProblem refused;         // why it does not follow us, though it has asked
  };

  struct Parts {
    io::Loop& loop;
    io::Disk& disk;
    HybridClock& clock;
    DiskJournal& journal;
    Keyspace& keyspace;
  };
  static io::Task<Result<std::unique_ptr<Replication>>> Open(const Parts& parts, Options options);
  ~Replication() override;

  // Recovers the keyspace, which is empty: from the journal, and from the copies of other data
  // centers' logs.
  io::Task<Result<void>> Replay();
  // Follows the others, and lets them follow, from now on. `metrics` may be null.
  void Start(Metrics* metrics);
  // After Start, and before the first write. A data center with a new disk may have been in the
  // site before, with another disk: it must continue its counter sums of then, and its stamps must
  // be above those of then, whose tombstones the others may have dropped. So it waits until it has
  // applied something from each other one; at most for kMaxPeerClockSkew, and not after `is_over`.
  io::Task<void> AwaitContact(std::function<bool()> is_over = {});
  io::Task<void> Close();
  // Serves another data center whose connection was accepted; see MirrorServer::Serve.
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream,
                       std::function<bool(std::string_view data_center)> allowed);

  // Called around a snapshot of the keyspace: its metadata; and whether it was written (null: no).
  SnapshotMetadata BeginSnapshot();
  void EndSnapshot(const SnapshotMetadata* written);

  size_t Count(uint64_t offset) const override;
  io::Task<size_t> Await(uint64_t offset, size_t count, TimePoint deadline) override;

  std::vector<Peer> Peers() const;
  // See MatrixClock.
  HybridTime stability_horizon() const { return parts_.keyspace.stability_horizon(); }

 private:
  struct Gauges;
  // Another data center's log, copied and applied here.
  struct Source {
    LogApplier applier;
    std::unique_ptr<store::Replica> replica;
  };

  Replication(const Parts& parts, Options options);
  // What others may follow here.
  store::MirroredLog FindLog(std::string_view name);
  bool HasAppliedFromAll() const;
  bool alone() const { return options_.data_centers.size() == 1; }
  io::Task<Result<void>> OpenSources();
  io::Task<Result<void>> HasNoCopyWithin(std::string folder);
  io::Task<Result<void>> ReplayCopies(const SnapshotMetadata& metadata);
  io::Task<Result<std::unique_ptr<Source>>> OpenSource(std::string name,
                                                       LogApplier::OnHeartbeat on_heartbeat);
  void RedialNow(std::string_view data_center);
  // Calls `visit(store::Replica&)` for each replica, also for those of former data centers.
  template <class Visit>
  void ForEachReplica(Visit visit) {
    for (auto* all : {&sources_, &former_}) {
      for (auto& source : *all) {
        if (source) visit(*source->replica);
      }
    }
  }
  LogApplier::OnHeartbeat HeartbeatHandlerOf(size_t replica_id);
  void Learn();
  Result<uint64_t> WriteHeartbeat();
  io::Task<Result<void>> MakeSnapshot();
  io::Task<void> WriteHeartbeats();

  Parts parts_;
  Options options_;
  MatrixClock matrix_clock_;
  store::MirrorServer server_;
  std::vector<std::unique_ptr<Source>> sources_;  // by replica id; null: ourselves
  std::vector<std::unique_ptr<Source>> former_;   // of data centers that left the site
  std::unique_ptr<Gauges> gauges_;
  bool frozen_ = false;
  io::Scope background_;
};

}  // namespace meridian::session
