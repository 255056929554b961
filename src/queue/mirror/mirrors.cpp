#include "queue/mirror/mirrors.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/hybrid_clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/limits.hpp"
#include "queue/mirror/copy_gate.hpp"
#include "queue/mirror/filler.hpp"
#include "queue/mirror/mender.hpp"
#include "queue/mirror/peer_caller.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/queue_state.hpp"
#include "queue/state/refusal.hpp"
#include "store/journal.hpp"
#include "store/log/record.hpp"
#include "store/mirror/mirror_client.hpp"
#include "store/mirror/mirror_protocol.hpp"
#include "store/mirror/mirror_server.hpp"
#include "store/replica.hpp"

namespace meridian::queue {

namespace {

bool HasOtherJournal(const store::Replica& replica) {
  const store::MirrorClient* mirror = replica.mirror();
  return mirror != nullptr && !mirror->connected() && mirror->refusal() &&
         mirror->refusal()->reason == store::RefusalReason::kOtherLog;
}

Outcome<> RefuseWhileMoving() {
  return Refuse(QueueError::kTooManyRequests, "another order is being carried out here");
}

}  // namespace

struct Mirrors::Link {
  std::unique_ptr<Filler> filler;
  std::unique_ptr<PeerCaller> caller;
};

// The gauges of /metrics.
struct Mirrors::Gauges {
  struct Mirror {
    const store::Replica* replica;
    store::MirrorGauges gauges;
  };
  explicit Gauges(Metrics& metrics)
      : missing_copies(metrics.AddGauge("meridian_queue_missing_copies",
                                        "Copies in other data centers that acknowledged messages "
                                        "lack, because those cannot be reached.")),
        incomplete(metrics.AddGauge("meridian_queue_incomplete_partitions",
                                    "Mirrored partitions that lack messages of their home.")) {}

