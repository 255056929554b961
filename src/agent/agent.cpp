#include "agent/agent.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include "agent/agent_metrics.hpp"
#include "agent/children/instance_child.hpp"
#include "agent/children/tier_child.hpp"
#include "agent/children/tier_table.hpp"
#include "agent/context.hpp"
#include "agent/engines/engines.hpp"
#include "agent/limits.hpp"
#include "agent/peers/availability.hpp"
#include "agent/report/port_problem.hpp"
#include "agent/report/status.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/cores.hpp"
#include "io/fd.hpp"
#include "io/file/file.hpp"
#include "io/net/socket.hpp"
#include "io/port_owner.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/tier/control.hpp"
#include "site/tier_description.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

namespace {

Endpoint OpsOf(const TierEntry& entry) {
  auto ops = std::ranges::find(entry.sockets, "ops", &TierSocket::name);
  CHECK(ops != entry.sockets.end());
  return ops->at;
}

// The file exists while the data center is drained.
std::filesystem::path DrainMarker(const Context& context) {
  return context.state_directory / (context.here.name + ".drained");
}

// Error messages say what to do.
Result<io::Fd> OpenSocket(const TierEntry& tier, const TierSocket& socket) {
  Result<io::Fd> fd = socket.kind == site::SocketKind::kStream
                          ? io::OpenListeningSocket(socket.at, {})
                          : io::OpenDatagramSocket(socket.at, socket.reuse_port);
  if (fd) return fd;
  std::string owner = fmt::format("the {} tier", tier.name);
  std::string table = fmt::format("[{}]", tier.name);
  bool stream = socket.kind == site::SocketKind::kStream;
  return Fail(PortProblem({.at = socket.at,
                           .transport = stream ? io::Transport::kTcp : io::Transport::kUdp,
                           .owner = owner,
                           .table = table},
                          fd.error()));
}

}  // namespace

Agent::Agent(const Context& context, Options options)
    : context_(context),
      options_(std::move(options)),
      shown_(metrics_, context.site, context.here.name),
      lifecycle_(options_.answer_ttl + kDrainGrace),
      replacement_(context.site.app.unhealthy_timeout),
      peers_(context.site, context.here.name),
      poller_(context, options_.peer_tls, peers_, [this] { OnChange(); }),
      logs_(context, metrics_),
      workers_(context, logs_, metrics_, [this] { changed_.WakeAll(); }),
      engines_(context, metrics_, [this] { changed_.WakeAll(); }),
      children_(context.loop),
      background_(context.loop) {
  view_ = MakeView();
}

Agent::~Agent() = default;

bool Agent::Runs(const std::string& role) const {
  return options_.roles.empty() || options_.roles.contains(role);
}

Result<void> Agent::OpenSockets() {
  for (const TierEntry& entry :
       TierTable(context_.site, context_.here, context_.hosting, io::AvailableCores())) {
    if (!Runs(entry.name)) continue;
    TierSpec spec{.name = entry.name,
                  .port = entry.port,
                  .ops = OpsOf(entry),
                  .serves_application = entry.serves_application,
                  .serves_others = entry.serves_others,
                  .needed_to_serve = entry.needed_to_serve,
                  .sockets = {}};
    for (const TierSocket& socket : entry.sockets) {
      Result<io::Fd> fd = OpenSocket(entry, socket);
      if (!fd && socket.optional && fd.error().code == Errc::kUnavailable) {
        // Usual behind a NAT router.
        LOG_WARNING("public address is not on this host: not listening on it", {"tier", entry.name},
                    {"public_address", socket.at.address.ToString()});
        continue;
      }
      if (!fd) return Fail(std::move(fd.error()));
      spec.sockets.push_back({socket.name, std::move(*fd)});
    }
    tiers_.push_back(
        std::make_unique<TierChild>(context_, std::move(spec), [this] { OnChange(); }));
  }
  return {};
}

