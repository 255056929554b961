#include "agent/engines/engines.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "agent/children/application_target.hpp"
#include "agent/context.hpp"
#include "agent/engines/alertmanager_config.hpp"
#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_child.hpp"
#include "agent/engines/engine_files.hpp"
#include "agent/engines/notice_owner.hpp"
#include "agent/engines/prometheus_config.hpp"
#include "agent/limits.hpp"
#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/file/file.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/secret.hpp"
#include "site/share.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"
#include "watch/config.hpp"

namespace meridian::agent {
namespace {

constexpr mode_t kSecretMode = 0600;
constexpr const char* kNoRules =
    "it records and alerts nothing: the program has no share/meridian/rules beside it";

std::optional<std::string> FromEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

bool Serves(const site::DataCenterView& dc) {
  using enum site::DataCenterState;
  return dc.state == kServing || dc.state == kDraining || dc.state == kDrained;
}

bool HasMetricsNow(const site::InstanceView& instance) {
  using enum site::InstanceState;
  return instance.address.port != 0 && instance.state != kStopped;
}

}  // namespace

Engines::Engines(const Context& context, Metrics& metrics, std::function<void()> changed)
    : context_(context),
      metrics_(metrics),
      changed_(std::move(changed)),
      place_{.site = context.site,
             .here = context.here,
             .hosting = context.hosting,
             .files = EngineFiles(context.state_directory, context.here.name)} {}

Engines::~Engines() = default;

void Engines::Start(io::Scope& children, io::Scope& background, std::set<std::string> roles) {
  if (!HasEngines(context_.site, context_.here)) return;
  roles_ = std::move(roles);
  pool_ = std::make_unique<io::BlockingPool>(1);
  owner_gauge_ = &metrics_.AddGauge(
      "meridian_agent_notices_owner",
      "1 while the Alertmanager of this data center sends the notices that concern the site.");
  notices_ = ResolveNotices(context_.site.sections.Get<watch::Config>().notices, &FromEnvironment);
  if (!notices_.problem.empty()) LOG_WARNING("notices", {"problem", notices_.problem});
  rules_ = site::SharedPath("rules");
  Add({.name = "prometheus",
       .programs = {"prometheus"},
       .package = "prometheus",
       .arguments = PrometheusArguments(place_),
       .at = PrometheusEndpoint(place_),
       .ready_path = std::string(kPrometheusPath) + "/-/ready",
       .metrics_path = std::string(kPrometheusPath) + "/metrics",
       .directory = place_.files.settings(),
       .changed = [this] { OnChange(); },
       .password = context_.prometheus_password});
  Add({.name = "alertmanager",
       .programs = {"prometheus-alertmanager", "alertmanager"},
       .package = "prometheus-alertmanager",
       .arguments = AlertmanagerArguments(place_),
       .at = AlertmanagerEndpoint(place_),
       .ready_path = std::string(kAlertmanagerPath) + "/-/ready",
       .metrics_path = std::string(kAlertmanagerPath) + "/metrics",
       .directory = place_.files.data("alertmanager"),
       .changed = [this] { OnChange(); },
       .password = context_.alertmanager_password,
       .secrets = notices_.secrets});
  for (Kept& engine : engines_) children.Spawn(engine.child->Run());
  background.Spawn(Keep());
}

void Engines::Add(EngineChild::Options options) {
  const std::string name = options.name;
  engines_.push_back({.child = std::make_unique<EngineChild>(context_, std::move(options)),
                      .ready = metrics_.AddGauge("meridian_agent_engine_ready",
                                                 "1 while an engine of the watch tier is ready.",
                                                 {{"engine", name}}),
                      .restarts = metrics_.AddCounter("meridian_agent_engine_restarts_total",
                                                      "Starts of an engine after its first.",
                                                      {{"engine", name}})});
}

void Engines::Stop() {
  for (Kept& engine : engines_) engine.child->Stop();
}

void Engines::OnChange() {
  for (Kept& engine : engines_) {
    engine.ready.Set(engine.child->ready() ? 1 : 0);
    engine.restarts.Add(engine.child->restarts() - engine.counted_restarts);
    engine.counted_restarts = engine.child->restarts();
  }
  if (const bool ready = Ready("alertmanager") != nullptr; ready != alertmanager_is_ready_) {
    alertmanager_is_ready_ = ready;
    OnNews();
  }
  changed_();
}

// The configurations are not what they should be.
void Engines::OnNews() {
  dirty_ = true;
  wake_.WakeAll();
}

NoticeOwner::Others Engines::OtherOwners(const site::SiteView& view) const {
  NoticeOwner::Others others;
  bool earlier = true;
  for (const site::DataCenter& dc : context_.site.datacenters) {
    if (dc.name == context_.here.name) earlier = false;
    const site::DataCenterView* known = view.FindDataCenter(dc.name);
    if (dc.edge_only || dc.name == context_.here.name || known == nullptr || !Serves(*known)) {
      continue;
    }
    (earlier ? others.earlier_owns : others.later_owns) |= known->owns_notices;
    if (earlier) others.earlier_serves = true;
  }
  return others;
}

void Engines::Observe(const site::SiteView& view, std::vector<ApplicationTarget> workers) {
  if (engines_.empty()) return;
  const site::DataCenterView* here = view.FindDataCenter(context_.here.name);
  const bool owned = owner_.owns();
  bool news = false;
  const bool able = here != nullptr && Serves(*here) && Ready("prometheus") != nullptr &&
                    Ready("alertmanager") != nullptr;
  owner_.Observe(able, OtherOwners(view), context_.loop.Now());
  if (owner_.owns() != owned) {
    LOG_INFO("notices that concern the site", {"sent_from_here", owner_.owns()});
    news = true;
  }
  owner_gauge_->Set(owner_.owns() ? 1 : 0);
  std::vector<ApplicationTarget> targets = std::move(workers);
  const std::string& path = context_.site.app.metrics_path;
  for (const site::InstanceView& instance : view.instances) {
    if (path.empty() || instance.datacenter != context_.here.name || !HasMetricsNow(instance)) {
      continue;
    }
    targets.push_back({.at = instance.address,
                       .tier = "app",
                       .instance = instance.id,
                       .release = instance.release,
                       .metrics_path = path});
  }
  if (targets != targets_) {
    targets_ = std::move(targets);
    news = true;
  }
  if (news) OnNews();
}

Engines::Files Engines::MakeFiles() const {
  const EngineFiles& files = place_.files;
  const PrometheusSettings settings{
      .rules = rules_, .alertmanager_is_ready = alertmanager_is_ready_, .roles = roles_};
  const site::Secret& prometheus = context_.prometheus_password;
  const site::Secret& alertmanager = context_.alertmanager_password;
  return {{files.config("prometheus"), PrometheusConfig(place_, settings)},
          {files.config("alertmanager"), AlertmanagerConfig(notices_.notices, owner_.owns())},
          {files.web_config("prometheus"), EngineWebConfig(prometheus)},
          {files.web_config("alertmanager"), EngineWebConfig(alertmanager)},
          {files.password("prometheus"), prometheus.Reveal()},
          {files.password("alertmanager"), alertmanager.Reveal()},
          {files.metrics_password(), context_.metrics_password.Reveal()},
          {files.targets(), TargetsFile(context_.here, targets_)}};
}

io::Task<void> Engines::Keep() {
  for (;;) {
    Result<void> done;
    while (dirty_ && done) {
      dirty_ = false;
      done = co_await WriteFiles();
    }
    if (!done) {
      dirty_ = true;
      if (problem_.OnProblem(done.error().message, context_.loop.Now())) {
        LOG_ERROR("the files of the engines cannot be written", {"problem", done.error().message});
      }
    } else if (problem_.OnSolved()) {
      LOG_INFO("the files of the engines are written again");
    }
    for (Kept& engine : engines_) {
      const bool notifies = engine.child->name() == "alertmanager";
      engine.child->SetProblem(!done      ? "its files cannot be written: " + done.error().message
                               : notifies ? notices_.problem
                               : rules_.empty() ? kNoRules
                                                : "");
    }
    const TimePoint again = done ? kNever : context_.loop.After(kEngineRetryInterval);
    Result<void> woken = co_await wake_.Wait(again);
    if (!woken && woken.error().code != Errc::kTimeout) co_return;
  }
}

// Each file is replaced as a whole, so that an engine never reads a part of one. A file that could
// not be written may hold either text, and is written again.
io::Task<Result<void>> Engines::WriteFiles() {
  const Files files = MakeFiles();
  Result<void> done = co_await io::RunBlocking(*pool_, [&]() -> Result<void> {
    for (const std::filesystem::path& folder :
         {place_.files.root(), place_.files.settings(), place_.files.data("prometheus"),
          place_.files.data("alertmanager")}) {
      Result<void> made = io::EnsurePrivateFolder(folder);
      if (!made) return made;
    }
    for (const auto& [path, text] : files) {
      auto before = written_.find(path);
      if (before != written_.end() && before->second == text) continue;
      written_.erase(path);
      Result<void> written = io::WriteFileAtomically(path, text, kSecretMode);
      if (!written) return written;
      written_[path] = text;
    }
    return {};
  });
  for (Kept& engine : engines_) StartOrReload(engine, done.has_value());
  co_return done;
}

// Starts an engine when all files are written. Makes a running engine read its new configuration
// even if another file could not be written.
void Engines::StartOrReload(Kept& engine, bool all_written) {
  auto found = written_.find(place_.files.config(engine.child->name()));
  if (found == written_.end() || engine.config == found->second) return;
  const bool started = !engine.config.empty();
  if (!started && !all_written) return;
  engine.config = found->second;
  if (started) {
    engine.child->Reload();
  } else {
    engine.child->Begin();
  }
}

const EngineChild* Engines::Ready(std::string_view name) const {
  for (const Kept& engine : engines_) {
    if (engine.child->name() == name && engine.child->ready()) return engine.child.get();
  }
  return nullptr;
}

std::vector<TierStatus> Engines::Status() const {
  std::vector<TierStatus> all;
  for (const Kept& engine : engines_) all.push_back(engine.child->Status());
  auto external = context_.site.externals.find("watch");
  if (external != context_.site.externals.end() && !context_.here.edge_only) {
    all.push_back({.name = "prometheus", .state = "external", .url = external->second.shown});
  }
  return all;
}

std::vector<pid_t> Engines::pids() const {
  std::vector<pid_t> all;
  for (const Kept& engine : engines_) all.push_back(engine.child->pid());
  return all;
}

}  // namespace meridian::agent
