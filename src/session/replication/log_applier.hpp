// LogApplier: applies another data center's session log to the keyspace: its changes, and the items
// of snapshots that replace them. Heartbeats are passed on.
//
// Owned by the Replication; one thread: the loop's.
#pragma once

#include <functional>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_item.hpp"
#include "store/applier.hpp"
#include "store/log/record.hpp"

namespace meridian::session {

class LogApplier final : public store::Applier {
 public:
  // Called for each heartbeat, when all before it is applied.
  using OnHeartbeat = std::function<void(Bytes heartbeat)>;

  LogApplier(Keyspace& keyspace, OnHeartbeat on_heartbeat)
      : keyspace_(keyspace), on_heartbeat_(std::move(on_heartbeat)) {}

  // The snapshot has every change as a whole.
  void BeginLoading() override { log_records_.Reset(); }
  Result<void> LoadItem(Bytes item) override;
  void EndLoading() override {}
  Result<void> Apply(const store::Record& record) override;
  bool at_boundary() const override { return !log_records_.within_change(); }

 private:
  Keyspace& keyspace_;
  OnHeartbeat on_heartbeat_;
  SnapshotItemReader items_;
  LogRecordReader log_records_;
};

}  // namespace meridian::session
