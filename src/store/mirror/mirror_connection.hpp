// MirrorConnection: the follower's end of the connection to another data center: dials it, again
// whenever the connection ends, and carries a stream for each log that is followed there.
//
//   MirrorConnection connection(loop, {.identity = ..., .source = "us-east", ...}, dial);
//   MirrorClient session(loop, options, session_copy, session_snapshots, connection);
//   MirrorClient queue(loop, options, queue_copy, queue_snapshots, connection);
//   scope.Spawn(connection.Run());
//   scope.Spawn(session.Run());
//   scope.Spawn(queue.Run());
//
// MirrorStream: one stream of it. What arrives waits in the stream, within kMaxReceivedBytes and
// kMaxReceivedFrames, so that a stream whose copy is slow does not hold up the others.
//
// Owned by the owner of the clients, or by the only client; outlives their fibers. One thread, the
// loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/random.hpp"
#include "base/recurring_problem.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/mirror/early_ends.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_source.hpp"

namespace meridian::store {

struct ReceivedFrame {
  FrameType type = FrameType::kHeartbeat;
  std::vector<uint8_t> body;
  int64_t heard_us = 0;  // when it had come, by our wall clock
};

class MirrorStream;

class MirrorConnection {
 public:
  struct Options {
    MirrorIdentity identity;
    std::string source;  // the data center
    const HybridClock& clock;
    uint64_t seed = 0;  // for the time between attempts
  };
  // Connects to the source by mutual TLS; its certificate must be that data center's.
  using Dial = std::function<io::Task<Result<std::unique_ptr<io::Stream>>>(TimePoint deadline)>;

  MirrorConnection(io::Loop& loop, Options options, Dial dial);
  ~MirrorConnection();
  MirrorConnection(const MirrorConnection&) = delete;
  MirrorConnection& operator=(const MirrorConnection&) = delete;

  // Keeps the connection until it is cancelled. Waits longer after each failure in a row.
  io::Task<void> Run();
  // The source was heard of in another way: dials at once, also where an attempt is waiting for an
  // answer that may have been lost.
  void RedialNow();

  bool up() const;
  // Up, and the connections before it did not keep ending early (early_ends.hpp).
  bool steady() const { return up() && early_ends_.IsSteady(loop_.Now()); }
  // Waits until it is. kCancelled.
  io::Task<Result<void>> AwaitUp();
  // A stream of the connection that is up now. kClosed: there is none.
  Result<std::unique_ptr<MirrorStream>> NewStream();

  // What ended the last attempt to connect or the last connection. Empty while it is steady, and
  // before the first attempt has ended.
  std::string problem() const { return steady() ? "" : problem_; }
  // Of the same, if one end has refused the whole connection.
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  friend class MirrorStream;
  class Live;
  using Dialled = Result<std::unique_ptr<io::Stream>>;
  io::Task<Result<void>> ConnectOnce();
  io::Task<Dialled> DialSource();
  io::Task<void> DialInto(Dialled* stream);
  void Report(const Result<void>& ended, TimePoint begun);

  io::Loop& loop_;
  Options options_;
  Dial dial_;
  Random random_;
  io::Scope* dialling_ = nullptr;
  bool redial_now_ = false;  // the next attempt does not wait
  bool welcomed_ = false;    // in the last attempt
  io::WaitQueue redial_requested_;
  io::WaitQueue came_up_;
  std::shared_ptr<Live> live_;  // its streams may outlive the connection
  EarlyEnds early_ends_;
  RecurringProblem problems_;  // for the log
  std::string problem_;
  std::optional<Refusal> refusal_;
};

// Owned by a MirrorClient while it follows.
class MirrorStream {
 public:
  MirrorStream(std::shared_ptr<MirrorConnection::Live> live, uint16_t number)
      : live_(std::move(live)), number_(number) {}
  ~MirrorStream();
  MirrorStream(const MirrorStream&) = delete;
  MirrorStream& operator=(const MirrorStream&) = delete;

  uint16_t number() const { return number_; }
  // The next frame. What ended the connection, when that has ended; kTimeout; kCancelled.
  io::Task<Result<ReceivedFrame>> Next(TimePoint deadline = kNever);
  io::Task<Result<void>> Send(std::vector<uint8_t> frame);
  // Tells the source that the stream ends, and why if it is refused.
  void Close(const std::optional<Refusal>& refusal);

 private:
  friend class MirrorConnection;
  // False: the source has sent more than it may.
  bool Take(ReceivedFrame frame);
  void WakeReader() { arrived_.WakeAll(); }

  std::shared_ptr<MirrorConnection::Live> live_;
  uint16_t number_;
  std::deque<ReceivedFrame> received_;
  size_t received_bytes_ = 0;
  io::WaitQueue arrived_;
};

}  // namespace meridian::store