io::Task<Result<void>> Agent::Start() {
  Result<void> opened = OpenSockets();
  if (!opened) co_return opened;
  std::error_code error;
  drains_when_it_serves_ = std::filesystem::exists(DrainMarker(context_), error);
  bool has_instances = Runs("app") && !context_.here.edge_only;
  uint32_t count = has_instances ? context_.site.app.instances : 0;
  for (uint32_t number = 1; number <= count; ++number) {
    instances_.push_back(
        std::make_unique<InstanceChild>(context_, logs_, number, [this] { OnChange(); }));
  }
  for (auto& tier : tiers_) children_.Spawn(tier->Run());
  for (auto& instance : instances_) children_.Spawn(instance->Run());
  if (Runs("worker") && !context_.here.edge_only) workers_.Start(children_);
  if (Runs("watch")) engines_.Start(children_, background_, options_.roles);
  background_.Spawn(poller_.Run());
  background_.Spawn(logs_.Run());
  background_.Spawn(Tick());
  OnChange();
  co_return co_await AwaitStart();
}

Result<void> Agent::StartProblem() const {
  for (const auto& tier : tiers_) {
    if (tier->restarts() < kTierStartAttempts || tier->report().ready) continue;
    auto log = context_.state_directory / "logs" / context_.here.name / (tier->name() + ".log");
    return Fail(Errc::kUnavailable, "the {} tier does not start: {}\n  Its log is {}", tier->name(),
                tier->problem(), log.string());
  }
  for (const auto& instance : instances_) {
    if (!instance->failed_to_start()) continue;
    return Fail(Errc::kUnavailable,
                "the application does not start: {}\n  Check command, directory and health of "
                "[app] in {}, and that it listens at $PORT",
                instance->problem(), context_.site.file.string());
  }
  return {};
}

bool Agent::IsUp() const {
  return std::ranges::all_of(tiers_, [](const auto& tier) { return tier->ready(); }) &&
         std::ranges::all_of(instances_, [](const auto& each) { return each->healthy(); });
}

