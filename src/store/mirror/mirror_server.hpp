// MirrorServer: serves the logs of this data center to followers that connect, and knows how far
// each of them is.
//
//   MirrorServer server(loop, {.identity = {site.name, "us-east"}, .clock = clock, .find = find});
//   scope.Spawn(server.Serve(std::move(stream), allowed));     // for each that comes in
//   size_t have = co_await server.AwaitFollowers("session", end_offset, 2, deadline);
//
// A connection carries several logs, each on a stream (served_stream.hpp); they share it fairly
// (frame_sender.hpp). The owner accepts, speaks TLS (mutual, by the site's CA) and hands the stream
// over. Protocol: store/mirror/mirror_protocol.hpp; decisions: store/mirror/mirror_source.hpp.
//
// Owned by a tier's main; one thread, the loop's. It and the logs outlive the fibers in Serve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/recurring_problem.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/log/log.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

// A log that may be followed.
struct MirroredLog {
  Log* log = nullptr;  // null: there is none of that name
  Snapshots* snapshots = nullptr;
  // Makes a snapshot of the present state of the log's owner. If set, a new follower must start
  // from a snapshot that was made after it connected; else it starts from the log's first record.
  std::function<io::Task<Result<void>>()> make_snapshot = nullptr;
};

struct MirrorServerOptions {
  MirrorIdentity identity;
  HybridClock& clock;
  std::function<MirroredLog(std::string_view name)> find;
  // A follower knows a newer epoch than this log's: another writer has taken over.
  std::function<void(std::string_view log)> on_fenced = [](std::string_view) {};
  // Whether we have received the log of that name of a follower up to this offset; its
  // acknowledgements do not count before. Null: they always do.
  std::function<bool(std::string_view data_center, uint64_t own_offset)> has_received = nullptr;
  // A follower was admitted: its data center can be reached.
  std::function<void(std::string_view data_center)> on_joined = [](std::string_view) {};
};

struct FollowerProgress {
  uint64_t acknowledged = 0;  // all below is durable there
  bool connected = false;
  // What has_received is asked; nothing: it has not acknowledged anything on this stream yet.
  std::optional<uint64_t> own_offset = {};
};

class MirrorServer {
 public:
  using Followers = std::map<std::string, FollowerProgress, std::less<>>;  // by data center

  MirrorServer(io::Loop& loop, MirrorServerOptions options);
  MirrorServer(const MirrorServer&) = delete;
  MirrorServer& operator=(const MirrorServer&) = delete;

  // Serves one follower until it leaves or is refused, which is logged. `allowed` says whether the
  // peer's certificate is that of the data center that it claims to be. `received`: what was read
  // of the stream already.
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream,
                       std::function<bool(std::string_view data_center)> allowed,
                       std::vector<uint8_t> received = {});

  // All that have connected since the start.
  const Followers& followers(std::string_view log) const;
  // Why the follower, or only this log of it, is not served, or what it has refused. Null: it is
  // served, or never connected.
  const Refusal* RefusalOf(std::string_view log, std::string_view data_center) const;
  // Number of followers that acknowledged all below `end_offset`.
  size_t CountWith(std::string_view log, uint64_t end_offset) const;
  // Waits until `count` have. Returns how many have, also at the deadline or when cancelled.
  io::Task<size_t> AwaitFollowers(std::string_view log, uint64_t end_offset, size_t count,
                                  TimePoint deadline);

 private:
  class Connection;
  class Stream;
  static constexpr size_t kMaxFollowerProblems = 64;
  static constexpr size_t kMaxRefusals = 256;

  bool Counts(const std::string& data_center, const FollowerProgress& progress) const;
  static std::string KeyOf(std::string_view log, std::string_view follower);
  RecurringProblem& ProblemWith(const std::string& key);
  // Of a follower with a valid certificate: so there are at most as many as data centers. No `log`:
  // the whole connection.
  void NoteRefusal(std::string_view log, const std::string& follower, const Refusal& refusal);

  io::Loop& loop_;
  MirrorServerOptions options_;
  std::map<std::string, Followers, std::less<>> followers_;  // by log
  std::map<std::string, Refusal, std::less<>> refusals_;     // by KeyOf
  // A follower's streams of a log, in the order in which they joined; by KeyOf. There are several
  // when it has a new connection and an old one has not ended here. The latest is the one that
  // counts.
  std::map<std::string, std::vector<const Stream*>, std::less<>> joined_;
  io::WaitQueue progress_;
  std::map<std::string, RecurringProblem> problems_;  // by KeyOf, for the log
};

}  // namespace meridian::store
