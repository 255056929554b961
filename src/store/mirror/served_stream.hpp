// MirrorServer::Stream: one log, served to one follower, on one stream of its connection: one fiber
// sends, and the connection hands over what the follower says. Private to mirror_server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "store/log/log.hpp"
#include "store/mirror/clock_offset.hpp"
#include "store/mirror/frame_sender.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/mirror/mirror_source.hpp"
#include "store/snapshot/snapshot.hpp"

namespace meridian::store {

class MirrorServer::Stream {
 public:
  // What the streams of a connection share.
  struct Connection {
    MirrorServer& server;
    FrameSender& sender;
    std::string follower;                     // the data center
    io::WaitQueue& acknowledged;              // woken by acknowledgements of any stream
    std::function<size_t()> in_flight_bytes;  // of all streams
  };

  Stream(const Connection& connection, uint16_t number, OpenStream open)
      : connection_(connection),
        server_(connection.server),
        number_(number),
        open_(std::move(open)),
        decisions_(server_.options_.clock, server_.loop_.Now()),
        scope_(server_.loop_) {}

  // Until it is closed or refused, by either end, or cancelled.
  io::Task<void> Run();
  // A frame from the follower.
  void Take(const Frame& frame);
  size_t in_flight_bytes() const { return decisions_.in_flight_bytes(); }

 private:
  io::Task<std::optional<Refusal>> Admit();
  io::Task<SourceFacts> FactsForOpen();
  SourceFacts Facts() const;
  io::Task<void> MakeSnapshot();
  io::Task<void> Send();
  io::Task<Result<void>> Act(const MirrorSource::Action& action);
  io::Task<Result<void>> SendRecords(size_t max_bytes);
  io::Task<Result<void>> SendSnapshot();
  io::Task<Result<void>> SendBlocks(SnapshotReader& reader);
  io::Task<Result<void>> AwaitRecords(TimePoint until);
  static io::Task<Result<void>> WaitFor(io::WaitQueue& news, TimePoint until);
  void TakeAck(Bytes body);
  void TakeRefusal(Bytes body);
  void Join();
  void Leave();
  void Refuse(Refusal refusal);
  // The follower has ended the stream.
  void End() {
    ended_ = true;
    scope_.Cancel();
  }
  bool is_latest() const;
  std::string key() const { return KeyOf(open_.log, connection_.follower); }
  SourceState State() const;
  Log& log() const { return *source_.log; }
  io::Loop& loop() const { return server_.loop_; }

  const Connection& connection_;
  MirrorServer& server_;
  uint16_t number_;
  OpenStream open_;
  MirroredLog source_;
  MirrorSource decisions_;
  io::Scope scope_;
  io::WaitQueue snapshot_made_;
  bool making_snapshot_ = false;
  bool admitted_ = false;
  bool ended_ = false;
  std::optional<Refusal> refusal_;
  ClockEcho echo_;           // but for when it is answered
  bool unreadable_ = false;  // what comes next turned out to be damaged
};

}  // namespace meridian::store