  std::vector<Mirror> mirrors;
  Gauge& missing_copies;
  Gauge& incomplete;
};

Mirrors::Mirrors(io::Loop& loop, HybridClock& clock, Engine& engine, Options options)
    : loop_(loop),
      clock_(clock),
      engine_(engine),
      options_(std::move(options)),
      server_(loop, {.identity = {options_.site, options_.here},
                     .clock = clock,
                     .find = [this](std::string_view name) { return FindLog(name); },
                     .has_received = [this](std::string_view name,
                                            uint64_t offset) { return HasReceived(name, offset); },
                     .on_joined = [this](std::string_view name) { RedialNow(name); }}),
      gate_({.loop = loop,
             .server = server_,
             .log = std::string(kJournalName),
             .peers = engine.durable().sources().size(),
             .journal_end = [this] { return engine_.durable().journal().durable_end_offset(); }}),
      moves_(loop) {
  std::vector<Mender::Peer> peers;
  for (const auto& source : engine_.durable().sources()) {
    const store::MirrorClient::Dial dial = options_.dial(source->replica->source());
    links_.push_back(
        {.filler = std::make_unique<Filler>(loop_, engine_.durable(), source->node, dial),
         .caller = std::make_unique<PeerCaller>(dial)});
    peers.push_back({.node = source->node, .name = source->replica->source(), .dial = dial});
  }
  mender_ = std::make_unique<Mender>(loop_, engine_.durable(), std::move(peers));
}

Mirrors::~Mirrors() = default;

store::MirroredLog Mirrors::FindLog(std::string_view name) {
  if (name != kJournalName) return {};
  store::Journal& journal = engine_.durable().journal();
  return {.log = &journal.log(), .snapshots = &journal.snapshots(), .make_snapshot = [this] {
            return MakeSnapshot();
          }};
}

// Whether what has moved to the other data center is known here.
bool Mirrors::HasReceived(std::string_view data_center, uint64_t offset) const {
  const auto& sources = engine_.durable().sources();
  auto found = std::ranges::find_if(sources, [data_center](const auto& source) {
    return source->replica->source() == data_center;
  });
  return found != sources.end() && (*found)->replica->received() >= offset;
}

// For a new follower, which must not miss topics whose records were released.
io::Task<Result<void>> Mirrors::MakeSnapshot() {
  co_return co_await engine_.durable().CheckpointNow();
}

void Mirrors::RedialNow(std::string_view data_center) {
  for (const auto& source : engine_.durable().sources()) {
    if (source->replica->source() == data_center) source->replica->RedialNow();
  }
}

void Mirrors::Start(Metrics* metrics) {
  started_ = true;
  if (metrics != nullptr) gauges_ = std::make_unique<Gauges>(*metrics);
  DurableState& durable = engine_.durable();
  uint64_t number = 0;
  for (const auto& source : durable.sources()) {
    store::Replica& replica = *source->replica;
    replica.Start(
        {.identity = {options_.site, options_.here},
         .clock = clock_,
         .clock_file = &durable.journal().clock_file(),
         .seed = options_.seed + number++,
         .before_snapshot = [this] { return MakeSnapshot(); },
         .own_offset = [&durable] { return durable.state().own_move_end(); },
         .on_record = [&durable, node = source->node](
                          const store::Record& record) { durable.FenceFor(node, record); }},
        options_.dial(replica.source()), *source->applier);
    if (gauges_) {
      gauges_->mirrors.push_back(
          {&replica, {*metrics, std::string(kJournalName), replica.source()}});
    }
  }
  for (const Link& link : links_) link.filler->Start();
  mender_->Start();
  gate_.Start();
  durable.set_gate(&gate_);
}

io::Task<void> Mirrors::Close() {
  closing_ = true;
  moves_.Cancel();
  co_await moves_.Join();
  if (!started_) co_return;
  engine_.durable().set_gate(nullptr);
  for (const Link& link : links_) co_await link.filler->Stop();
  co_await mender_->Stop();
  for (const auto& source : engine_.durable().sources()) co_await source->replica->Pause();
  co_await gate_.Stop();
}

io::Task<void> Mirrors::AwaitContact(std::function<bool()> is_over) {
  const TimePoint until = loop_.After(kMaxContactWait);
  const auto& sources = engine_.durable().sources();
  while (loop_.Now() < until && !is_over()) {
    const bool heard = std::ranges::all_of(sources, [](const auto& source) {
      const store::Replica& replica = *source->replica;
      return replica.mirror() != nullptr && replica.mirror()->connected() &&
             replica.mirror()->lag_records() == 0 && replica.applied_all();
    });
    if (heard || !co_await io::Sleep(kContactPause)) co_return;
  }
  LOG_WARNING(
      "another data center cannot be reached at the start: it may be the home of topics "
      "that this one takes for its own");
}

io::Task<void> Mirrors::Serve(std::unique_ptr<io::Stream> stream,
                              std::function<bool(std::string_view)> allowed,
                              std::vector<uint8_t> received) {
  co_await server_.Serve(std::move(stream), std::move(allowed), std::move(received));
}

bool Mirrors::IsPeer(const std::function<bool(std::string_view)>& allowed) const {
  return std::ranges::any_of(engine_.options().peers,
                             [&allowed](const PeerNode& peer) { return allowed(peer.name); });
}

PeerCaller* Mirrors::CallerOf(NodeId node) {
  const auto& sources = engine_.durable().sources();
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources[i]->node == node) return links_[i].caller.get();
  }
  return nullptr;
}

// --- Moving homes here ---------------------------------------------------------------------------

Outcome<Engine::TakeOverRequest> Mirrors::Resolve(const PromoteRequest& request) const {
  const QueueState& state = engine_.durable().state();
  Engine::TakeOverRequest resolved{.controller = request.all && !state.is_controller()};
  for (const std::string& name : request.topics) {
    const Topic* topic = state.FindTopic(name);
    if (topic == nullptr) {
      return Refuse(QueueError::kUnknownTopicOrPartition, "there is no topic {}", name);
    }
    if (!state.IsHome(*topic)) resolved.topics.push_back(name);
  }
  if (!request.all) return resolved;
  for (const auto& [number, topic] : state.topics()) {
    if (!state.IsHome(topic)) resolved.topics.push_back(topic.name);
  }
  return resolved;
}

Outcome<> Mirrors::CheckComplete(const Engine::TakeOverRequest& request) const {
  for (const std::string& name : request.topics) {
    const Topic* topic = engine_.durable().state().FindTopic(name);
    if (topic == nullptr) continue;
    for (const PartitionState& partition : topic->partitions) {
      if (partition.end_offset >= partition.source_end) continue;
      return Refuse(
          QueueError::kNotHome,
          "topic {} is not mirrored whole here: messages from offset {} to {} are missing", name,
          partition.end_offset, partition.source_end);
    }
  }
  return {};
}

