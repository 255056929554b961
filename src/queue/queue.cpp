#include "queue/queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "io/descriptors.hpp"
#include "io/loop.hpp"
#include "io/net/stream.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "io/wait_queue.hpp"
#include "queue/config.hpp"
#include "queue/engine/durable_state.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/inspection.hpp"
#include "queue/lag_metrics.hpp"
#include "queue/limits.hpp"
#include "queue/mirror/mirrors.hpp"
#include "queue/partition/limits.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/peer_server.hpp"
#include "queue/server/queue_loop.hpp"
#include "queue/site_topics.hpp"
#include "queue/state/journal_record.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "queue/topic_homes.hpp"
#include "queue/topic_setup.hpp"
#include "site/ports.hpp"
#include "site/site.hpp"
#include "site/tier/peer_listener.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "store/limits.hpp"

namespace meridian::queue {
namespace {

// From 1 on, in the order of site.toml: add new data centers at its end.
NodeId NodeIdOf(const site::Site& site, std::string_view data_center) {
  auto found = std::ranges::find(site.datacenters, data_center, &site::DataCenter::name);
  return static_cast<NodeId>(found - site.datacenters.begin()) + 1;
}

// The other data centers with a queue.
std::vector<PeerNode> PeersOf(const site::Site& site, std::string_view here) {
  std::vector<PeerNode> peers;
  for (const site::DataCenter& each : site.datacenters) {
    if (each.edge_only || each.name == here) continue;
    peers.push_back({.node = NodeIdOf(site, each.name), .name = each.name});
  }
  return peers;
}

// The first data center that has a queue.
NodeId FirstController(const site::Site& site) {
  auto found = std::ranges::find(site.datacenters, false, &site::DataCenter::edge_only);
  return NodeIdOf(site, found->name);
}

// ""; or what is wrong between data centers, after other problems or as the first.
std::string MirrorProblem(const Mirrors& mirrors, bool first) {
  std::vector<std::string> problems;
  if (std::string missing = mirrors.MissingCopies(); !missing.empty()) problems.push_back(missing);
  for (const Mirrors::Peer& peer : mirrors.Peers()) {
    if (!peer.connected) {
      problems.push_back(fmt::format("does not follow the queue of {}", peer.name));
    } else if (peer.behind > kFarBehind) {
      problems.push_back(
          fmt::format("is {:.0f} s behind the queue of {}", Seconds(peer.behind), peer.name));
    } else if (!peer.follows) {
      problems.push_back(fmt::format("is not followed by {}", peer.name));
    } else if (peer.problem.empty()) {
      continue;
    } else {
      problems.push_back(fmt::format("cannot take all from {}", peer.name));
    }
    if (!peer.problem.empty()) problems.back() += ": " + peer.problem;
  }
  if (size_t count = mirrors.incomplete_partitions(); count > 0) {
    problems.push_back(fmt::format("messages of {} partitions are not mirrored here yet", count));
  }
  std::string text = fmt::format("{}", fmt::join(problems, "; "));
  return first || text.empty() ? text : "; " + text;
}

// The homes that site.toml names.
std::vector<TopicHomes::Declared> HomesOf(const Config& config, const site::Site& site) {
  std::vector<TopicHomes::Declared> homes;
  for (const DeclaredTopic& topic : config.topics) {
    if (topic.home.empty()) continue;
    homes.push_back(
        {.topic = topic.name, .home = NodeIdOf(site, topic.home), .home_name = topic.home});
  }
  return homes;
}

LagMetrics::DeadLetterTopics DeadLetterTopicsOf(const site::Site& site) {
  LagMetrics::DeadLetterTopics topics;
  for (const site::Worker& worker : site.workers) {
    if (worker.retries > 0) topics.emplace(worker.name, DeadLetterTopic(worker));
  }
  return topics;
}

int64_t WallMs(const io::Loop& loop) {
  return std::chrono::floor<std::chrono::milliseconds>(loop.Wall()).time_since_epoch().count();
}

TopicConfig DefaultsOf(const Config& config) {
  TopicConfig defaults;
  defaults.retention_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(config.retention).count();
  if (config.retention_bytes != 0) {
    defaults.retention_bytes = static_cast<int64_t>(config.retention_bytes);
  }
  return defaults;
}

}  // namespace

Queue::Queue(site::TierProcess& process)
    : process_(process),
      config_(process.site().sections.Get<Config>()),
      clock_(process.driver(), store::kMaxClockSkew),
      max_segment_files_(io::FittingFiles("queue", kMaxSegmentFiles)),
      metrics_(process.metrics()),
      lag_metrics_(process.metrics(), DeadLetterTopicsOf(process.site())),
      calls_(process.loop()),
      reporting_(process.loop()),
      loops_(process.scopes()) {}

Queue::~Queue() = default;

int Queue::Run() {
  return process_.Run({.public_port = process_.site().ports.queue,
                       .start = [this] { return Start(); },
                       .drain = [this](Duration grace) { return Drain(grace); },
                       .end = [this] { return loops_.Destroy(); },
                       .inspect = [this](http::Exchange& exchange) { return Inspect(exchange); }});
}

io::Task<Result<void>> Queue::Start() {
  groups_ = std::make_unique<GroupService>(process_.loop(), EntropySeed());
  Result<void> opened = co_await OpenEngine();
  if (!opened) co_return opened;
  topics_ = std::make_unique<TopicSetup>(*engine_, TopicsOfSite(config_, process_.site().workers),
                                         static_cast<uint32_t>(config_.partitions));
  homes_ =
      std::make_unique<TopicHomes>(engine_->durable().state(), HomesOf(config_, process_.site()));
  groups_->SetCoordinator(engine_->is_controller());
  opened = co_await OpenMirrors();
  if (!opened) co_return opened;
  // Before clients come, who would have topics made with other numbers of partitions.
  co_await SetUpTopics();
  opened = co_await OpenLoops();
  if (opened) reporting_.Spawn(Report());
  co_return opened;
}

BrokerIdentity Queue::Identity() const {
  const site::Site& site = process_.site();
  const uint16_t port = site.ports.queue;
  BrokerIdentity identity{
      .cluster_id = site.name,
      .here = {.node_id = static_cast<int32_t>(NodeIdOf(site, process_.here().name)),
               .host = process_.HostAddress().ToString(),
               .port = port,
               .rack = process_.here().name}};
  for (const site::DataCenter& each : site.datacenters) {
    if (each.edge_only || each.name == process_.here().name) continue;
    identity.others.push_back({.node_id = static_cast<int32_t>(NodeIdOf(site, each.name)),
                               .host = process_.AddressOf(each).ToString(),
                               .port = port,
                               .rack = each.name});
  }
  return identity;
}

// Clients are served when it is known what has moved to other data centers meanwhile.
io::Task<Result<void>> Queue::OpenMirrors() {
  const bool alone = engine_->options().peers.empty();
  if (!alone) {
    auto listener = site::PeerListener::Open(process_, process_.site().ports.queue);
    if (!listener) co_return Fail(std::move(listener.error()));
    peer_listener_ = std::move(*listener);
    mirrors_ = std::make_unique<Mirrors>(process_.loop(), clock_, *engine_,
                                         Mirrors::Options{.site = process_.site().name,
                                                          .here = process_.here().name,
                                                          .seed = EntropySeed(),
                                                          .dial = [this](const std::string& name) {
                                                            return peer_listener_->DialOf(name);
                                                          }});
  }
  broker_ = std::make_unique<Broker>(Broker::Parts{.loop = process_.loop(),
                                                   .engine = *engine_,
                                                   .groups = *groups_,
                                                   .mirrors = mirrors_.get()},
                                     Identity(), config_);
  if (alone) co_return Result<void>{};
  mirrors_->Start(&process_.metrics());
  peer_server_ = std::make_unique<PeerServer>(PeerServer::Parts{
      .loop = process_.loop(), .broker = *broker_, .broker_scope = calls_, .mirrors = *mirrors_});
  peer_listener_->Start(
      [this](std::unique_ptr<io::Stream> stream, std::function<bool(std::string_view)> allowed) {
        return peer_server_->Serve(std::move(stream), std::move(allowed));
      });
  co_await mirrors_->AwaitContact([this] { return process_.stopping(); });
  co_return Result<void>{};
}

io::Task<void> Queue::Inspect(http::Exchange& exchange) {
  Inspection inspection(*engine_, mirrors_.get(), broker_->identity());
  co_await inspection.Answer(exchange);
}

io::Task<Result<void>> Queue::OpenEngine() {
  const auto& state = process_.start().state_directory;
  Result<void> parent = co_await disk_.MakeFolder(state);
  if (!parent) co_return parent;
  const site::Site& site = process_.site();
  if (site.datacenters.size() > kMaxNodeId) {
    co_return Fail(Errc::kTooLarge,
                   "the queue knows {} data centers and edge places, and site.toml has {}",
                   kMaxNodeId, site.datacenters.size());
  }
  const NodeId node = NodeIdOf(site, process_.here().name);
  EngineOptions options{
      .node = node,
      .first_controller = FirstController(site),
      .peers = PeersOf(site, process_.here().name),
      .min_copies = config_.loss == Loss::kNone ? size_t{1} : size_t{0},
      .folder = state / ("queue-" + process_.here().name),
      .journal_id = EntropySeed(),
      .random_seed = EntropySeed(),
      .topic_defaults = DefaultsOf(config_),
      .group_is_active =
          [this](std::string_view group) { return groups_->coordinator().Find(group) != nullptr; },
      .on_controller_change =
          [this] {
            if (engine_) groups_->SetCoordinator(engine_->is_controller());
          },
      .max_segment_files = max_segment_files_,
      .heavy_pool = &heavy_pool_};
  auto engine = co_await Engine::Open(process_.loop(), disk_, clock_, std::move(options));
  if (!engine) co_return Fail(std::move(engine.error()));
  engine_ = std::move(*engine);
  co_return Result<void>{};
}

io::Task<Result<void>> Queue::OpenLoops() {
  auto listeners =
      process_.ListenOnLoops("kafka", {process_.HostAddress(), process_.site().ports.queue});
  if (!listeners) co_return Fail(std::move(listeners.error()));
  const size_t count = loops_.size();
  const size_t clients =
      io::FittingConnections("queue", config_.max_clients, 1, count, max_segment_files_);
  const QueueLoop::Options options{
      .broker = *broker_,
      .broker_scope = calls_,
      .max_connections = std::max<size_t>(clients / count, 1),
      .max_request_bytes = std::max(kMaxRequestBytesInFlight / count, kMaxRequestBytes)};
  co_await loops_.Make([&](size_t index) {
    return std::make_unique<QueueLoop>(process_.OnLoop(index), options,
                                       std::move((*listeners)[index]));
  });
  co_return Result<void>{};
}

// The controller makes the topics, and mirrors get them from it.
io::Task<void> Queue::SetUpTopics() {
  topics_set_up_ = engine_->is_controller();
  if (topics_set_up_) co_await topics_->Apply();
}

io::Task<void> Queue::TakeHomes(std::vector<std::string> topics) {
  const std::string names = fmt::format("{}", fmt::join(topics, ", "));
  Outcome<int32_t> epoch = co_await mirrors_->Promote({.topics = std::move(topics)});
  if (epoch) {
    LOG_INFO("new topics have their home here now, as site.toml says", {"topics", names});
  } else {
    LOG_WARNING("site.toml says that new topics have their home here, and they cannot move now",
                {"topics", names}, {"problem", epoch.error().message});
    (void)co_await io::Sleep(kTopicSetupInterval);
  }
  taking_homes_ = false;
}

io::Task<void> Queue::Report() {
  TimePoint next_setup = process_.loop().After(kTopicSetupInterval);
  do {
    const bool due = topics_->has_problem() || !topics_set_up_;
    if (due && process_.loop().Now() >= next_setup) {
      co_await SetUpTopics();
      next_setup = process_.loop().After(kTopicSetupInterval);
    }
    if (mirrors_ && !taking_homes_) {
      std::vector<std::string> names = homes_->ToTake();
      taking_homes_ = !names.empty();
      if (taking_homes_) reporting_.Spawn(TakeHomes(std::move(names)));
    }
    metrics_.Update(engine_->numbers(), groups_->coordinator().groups());
    lag_metrics_.Update(engine_->durable().state(), WallMs(process_.loop()));
    if (mirrors_) mirrors_->UpdateMetrics();
    process_.SetDetail(Problem());
  } while (co_await io::Sleep(kReportInterval));
}

std::string Queue::Problem() const {
  const EngineNumbers numbers = engine_->numbers();
  std::string text = engine_->write_problem();
  const std::string checkpoints = engine_->checkpoint_problem();
  if (!text.empty()) {
    const std::string advice =
        LacksDescriptors(text)
            ? "raise the limit of open files (LimitNOFILE= of systemd)"
            : "free space on the disk of " + process_.start().state_directory.string();
    text = fmt::format("messages are refused: {}; {}", text, advice);
  }
  if (!checkpoints.empty()) {
    text += fmt::format("{}the journal grows: {}", text.empty() ? "" : "; ", checkpoints);
  }
  if (numbers.damaged_partitions > 0) {
    const std::string repair =
        mirrors_ ? mirrors_->RepairProblem() : "there is no other data center to repair them from";
    text +=
        fmt::format("{}{} partitions have a damaged segment file, {} among them: see the log{}{}",
                    text.empty() ? "" : "; ", numbers.damaged_partitions,
                    engine_->damaged_partition(), repair.empty() ? "" : "; ", repair);
  }
  if (topics_->has_problem()) text += (text.empty() ? "" : "; ") + topics_->problem();
  if (std::string homes = homes_->problem(); !homes.empty()) {
    text += (text.empty() ? "" : "; ") + homes;
  }
  if (mirrors_) text += MirrorProblem(*mirrors_, text.empty());
  if (size_t count = engine_->durable().set_aside(); count > 0) {
    text += fmt::format("{}messages of {} partitions were never mirrored and are set aside in {}",
                        text.empty() ? "" : "; ", count, engine_->durable().set_aside_folder());
  }
  return text;
}

// Requests that wait for the disk, which may hang, do not hold up the end.
io::Task<void> Queue::EndCallsAfter(Duration grace) {
  if (co_await io::Sleep(grace)) calls_.Cancel();
}

io::Task<void> Queue::Drain(Duration grace) {
  reporting_.Cancel();
  co_await reporting_.Join();
  if (loops_.first() != nullptr) {
    const Duration bounded = std::max(grace, kMinDrainGrace);
    io::Scope end(process_.loop());
    end.Spawn(EndCallsAfter(bounded));
    co_await loops_.ForEach([bounded](QueueLoop& loop) { return loop.Drain(bounded); });
    end.Cancel();
    co_await end.Join();
  }
  co_await calls_.Join();
  if (peer_listener_) co_await peer_listener_->Close();
  if (mirrors_) co_await mirrors_->Close();
  if (groups_) co_await groups_->Close();
  if (engine_) co_await engine_->Close();
}

namespace {

int Run(const site::Site& site, site::TierStart start) {
  const size_t loops = site::TierThreads(site, start);
  site::TierProcess process(site, std::move(start), loops);
  return Queue(process).Run();
}

}  // namespace

site::TierDescription Describe() {
  return {.name = "queue",
          .summary = "The queue tier of a data center, by itself",
          .ports = {{.port = &site::Ports::queue}},
          .sockets = {{.name = "kafka", .port = &site::Ports::queue, .crosses = true},
                      {.name = "peer",
                       .port = &site::Ports::queue,
                       .audience = site::Audience::kPeers}},
          .serves_application = true,
          .has_threads = true,
          .needs_table = true,
          .external_schemes = {"kafka", "kafka+ssl"},
          .section = ConfigSection(),
          .run = &Run};
}

}  // namespace meridian::queue
