// Inspection: reports for operators, as JSON: lag, digest and single keys. The agent passes the
// requests of `meridian session lag|digest|get` on to the ops port.
//
// Owned by the Session; one thread: the loop's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "io/task.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/replication.hpp"
#include "wire/json/writer.hpp"

namespace meridian::session {

// A hash of a key with its type, content and expiry, as clients see it: the same in every data
// center that holds the same, whatever versions it has merged.
uint64_t DigestOf(Keyspace& keyspace, const Entry& entry);

class Inspection {
 public:
  // `replication` may be null.
  Inspection(Keyspace& keyspace, const Replication* replication)
      : keyspace_(keyspace), replication_(replication) {}

  // GET /session/lag, /session/digest, /session/key?KEY (percent-encoded).
  io::Task<void> Answer(http::Exchange& exchange);

 private:
  std::string Lag() const;
  // Of all keys but the cache's, in slices; keys that change meanwhile may be counted or not.
  io::Task<Result<std::string>> Digest();
  std::string Key(std::string_view key);
  // The member "value": at most kShownItems of at most kShownBytes each.
  void WriteValue(Entry& entry, wire::json::Writer& writer);

  Keyspace& keyspace_;
  const Replication* replication_;
};

}  // namespace meridian::session
