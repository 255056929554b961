// LogApplier: applies another data center's session log to the keyspace: its records, and the items
// of snapshots that come in their place. Beats are handed on.
//
// Owned by the Replication; one thread: the loop's.
#pragma once

#include <functional>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_entry.hpp"
#include "session/replication/snapshot_item.hpp"
#include "store/applier.hpp"
#include "store/log/record.hpp"

namespace meridian::session {

class LogApplier final : public store::Applier {
 public:
  // Called for each beat, when all before it is applied.
  using OnBeat = std::function<void(Bytes beat)>;

  LogApplier(Keyspace& keyspace, OnBeat on_beat)
      : keyspace_(keyspace), on_beat_(std::move(on_beat)) {}

  // A record that was begun is in the snapshot as a whole.
  void BeginLoading() override { entries_.Reset(); }
  Result<void> LoadItem(Bytes item) override;
  void EndLoading() override {}
  Result<void> Apply(const store::Record& record) override;
  bool at_boundary() const override { return !entries_.within_record(); }

 private:
  Keyspace& keyspace_;
  OnBeat on_beat_;
  ItemReader items_;
  EntryReader entries_;
};

}  // namespace meridian::session
