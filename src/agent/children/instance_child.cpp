#include "agent/children/instance_child.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <signal.h>
#include <sys/types.h>

#include "agent/children/instance_port.hpp"
#include "agent/context.hpp"
#include "agent/limits.hpp"
#include "agent/logs/log_forwarder.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "http/client/client.hpp"
#include "http/client/fetch.hpp"
#include "io/descendants.hpp"
#include "io/port_owner.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/reach.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

InstanceChild::InstanceChild(const Context& context, LogForwarder& logs, uint32_t number,
                             std::function<void()> changed)
    : context_(context),
      number_(number),
      changed_(std::move(changed)),
      process_(context,
               {.id = fmt::format("{}-{}", context.here.name, number),
                .log_field = "instance",
                .output = logs.AddSource(
                    {.tier = "app", .instance = fmt::format("{}-{}", context.here.name, number)}),
                .stop_timeout = context.site.app.stop_timeout,
                .prepare = [this] { return Prepare(); },
                .attend = [this](io::Process& process) { return Watch(process); },
                .changed = [this] { OnProcessChanged(); }}) {}

Result<io::ProcessOptions> InstanceChild::Prepare() {
  Result<uint16_t> port =
      FindInstancePort(InstanceSlot(context_, number_ - 1, process_.restarts()));
  if (!port) return Fail(port.error());
  port_ = *port;
  io::ProcessOptions options{.command = context_.site.app.command,
                             .directory = context_.site.app.directory.string()};
  // The address of requests; [app] environment may override it.
  options.environment.emplace_back("HOST", kApplicationAddress.ToString());
  for (const auto& [name, value] : context_.site.app.environment) {
    options.environment.emplace_back(name, value);
  }
  options.environment.emplace_back("PORT", fmt::format("{}", port_));
  return options;
}

io::Task<Result<void>> InstanceChild::AwaitHealth(http::Client& client) {
  const site::App& app = context_.site.app;
  TimePoint deadline = context_.loop.After(app.start_timeout);
  std::string last = "it did not answer";
  while (context_.loop.Now() < deadline) {
    http::Request request{.path = app.health_path, .host = context_.site.domain};
    auto answer =
        co_await http::Fetch(client, request, kMaxHealthBody, context_.loop.After(kHealthTimeout));
    if (answer && answer->status < 400) co_return Result<void>{};
    last = answer ? fmt::format("answered {}", answer->status) : answer.error().message;
    if (std::exchange(last_answer_, last) != last) changed_();
    Result<void> slept = co_await io::Sleep(kStartPollInterval);
    if (!slept) co_return slept;
  }
  co_return Fail(Errc::kTimeout,
                 "not healthy after {:g} s ([app] start_timeout): GET {} at port {}: {}{}",
                 Seconds(app.start_timeout), app.health_path, port_, last, OtherPort());
}

std::string InstanceChild::WaitsFor() const {
  if (last_answer_.empty()) return process_.id();
  return fmt::format("{} (GET {}: {})", process_.id(), context_.site.app.health_path, last_answer_);
}

// Finds the port of an application that ignores $PORT.
std::string InstanceChild::OtherPort() const {
  std::vector<pid_t> processes = io::Descendants(pid());
  processes.push_back(pid());
  std::optional<Endpoint> at = io::ListensAt(processes);
  if (!at || at->port == port_) return "";
  return fmt::format(
      ". It listens at {}, not at $PORT: have it listen at the PORT and HOST of its environment",
      at->ToString());
}

io::Task<void> InstanceChild::Watch(io::Process& process) {
  http::Client client(context_.loop, context_.network, {.address = {kApplicationAddress, port_}});
  Result<void> healthy = co_await AwaitHealth(client);
  if (!healthy) {
    if (healthy.error().code == Errc::kCancelled) co_return;
    LOG_ERROR("instance is not healthy", {"instance", process_.id()},
              {"problem", healthy.error().message});
    process_.Explain(healthy.error().message);
    process.Signal(SIGKILL);
    co_return;
  }
  ever_healthy_ = true;
  process_.ForgetProblem();
  failures_ = 0;
  CheckAddress();
  SetState(site::InstanceState::kHealthy);
  uint32_t misses = 0;
  TimePoint next = SaturatingAdd(context_.loop.Now(), kHealthInterval);
  while (co_await io::SleepUntil(next)) {
    http::Request request{.path = context_.site.app.health_path, .host = context_.site.domain};
    auto answer =
        co_await http::Fetch(client, request, kMaxHealthBody, context_.loop.After(kHealthTimeout));
    misses = answer && answer->status < 400 ? 0 : misses + 1;
    if (misses == 0) SetState(site::InstanceState::kHealthy);
    if (misses >= kHealthMisses) SetState(site::InstanceState::kUnhealthy);
    next = std::max(SaturatingAdd(next, kHealthInterval), context_.loop.Now());
  }
}

// Not in the lab, which is like a developer's machine.
void InstanceChild::CheckAddress() {
  exposed_ = context_.hosting == site::Hosting::kServers && ListensOnAllAddresses(port_);
  if (!exposed_) return;
  LOG_WARNING("instance listens on all addresses, so clients can bypass edge and balancer",
              {"instance", process_.id()}, {"port", port_}, {"advice", "listen on $HOST"});
}

std::string InstanceChild::Condition() const {
  if (std::string loop = process_.CrashLoop(); !loop.empty()) return loop;
  if (state_ == site::InstanceState::kStarting && !problem().empty()) {
    return "ended: " + problem();
  }
  if (!exposed_ || pid() == 0) return "";
  return "listens on all addresses, so clients can bypass edge and balancer; have it listen on "
         "$HOST";
}

void InstanceChild::SetState(site::InstanceState state) {
  if (stopping_ && state != site::InstanceState::kStopped) return;
  if (leaving_) return;  // ignores its health checks
  if (state == state_) return;
  LOG_INFO("instance", {"instance", process_.id()}, {"state", site::StateName(state)},
           {"port", port_});
  state_ = state;
  changed_();
}

void InstanceChild::OnProcessChanged() {
  if (pid() == 0) {
    leaving_ = false;
    // Another program took the port first: the next start uses another port.
    if (!IsPortTaken(port_)) ++failures_;
    SetState(stopping_ ? site::InstanceState::kStopped : site::InstanceState::kStarting);
  }
  changed_();
}

bool InstanceChild::Leave() {
  using enum site::InstanceState;
  if (stopping_ || leaving_ || (state_ != kHealthy && state_ != kUnhealthy)) return false;
  SetState(kDraining);
  leaving_ = true;
  return true;
}

void InstanceChild::Restart() {
  // If the process has ended meanwhile, it is already being restarted.
  if (leaving_) process_.Restart();
}

void InstanceChild::Replace() {
  LOG_WARNING("unhealthy for too long, replaced", {"instance", process_.id()},
              {"unhealthy_timeout_s", Seconds(context_.site.app.unhealthy_timeout)});
  process_.Restart();
}

void InstanceChild::Stop() {
  leaving_ = false;
  SetState(site::InstanceState::kDraining);
  stopping_ = true;
  process_.Stop();
}

site::InstanceView InstanceChild::view() const {
  return {.id = process_.id(),
          .datacenter = context_.here.name,
          .address = {kApplicationAddress, port_},
          .release = context_.site.app.release,
          .state = state_};
}

}  // namespace meridian::agent