io::Task<Outcome<int32_t>> Mirrors::Promote(PromoteRequest request) {
  if (moving_) co_return Refuse(RefuseWhileMoving().error());
  Outcome<Engine::TakeOverRequest> resolved = Resolve(request);
  if (!resolved) co_return Refuse(std::move(resolved.error()));
  if (resolved->topics.empty() && !resolved->controller)
    co_return engine_.durable().state().max_epoch();
  co_return co_await RunApart(MoveHere(std::move(*resolved), request.force));
}

// A move that ends half-way leaves mirrors that follow nothing: it must not end because a client
// has lost its patience.
template <typename T>
io::Task<Outcome<T>> Mirrors::RunApart(io::Task<Outcome<T>> move) {
  struct State {
    std::optional<Outcome<T>> outcome;
    io::WaitQueue ended;
  };
  auto run = [](io::Task<Outcome<T>> task, std::shared_ptr<State> state,
                bool& moving) -> io::Task<void> {
    state->outcome = co_await std::move(task);
    moving = false;
    state->ended.WakeAll();
  };
  moving_ = true;
  auto state = std::make_shared<State>();
  moves_.Spawn(run(std::move(move), state, moving_));
  if (!co_await state->ended.Wait()) {
    co_return Refuse(QueueError::kClosing, "it goes on, but nobody waits for it: see status");
  }
  co_return std::move(*state->outcome);
}

io::Task<Outcome<int32_t>> Mirrors::MoveHere(Engine::TakeOverRequest request, bool force) {
  // All: a home may have moved from one to another, which is not known here yet.
  for (const auto& source : engine_.durable().sources()) co_await source->replica->Pause();
  Outcome<int32_t> epoch = co_await TakeOver(std::move(request), force);
  if (!closing_) {
    for (const auto& source : engine_.durable().sources()) source->replica->Resume();
  }
  if (epoch) LOG_INFO("homes of topics have moved here", {"epoch", *epoch});
  co_return epoch;
}

io::Task<Outcome<int32_t>> Mirrors::TakeOver(Engine::TakeOverRequest request, bool force) {
  const TimePoint deadline = loop_.After(kMaxPromotionWait);
  Outcome<> ready;
  for (const auto& source : engine_.durable().sources()) {
    if (ready) ready = co_await AwaitApplied(*source->replica, source->node, deadline);
  }
  if (ready && !force) ready = CheckComplete(request);
  if (ready) ready = co_await Checkpoint(deadline);
  if (!ready) co_return Refuse(std::move(ready.error()));
  co_return co_await engine_.TakeOver(std::move(request));
}

// All that was copied is in the state and in the segment files.
io::Task<Outcome<>> Mirrors::AwaitApplied(const store::Replica& replica, NodeId node,
                                          TimePoint deadline) {
  while (!replica.applied_all() || engine_.durable().IsWriting(node)) {
    if (loop_.Now() > deadline) {
      co_return Refuse(QueueError::kTimedOut, "the copy of {}'s journal is not applied: see status",
                       replica.source());
    }
    if (!co_await io::Sleep(kApplyPause)) co_return Refuse(QueueError::kClosing, "cancelled");
  }
  co_return Outcome<>{};
}

// A checkpoint is tried again without limit while the disk is full.
io::Task<Outcome<>> Mirrors::Checkpoint(TimePoint deadline) {
  Outcome<> outcome = Refuse(QueueError::kTimedOut, "no checkpoint was written: see status");
  io::WaitQueue done;
  auto write = [&]() -> io::Task<void> {
    if (co_await engine_.durable().CheckpointNow()) outcome = {};
    done.WakeAll();
  };
  io::Scope scope(loop_);
  scope.Spawn(write());
  (void)co_await done.Wait(deadline);
  scope.Cancel();
  co_await scope.Join();
  co_return outcome;
}

// --- A data center whose disk was lost -----------------------------------------------------------

io::Task<Outcome<>> Mirrors::FollowAnew(std::string_view data_center) {
  const auto& sources = engine_.durable().sources();
  auto found = std::ranges::find_if(sources, [data_center](const auto& source) {
    return source->replica->source() == data_center;
  });
  if (found == sources.end()) {
    co_return Refuse(QueueError::kUnknownTopicOrPartition,
                     "there is no other data center {} with a queue", data_center);
  }
  if (moving_) co_return RefuseWhileMoving();
  store::Replica& replica = *(*found)->replica;
  if (!HasOtherJournal(replica)) {
    co_return Refuse(QueueError::kNotHome, "{} is not known to have lost its disk: {}", data_center,
                     replica.mirror() != nullptr && replica.mirror()->connected()
                         ? "the journal that was followed is followed still"
                         : "it does not answer, or refuses for another reason");
  }
  co_return co_await RunApart(StartAnew(replica, (*found)->node));
}

