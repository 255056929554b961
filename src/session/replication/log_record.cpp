#include "session/replication/log_record.hpp"

#include <utility>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meridian::session {

Result<LogRecordReader::Taken> LogRecordReader::Take(Bytes entry) {
  if (entry.empty()) return Fail(Errc::kInvalid, "an empty record in a session log");
  Bytes body = entry.subspan(1);
  switch (static_cast<LogRecordKind>(entry[0])) {
    case LogRecordKind::kChange:
      if (unfinished_.empty()) return Taken{Found::kChange, body};
      unfinished_ += AsText(body);
      record_ = std::exchange(unfinished_, {});
      return Taken{Found::kChange, AsBytes(record_)};
    case LogRecordKind::kMoreParts:
      unfinished_ += AsText(body);
      return Taken{};
    case LogRecordKind::kHeartbeat:
      return Taken{Found::kHeartbeat, body};
    case LogRecordKind::kAbandoned:
      Reset();
      return Taken{};
  }
  return Fail(Errc::kInvalid, "a record of kind {} in a session log", entry[0]);
}

}  // namespace meridian::session
