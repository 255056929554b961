#include "session/replication/log_applier.hpp"

#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/basis.hpp"
#include "session/replication/log_entry.hpp"
#include "session/replication/snapshot_item.hpp"
#include "store/log/record.hpp"

namespace meridian::session {

// What the other data center's snapshot says of the logs that it follows is not ours.
Result<void> LogApplier::LoadItem(Bytes item) {
  return IsBasis(item) ? Result<void>{} : ApplyItem(items_, item, keyspace_);
}

Result<void> LogApplier::Apply(const store::Record& record) {
  Result<EntryReader::Taken> taken = entries_.Take(record.body);
  if (!taken) return Fail(std::move(taken.error()));
  switch (taken->found) {
    case EntryReader::Found::kNothing:
      break;
    case EntryReader::Found::kRecord:
      return keyspace_.Apply(taken->bytes);
    case EntryReader::Found::kBeat:
      on_beat_(taken->bytes);
      break;
  }
  return {};
}

}  // namespace meridian::session
