// Mirrors: keeps the queues of a site's data centers alike. It lets the others follow this data
// center's journal, follows theirs, holds acknowledgements back until copies exist (CopyGate),
// fetches what is missing (Filler), repairs damaged segment files (Mender), and moves homes here.
//
// Moving (Promote): nothing more is copied of the others' journals; all that was copied is
// applied, and put into a checkpoint; then the journal says that the home is here, under an epoch
// greater than all that are known here. An old home that hears of it stops at once, and sets aside
// what it had not handed on. Until it has heard, copies of its journal here do not count for it
// (store: Ack::own_offset): so it acknowledges nothing that would be lost.
//
// Owned by the Queue; one thread: the main loop's. Close before the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "queue/engine/engine.hpp"
#include "queue/mirror/copy_gate.hpp"
#include "queue/state/journal_record.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_server.hpp"

namespace meridian::store {
class Replica;
}

namespace meridian::queue {

class Filler;
class Mender;
class PeerCaller;

class Mirrors {
 public:
  struct Options {
    std::string site;
    std::string here;
    uint64_t seed = 0;
    // Connects to another data center's peer port.
    std::function<store::MirrorClient::Dial(const std::string& data_center)> dial;
  };
  // Another data center, as seen from here.
  struct Peer {
    NodeId node = 0;
    std::string name;
    bool connected = false;       // we follow its journal now
    uint64_t behind_records = 0;  // that it has and we lack
    Duration behind{};            // how long ago we had all that it has
    bool follows = false;         // it follows ours
    uint64_t ahead_records = 0;   // that we have and it lacks
    std::string problem;          // why one does not follow the other, or falls behind
    bool other_journal = false;   // it does not have the journal any more that we followed
  };
  struct PromoteRequest {
    std::vector<std::string> topics;
    bool all = false;    // topics, and the controller
    bool force = false;  // also if messages are known to be missing here
  };

  Mirrors(io::Loop& loop, HybridClock& clock, Engine& engine, Options options);
  ~Mirrors();
  // `metrics` may be null.
  void Start(Metrics* metrics);
  io::Task<void> Close();
  // Waits until what the others know of moves is known here too, or cannot be learnt: at most for
  // kMaxContactWait, and not after `is_over`.
  io::Task<void> AwaitContact(std::function<bool()> is_over);

  // Serves another data center's MirrorClient; see store::MirrorServer::Serve.
  io::Task<void> Serve(std::unique_ptr<io::Stream> stream,
                       std::function<bool(std::string_view data_center)> allowed,
                       std::vector<uint8_t> received);
  // The new epoch. kNotHome: messages are missing here, and `force` is not set. A move goes on when
  // the fiber that asked for it is cancelled; Close ends it.
  io::Task<Outcome<int32_t>> Promote(PromoteRequest request);
  // Follows another data center whose disk was lost, and with it the journal that was followed
  // here. kUnknownTopicOrPartition: there is no such data center; kNotHome: its old journal is
  // followed still, or topics have their home there, of which it has nothing any more.
  io::Task<Outcome<>> FollowAnew(std::string_view data_center);
  // Whether `allowed` is true of another data center with a queue.
  bool IsPeer(const std::function<bool(std::string_view data_center)>& allowed) const;
  // Null: no such data center.
  PeerCaller* CallerOf(NodeId node);

  std::vector<Peer> Peers() const;
  // Partitions that lack messages which their home has.
  size_t incomplete_partitions() const;
  // Why damaged segment files are not repaired yet. Empty: none, or that is not known.
  std::string RepairProblem() const;
  // Fewer copies exist of acknowledged messages than were asked for. Empty: not so.
  std::string MissingCopies() const;
  void UpdateMetrics();

 private:
  struct Gauges;
  struct Link;
  store::MirroredLog FindLog(std::string_view name);
  bool HasReceived(std::string_view data_center, uint64_t offset) const;
  void RedialNow(std::string_view data_center);
  io::Task<Result<void>> MakeSnapshot();
  template <typename T>
  io::Task<Outcome<T>> RunApart(io::Task<Outcome<T>> move);
  io::Task<Outcome<int32_t>> MoveHere(Engine::TakeOverRequest request, bool force);
  io::Task<Outcome<>> StartAnew(store::Replica& replica, NodeId node);
  Outcome<Engine::TakeOverRequest> Resolve(const PromoteRequest& request) const;
  Outcome<> CheckHomes(NodeId node) const;
  io::Task<Outcome<>> RemoveCopy(store::Replica& replica, NodeId node);
  io::Task<Outcome<>> AwaitApplied(const store::Replica& replica, NodeId node, TimePoint deadline);
  io::Task<Outcome<>> Checkpoint(TimePoint deadline);
  io::Task<Outcome<int32_t>> TakeOver(Engine::TakeOverRequest request, bool force);
  Outcome<> CheckComplete(const Engine::TakeOverRequest& request) const;

  io::Loop& loop_;
  HybridClock& clock_;
  Engine& engine_;
  Options options_;
  store::MirrorServer server_;
  CopyGate gate_;
  std::unique_ptr<Mender> mender_;
  std::vector<Link> links_;  // as the engine's sources
  std::unique_ptr<Gauges> gauges_;
  bool started_ = false;
  bool moving_ = false;  // homes, or from one journal to another
  bool closing_ = false;
  io::Scope moves_;
};

}  // namespace meridian::queue
