#include "session/replication/log_applier.hpp"

#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_record.hpp"
#include "session/replication/snapshot_item.hpp"
#include "session/replication/snapshot_metadata.hpp"
#include "store/log/record.hpp"

namespace meridian::session {

// The metadata of another data center's snapshot are about its own copies.
Result<void> LogApplier::LoadItem(Bytes item) {
  return IsSnapshotMetadata(item) ? Result<void>{} : ApplySnapshotItem(items_, item, keyspace_);
}

Result<void> LogApplier::Apply(const store::Record& record) {
  Result<LogRecordReader::Taken> taken = log_records_.Take(record.body);
  if (!taken) return Fail(std::move(taken.error()));
  switch (taken->found) {
    case LogRecordReader::Found::kNothing:
      break;
    case LogRecordReader::Found::kChange:
      return keyspace_.Apply(taken->bytes);
    case LogRecordReader::Found::kHeartbeat:
      on_heartbeat_(taken->bytes);
      break;
  }
  return {};
}

}  // namespace meridian::session