std::string Agent::WaitsFor() const {
  std::string text;
  auto add = [&](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  for (const auto& tier : tiers_) {
    if (!tier->ready()) add(tier->name());
  }
  for (const auto& instance : instances_) {
    if (!instance->healthy()) add(instance->WaitsFor());
  }
  return text;
}

bool Agent::IsSettled() const {
  return peers_.all_known() && std::ranges::all_of(tiers_, [this](const auto& tier) {
           return tier->report().view_number == view_.number;
         });
}

io::Task<Result<void>> Agent::AwaitStart() {
  while (!IsUp()) {
    Result<void> problem = StartProblem();
    if (!problem) co_return problem;
    if (options_.waits) options_.waits(WaitsFor());
    Result<void> waited = co_await changed_.Wait();
    if (!waited) co_return waited;
  }
  // After the start, clients should get answers based on the views of all peers.
  TimePoint deadline = context_.loop.After(kSettleTimeout);
  while (!IsSettled()) {
    if (options_.waits) options_.waits("the other data centers");
    Result<void> waited = co_await changed_.Wait(deadline);
    if (waited) continue;
    if (waited.error().code == Errc::kTimeout) break;
    co_return waited;
  }
  co_return Result<void>{};
}

io::Task<void> Agent::StopTiers(bool serving_application) {
  for (auto& tier : std::views::reverse(tiers_)) {
    if (tier->serves_application() != serving_application) continue;
    tier->Stop();
    while (tier->pid() != 0 && co_await changed_.Wait()) {
    }
  }
}

io::Task<void> Agent::Stop() {
  engines_.Stop();
  // A tier that sends requests to another ends before the other is stopped.
  co_await StopTiers(false);
  for (auto& instance : instances_) instance->Stop();
  workers_.Stop();
  for (auto& instance : instances_) {
    while (instance->pid() != 0 && co_await changed_.Wait()) {
    }
  }
  while (workers_.running() && co_await changed_.Wait()) {
  }
  co_await logs_.Flush(context_.loop.After(kOutputFlushTimeout));
  co_await StopTiers(true);
  co_await children_.Join();
  background_.Cancel();
  co_await background_.Join();
}

bool Agent::Drain() {
  bool drains = lifecycle_.Drain(context_.loop.Now());
  if (drains) RememberDrain(true);
  OnChange();
  return drains;
}

bool Agent::Undrain() {
  bool serves = lifecycle_.Undrain();
  if (serves) RememberDrain(false);
  OnChange();
  return serves;
}

void Agent::RememberDrain(bool drained) const {
  std::filesystem::path marker = DrainMarker(context_);
  Result<void> done;
  std::error_code error;
  if (drained) {
    done = io::WriteFileAtomically(marker.string(), "", 0600);
  } else if (std::filesystem::remove(marker, error); error) {
    done = Fail(Errc::kIo, "{}: {}", marker.string(), error.message());
  }
  if (!done) {
    LOG_ERROR("the drain state is not saved, so a restart of this data center ignores it",
              {"drained", drained}, {"problem", done.error().message});
  }
}

Result<void> Agent::RestartInstance(std::string_view id) {
  if (workers_.Restart(id)) return {};
  auto found = std::ranges::find_if(instances_, [&](auto& each) { return each->view().id == id; });
  if (found == instances_.end()) return Fail(Errc::kNotFound, "there is no instance {} here", id);
  bool others = std::ranges::any_of(view_.instances, [&](const site::InstanceView& other) {
    return other.id != id && other.state == site::InstanceState::kHealthy;
  });
  if (!others) {
    return Fail(Errc::kUnavailable, "no other instance is healthy: none could serve meanwhile");
  }
  if (!(*found)->Leave()) return Fail(Errc::kUnavailable, "{} is not in service", id);
  background_.Spawn(RestartWhenLeft(**found, view_.number));
  return {};
}

bool Agent::HaveLeft(uint64_t view_number) const {
  return std::ranges::all_of(tiers_, [&](const auto& tier) {
    const site::TierReport& report = tier->report();
    // A tier that is not running gets the newest view at its start.
    return tier->pid() == 0 || (report.view_number >= view_number && report.leaving == 0);
  });
}

io::Task<void> Agent::RestartWhenLeft(InstanceChild& instance, uint64_t view_number) {
  TimePoint deadline = context_.loop.After(kLeaveTimeout);
  while (!HaveLeft(view_number)) {
    Result<void> waited = co_await changed_.Wait(deadline);
    if (waited) continue;
    if (waited.error().code != Errc::kTimeout) co_return;
    LOG_WARNING("instance restarted with requests in flight", {"instance", instance.view().id});
    break;
  }
  instance.Restart();
}

io::Task<void> Agent::Tick() {
  while (co_await io::Sleep(std::chrono::seconds{1})) {
    bool cut_short = lifecycle_.cut_short();
    lifecycle_.OnTick(context_.loop.Now(), HasRequests());
    if (lifecycle_.cut_short() && !cut_short) {
      LOG_WARNING("drained although new connections of visitors still come",
                  {"after_seconds", Seconds(kMaxDrainTime)});
    }
    ReplaceUnhealthy();
    OnChange();
  }
}

bool Agent::HasRequests() const {
  return std::ranges::any_of(tiers_, [](const auto& tier) {
    return std::ranges::any_of(tier->report().instances,
                               [](const auto& instance) { return instance.in_flight > 0; });
  });
}

void Agent::ReplaceUnhealthy() {
  std::vector<site::InstanceState> states;
  for (const auto& instance : instances_) states.push_back(instance->view().state);
  std::optional<size_t> chosen = replacement_.Choose(states, context_.loop.Now());
  if (chosen) instances_[*chosen]->Replace();
}

std::optional<UnavailableReason> Agent::FindUnavailableReason() const {
  if (lifecycle_.state() == site::DataCenterState::kStarting) return std::nullopt;
  for (const auto& tier : tiers_) {
    if (tier->serves_others() || !tier->needed_to_serve()) continue;
    if (tier->hung())
      return UnavailableReason{.reason = fmt::format("the {} tier hangs", tier->name())};
  }
  for (const auto& tier : tiers_) {
    if (tier->ready() || tier->serves_others() || !tier->needed_to_serve()) continue;
    return UnavailableReason{.reason = fmt::format("the {} tier is not ready", tier->name()),
                             .restarting = true};
  }
  using enum site::InstanceState;
  auto is = [](site::InstanceState state) {
    return [state](const auto& each) { return each->view().state == state; };
  };
  if (instances_.empty() || std::ranges::any_of(instances_, is(kHealthy))) return std::nullopt;
  if (std::ranges::all_of(instances_, is(kUnhealthy))) {
    return UnavailableReason{.reason = "all instances of the application are unhealthy"};
  }
  return UnavailableReason{.reason = "no instance of the application is healthy",
                           .restarting = true};
}

site::SiteView Agent::MakeView() const {
  site::SiteView view{.number = view_.number};
  for (const site::DataCenter& dc : context_.site.datacenters) {
    site::DataCenterView& entry =
        view.datacenters.emplace_back(site::DataCenterView{.name = dc.name,
                                                           .address = dc.address,
                                                           .location = dc.location,
                                                           .weight = dc.weight,
                                                           .capacity_rps = dc.capacity_rps});
    if (dc.name != context_.here.name) {
      peers_.Describe(entry);
      view.links.push_back(
          {.from = context_.here.name, .to = dc.name, .up = peers_.reachable(dc.name)});
      continue;
    }
    entry.state = lifecycle_.state();
    entry.available = availability_.available();
    entry.problem = availability_.reason();
    entry.takes_forwarded = std::ranges::all_of(
        tiers_, [](const auto& tier) { return !tier->serves_others() || tier->ready(); });
    entry.owns_notices = engines_.owns_notices();
    for (const auto& tier : tiers_) entry.load_rps += tier->report().load_rps;
  }
  for (const auto& instance : instances_) {
    view.instances.push_back(instance->view());
    for (const TierInstanceUse& use : UsesOf(*instance)) {
      view.instances.back().use = std::max(view.instances.back().use, use.report.use);
    }
  }
  peers_.AppendInstances(view.instances);
  view.agreement = peers_.agreement();
  return view;
}

std::vector<TierInstanceUse> Agent::UsesOf(const InstanceChild& instance) const {
  std::vector<TierInstanceUse> uses;
  if (!instance.healthy()) return uses;
  for (const auto& tier : tiers_) {
    const auto& reports = tier->report().instances;
    auto found = std::ranges::find(reports, instance.view().id, &site::InstanceReport::id);
    if (found == reports.end() || found->use == site::InstanceUse::kUnknown) continue;
    uses.push_back({.tier = tier->name(), .report = *found});
  }
  return uses;
}

void Agent::OnChange() {
  auto ready = std::ranges::count_if(tiers_, [](auto& tier) { return tier->ready(); });
  auto healthy = std::ranges::count_if(instances_, [](auto& each) { return each->healthy(); });
  bool enough = instances_.empty() || healthy > 0;
  lifecycle_.OnReadiness(static_cast<size_t>(ready) == tiers_.size(), enough);
  if (drains_when_it_serves_ && lifecycle_.state() == site::DataCenterState::kServing) {
    drains_when_it_serves_ = false;
    lifecycle_.Drain(context_.loop.Now());
  }
  uint64_t connections = 0;
  for (const auto& tier : tiers_) connections += tier->report().connections;
  lifecycle_.OnConnections(connections, context_.loop.Now());
  availability_.Observe(FindUnavailableReason(), context_.loop.Now());

  site::SiteView view = MakeView();
  if (view != view_ || view.number == 0) {
    if (view.datacenters != view_.datacenters) LogStates(view);
    view_ = std::move(view);
    ++view_.number;
    Result<std::string> line = site::EncodeView(view_);
    if (!line) {
      LOG_ERROR("the view cannot be sent", {"problem", line.error().message});
    } else {
      auto shared = std::make_shared<const std::string>(std::move(*line));
      for (auto& tier : tiers_) tier->SendView(shared);
    }
  }
  Show();
  engines_.Observe(view_, workers_.Targets());
  changed_.WakeAll();
}

void Agent::Show() {
  std::vector<ShownTier> tiers;
  for (const auto& tier : tiers_) {
    tiers.push_back({.name = tier->name(),
                     .ready = tier->ready(),
                     .hung = tier->hung(),
                     .restarts = tier->restarts()});
  }
  shown_.ShowTiers(tiers);
  std::vector<ShownInstance> instances;
  for (const auto& instance : instances_) {
    instances.push_back(
        {.id = instance->id(), .healthy = instance->healthy(), .restarts = instance->restarts()});
  }
  shown_.ShowInstances(instances);
  for (const site::DataCenterView& each : view_.datacenters) {
    shown_.ShowDataCenter(each.name, each.state, peers_.lost(each.name));
  }
}

std::string Agent::Problems() const {
  using enum site::DataCenterState;
  std::vector<std::string> problems = peers_.Problems();
  if (!availability_.available()) {
    problems.insert(problems.begin(), availability_.reason() + ", so visitors are sent elsewhere");
  }
  for (const auto& tier : tiers_) {
    if (lifecycle_.state() == kStarting || !tier->serves_others() || tier->ready()) continue;
    problems.push_back(fmt::format(
        "the {} tier {}, so other data centers forward nothing to here while they can avoid it",
        tier->name(), tier->hung() ? "hangs" : "is not ready"));
  }
  if (lifecycle_.state() == kDraining || lifecycle_.state() == kDrained) {
    std::string_view still =
        lifecycle_.cut_short() ? " (clients that keep its address still connect)" : "";
    problems.push_back(
        fmt::format("drained by an operator{}; end that with: meridian dc undrain {}", still,
                    context_.here.name));
  }
  return fmt::format("{}", fmt::join(problems, "; "));
}

DataCenterStatus Agent::Status() const {
  DataCenterStatus status{.name = context_.here.name,
                          .address = context_.here.address.ToString(),
                          .state = std::string(site::StateName(lifecycle_.state())),
                          .pid = getpid(),
                          .problem = Problems(),
                          .version = MERIDIAN_VERSION,
                          .wall_seconds = Seconds(SystemClock().Wall().time_since_epoch())};
  for (const auto& tier : tiers_) {
    const char* state = tier->hung()       ? "hung"
                        : tier->ready()    ? "ready"
                        : tier->pid() != 0 ? "starting"
                                           : "down";
    status.tiers.push_back({.name = tier->name(),
                            .state = state,
                            .pid = tier->pid(),
                            .port = tier->port(),
                            .problem = tier->Condition()});
  }
  for (const auto& [name, external] : context_.site.externals) {
    // That of [watch] stands in for engines.
    if (context_.here.edge_only || name == "watch") continue;
    status.tiers.push_back({.name = name, .state = "external", .url = external.shown});
  }
  for (const auto& instance : instances_) {
    site::InstanceView view = instance->view();
    status.instances.push_back({.id = view.id,
                                .address = view.address.ToString(),
                                .release = view.release,
                                .state = std::string(site::StateName(view.state)),
                                .pid = instance->pid(),
                                .problem = instance->Condition(),
                                .uses = UsesOf(*instance)});
  }
  status.engines = engines_.Status();
  status.workers = workers_.Status();
  return status;
}

std::vector<pid_t> Agent::Children() const {
  std::vector<pid_t> children;
  for (const auto& tier : tiers_) children.push_back(tier->pid());
  for (const auto& instance : instances_) children.push_back(instance->pid());
  for (pid_t worker : workers_.pids()) children.push_back(worker);
  for (pid_t engine : engines_.pids()) children.push_back(engine);
  return children;
}

void Agent::LogStates(const site::SiteView& next) const {
  for (const site::DataCenterView& dc : next.datacenters) {
    const site::DataCenterView* before = view_.FindDataCenter(dc.name);
    if (before == nullptr || before->state != dc.state) {
      LOG_INFO("data center", {"name", dc.name}, {"state", site::StateName(dc.state)});
    }
    if (before == nullptr || before->problem == dc.problem) continue;
    if (dc.problem.empty()) {
      LOG_INFO("data center is available again", {"name", dc.name});
    } else {
      LOG_WARNING("data center is not available", {"name", dc.name}, {"problem", dc.problem});
    }
  }
}

}  // namespace meridian::agent