io::Task<Outcome<>> Mirrors::StartAnew(store::Replica& replica, NodeId node) {
  co_await replica.Pause();
  Outcome<> done = co_await RemoveCopy(replica, node);
  if (!closing_) replica.Resume();
  if (done) {
    LOG_INFO("a data center is followed anew: its disk was lost", {"datacenter", replica.source()});
  }
  co_return done;
}

// Of what has its home there, the last messages are here alone.
Outcome<> Mirrors::CheckHomes(NodeId node) const {
  const QueueState& state = engine_.durable().state();
  bool has_homes = state.controller().node == node;
  for (const auto& [number, topic] : state.topics()) has_homes |= topic.home == node;
  if (!has_homes) return {};
  return Refuse(QueueError::kNotHome,
                "topics or consumer groups have their home there: promote another data center "
                "first");
}

io::Task<Outcome<>> Mirrors::RemoveCopy(store::Replica& replica, NodeId node) {
  const TimePoint deadline = loop_.After(kMaxPromotionWait);
  Outcome<> done = CheckHomes(node);
  if (done) done = co_await AwaitApplied(replica, node, deadline);
  if (done) done = co_await Checkpoint(deadline);
  if (done) done = CheckHomes(node);  // another data center may have promoted it meanwhile
  if (!done) co_return done;
  Result<void> removed = co_await replica.RemoveCopy();
  if (!removed) co_return Refuse(QueueError::kStorage, "{}", removed.error().message);
  co_return done;
}

// --- What people see -----------------------------------------------------------------------------

std::string Mirrors::RepairProblem() const { return mender_->problem(); }

size_t Mirrors::incomplete_partitions() const {
  size_t count = 0;
  for (const auto& [number, topic] : engine_.durable().state().topics()) {
    count += static_cast<size_t>(
        std::ranges::count_if(topic.partitions, [](const PartitionState& partition) {
          return partition.end_offset < partition.source_end;
        }));
  }
  return count;
}

std::string Mirrors::MissingCopies() const {
  if (!gate_.is_missing_copies()) return "";
  return fmt::format(
      "acknowledged messages are in {} other data centers, and not in {}: the loss of this disk "
      "would lose some",
      gate_.certain(), gate_.asked());
}

std::vector<Mirrors::Peer> Mirrors::Peers() const {
  std::vector<Peer> peers;
  const auto& followers = server_.followers(kJournalName);
  const uint64_t end = engine_.durable().journal().log().end_offset();
  const auto& sources = engine_.durable().sources();
  for (size_t i = 0; i < sources.size(); ++i) {
    const store::Replica& replica = *sources[i]->replica;
    if (replica.mirror() == nullptr) continue;
    const store::MirrorClient& mirror = *replica.mirror();
    auto found = followers.find(replica.source());
    const bool follows = found != followers.end() && found->second.connected;
    const uint64_t acknowledged = found == followers.end() ? 0 : found->second.acknowledged;
    std::string problem = replica.problem();
    if (problem.empty()) problem = mirror.problem();
    if (problem.empty()) problem = links_[i].filler->problem();
    const store::Refusal* refusal = server_.RefusalOf(kJournalName, replica.source());
    if (problem.empty() && refusal != nullptr && !follows) problem = refusal->text;
    peers.push_back({.node = sources[i]->node,
                     .name = replica.source(),
                     .connected = mirror.connected(),
                     .behind_records = mirror.lag_records(),
                     .behind = mirror.lag(),
                     .follows = follows,
                     .ahead_records = end - std::min(end, acknowledged),
                     .problem = std::move(problem),
                     .other_journal = HasOtherJournal(replica)});
  }
  return peers;
}

void Mirrors::UpdateMetrics() {
  if (!gauges_) return;
  for (Gauges::Mirror& each : gauges_->mirrors) {
    if (each.replica->mirror() != nullptr) each.replica->mirror()->Show(each.gauges);
  }
  gauges_->missing_copies.Set(static_cast<double>(gate_.asked() - gate_.certain()));
  gauges_->incomplete.Set(static_cast<double>(incomplete_partitions()));
}

}  // namespace meridian::queue
