// Mirroring: a peer follows a log and keeps a copy of it, at the same offsets, in a Log of its own.
//
// The source serves followers that come in; the follower dials, and dials again for as long as it
// lives. Between them goes any Stream; both ends make it one of mutual TLS (site's PeerTls) and
// look at the names in the certificates before they hand it over. Protocol:
// store/mirror_protocol.hpp.
//
//   MirrorSource source(loop, clock, {.site = site.name, .data_center = "us-east"}, find_log);
//   scope.Spawn(source.Serve(std::move(stream)));                       // for each that comes in
//
//   MirrorFollower follower(loop, clock, options, copy_log, copy_snapshots, dial);
//   scope.Spawn(follower.Run());
//   for (;;) co_await copy_log.Durable(next); co_await copy_log.Read(next, ...);   // the owner
//   applies
//
// A follower acknowledges what is durable in its copy. Whoever applies the copy follows that log as
// after a start: Read gives kNotFound where a snapshot has replaced the records, and then the
// snapshot is loaded and the log followed from its offset. So replay and mirroring are one path.
//
// Both: owned by a tier's main; one thread, the loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/log.hpp"
#include "store/snapshot.hpp"

namespace meridian::store {

struct MirrorIdentity {
  std::string site;         // both must be of one site
  std::string data_center;  // our own name
};

// A log that can be followed.
struct MirroredLog {
  Log* log = nullptr;  // null: there is none of that name
  Snapshots* snapshots = nullptr;
};

struct FollowerProgress {
  uint64_t acknowledged = 0;  // the next offset that it does not have yet
  bool connected = false;
};

class MirrorSource {
 public:
  using Find = std::function<MirroredLog(std::string_view name)>;
  MirrorSource(io::Loop& loop, HybridClock& clock, MirrorIdentity identity, Find find);

  // Serves one follower until it leaves or is refused, which is logged. `allowed` is asked with the
  // data center that the follower claims to be: whether its certificate says so too.
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream,
                       std::function<bool(std::string_view data_center)> allowed);

  // By data center; those that were never heard of are not in it.
  const std::map<std::string, FollowerProgress>& followers(std::string_view log) const;
  // Waits until `count` followers have acknowledged the record at `offset`; how many have, also at
  // the deadline.
  io::Task<size_t> AwaitFollowers(std::string_view log, uint64_t offset, size_t count,
                                  TimePoint deadline);
};

struct MirrorFollowerOptions {
  MirrorIdentity identity;
  std::string source;        // the data center that is followed
  std::string log;           // the log's name there
  uint32_t least_epoch = 0;  // known to be in force: a source of an older one is fenced
};

class MirrorFollower {
 public:
  using Dial = std::function<io::Task<Result<std::unique_ptr<io::Stream>>>(TimePoint deadline)>;
  MirrorFollower(io::Loop& loop, HybridClock& clock, MirrorFollowerOptions options, Log& copy,
                 Snapshots& snapshots, Dial dial);

  // Follows until it is cancelled; waits longer after each failure in a row.
  io::Task<void> Run();
  void RaiseLeastEpoch(uint32_t epoch);

  bool connected() const;
  uint64_t lag_records() const;  // as the source last said
  Duration lag() const;          // how long ago we had all that the source has
};

}  // namespace meridian::store
