#include "session/replication/snapshot_item.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/log_record.hpp"

namespace meridian::session {
namespace {

// No version of a change, and not metadata.
constexpr uint8_t kPartMark = 0xfe;
constexpr size_t kPartHeadBytes = 2;  // the mark, and the kind of a log record

}  // namespace

std::optional<Bytes> ItemsOfChange::Next() {
  if (done_) return std::nullopt;
  if (!in_parts_ && rest_.size() <= most_) {
    done_ = true;
    return rest_;
  }
  in_parts_ = true;
  Bytes body = rest_.first(std::min(rest_.size(), most_ - kPartHeadBytes));
  rest_ = rest_.subspan(body.size());
  done_ = rest_.empty();
  part_.assign(1, static_cast<char>(kPartMark));
  part_ += static_cast<char>(done_ ? LogRecordKind::kChange : LogRecordKind::kMoreParts);
  part_ += AsText(body);
  return AsBytes(part_);
}

Result<std::optional<Bytes>> SnapshotItemReader::Take(Bytes item) {
  if (item.empty() || item[0] != kPartMark) {
    if (within_change()) return Fail(Errc::kInvalid, "a change in a snapshot is incomplete");
    return item;
  }
  Result<LogRecordReader::Taken> taken = entries_.Take(item.subspan(1));
  if (!taken) return Fail(std::move(taken.error()));
  if (taken->found == LogRecordReader::Found::kChange) return taken->bytes;
  if (within_change()) return std::nullopt;
  return Fail(Errc::kInvalid, "a snapshot's item is no part of a change");
}

Result<void> ApplySnapshotItem(SnapshotItemReader& items, Bytes item, Keyspace& keyspace) {
  Result<std::optional<Bytes>> record = items.Take(item);
  if (!record) return Fail(std::move(record.error()));
  return *record ? keyspace.Apply(**record) : Result<void>{};
}

}  // namespace meridian::session
