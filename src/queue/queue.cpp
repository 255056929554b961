#include "queue/queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "io/descriptors.hpp"
#include "io/task.hpp"
#include "io/threads/per_loop.hpp"
#include "io/wait_queue.hpp"
#include "queue/config.hpp"
#include "queue/engine/engine.hpp"
#include "queue/groups/group_service.hpp"
#include "queue/limits.hpp"
#include "queue/partition/limits.hpp"
#include "queue/server/broker.hpp"
#include "queue/server/queue_loop.hpp"
#include "queue/state/refusal.hpp"
#include "queue/state/topic_config.hpp"
#include "site/ports.hpp"
#include "site/site.hpp"
#include "site/tier/tier_process.hpp"
#include "site/tier_description.hpp"
#include "store/limits.hpp"

namespace meridian::queue {
namespace {

// From 1 on, in the order of site.toml: add new data centers at its end.
int32_t NodeIdOf(const site::Site& site, std::string_view data_center) {
  auto found = std::ranges::find(site.datacenters, data_center, &site::DataCenter::name);
  return static_cast<int32_t>(found - site.datacenters.begin()) + 1;
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
      calls_(process.loop()),
      reporting_(process.loop()),
      loops_(process.scopes()) {}

Queue::~Queue() = default;

int Queue::Run() {
  return process_.Run({.public_port = process_.site().ports.queue,
                       .start = [this] { return Start(); },
                       .drain = [this](Duration grace) { return Drain(grace); },
                       .end = [this] { return loops_.Destroy(); }});
}

io::Task<Result<void>> Queue::Start() {
  Result<void> opened = co_await OpenEngine();
  if (!opened) co_return opened;
  const Endpoint at{process_.HostAddress(), process_.site().ports.queue};
  groups_ = std::make_unique<GroupService>(process_.loop(), EntropySeed());
  broker_ = std::make_unique<Broker>(
      process_.loop(), *engine_, *groups_,
      BrokerIdentity{.cluster_id = process_.site().name + "/" + process_.here().name,
                     .node_id = NodeIdOf(process_.site(), process_.here().name),
                     .host = at.address.ToString(),
                     .port = at.port,
                     .rack = process_.here().name},
      config_);
  opened = co_await OpenLoops();
  if (opened) reporting_.Spawn(Report());
  co_return opened;
}

io::Task<Result<void>> Queue::OpenEngine() {
  const auto& state = process_.start().state_directory;
  Result<void> parent = co_await disk_.MakeFolder(state);
  if (!parent) co_return parent;
  EngineOptions options{.folder = state / ("queue-" + process_.here().name),
                        .journal_id = EntropySeed(),
                        .random_seed = EntropySeed(),
                        .topic_defaults = DefaultsOf(config_),
                        .group_is_active =
                            [this](std::string_view group) {
                              return groups_ && groups_->coordinator().Find(group) != nullptr;
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

io::Task<void> Queue::Report() {
  do {
    metrics_.Update(engine_->numbers(), groups_->coordinator().groups());
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
    text += fmt::format("{}{} partitions have a damaged segment file: see the log",
                        text.empty() ? "" : "; ", numbers.damaged_partitions);
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
          .sockets = {{.name = "kafka", .port = &site::Ports::queue}},
          .serves_application = true,
          .has_threads = true,
          .needs_table = true,
          .external_schemes = {"kafka", "kafka+ssl"},
          .section = ConfigSection(),
          .run = &Run};
}

}  // namespace meridian::queue
