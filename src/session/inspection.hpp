// What operators are told of the tier's keys and of how far data centers are apart, as JSON: what
// `meridian session lag|digest|get` asks for, through the agent, at the ops port.
//
// Owned by the Session; one thread: the loop's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/exchange.hpp"
#include "io/task.hpp"
#include "session/data/keyspace.hpp"
#include "session/replication/replication.hpp"
#include "wire/json/writer.hpp"

namespace meridian::session {

// A hash of a key with its type, content and end, as clients see it: the same in every data center
// that holds the same, whatever it has merged on the way.
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
  // Of all keys but the cache's, some at a time; those that change meanwhile may count or not.
  io::Task<Result<std::string>> Digest();
  std::string Key(std::string_view key);
  // The member "value": not more of it than kShownItems of kShownBytes.
  void WriteValue(Entry& entry, wire::json::Writer& writer);

  Keyspace& keyspace_;
  const Replication* replication_;
};

}  // namespace meridian::session
