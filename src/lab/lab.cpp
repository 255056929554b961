#include "lab/lab.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "agent/children/tier_table.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/limits.hpp"
#include "http/server/server.hpp"
#include "io/descendants.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/process.hpp"
#include "io/task.hpp"
#include "lab/data_center_process.hpp"
#include "lab/limits.hpp"
#include "lab/link_relay.hpp"
#include "lab/link_status.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "wire/http/message.hpp"

namespace meridian::lab {
namespace {

int StatusOf(Errc code) {
  switch (code) {
    case Errc::kNotFound:
      return 404;
    case Errc::kExists:
    case Errc::kInvalid:
      return 409;
    case Errc::kTooLarge:
    case Errc::kPermission:
    case Errc::kRefused:
    case Errc::kReset:
    case Errc::kClosed:
    case Errc::kTimeout:
    case Errc::kCancelled:
    case Errc::kUnavailable:
    case Errc::kIo:
      return 503;
  }
  return 503;
}

}  // namespace

Duration MaxDownTime(const site::Site& site) {
  return agent::MaxStopTime(site) + kMaxKillTime + kOrphanTimeout + kCommandGrace +
         kLastKillTimeout;
}

Lab::Lab(io::EpollDriver& driver, io::Loop& loop, io::SystemNetwork& network, Options options)
    : driver_(driver),
      loop_(loop),
      network_(network),
      options_(std::move(options)),
      links_(options_.site),
      commands_(loop) {
  for (const site::DataCenter& dc : options_.site.datacenters) {
    DataCenterProcess::Options process{
        .name = dc.name,
        .command = {options_.program, "run", options_.site.file.string(), "--dc", dc.name,
                    "--state", options_.state.root().string(), "--lab"},
        .log = options_.state.logs() / dc.name / "agent.log",
        .pid_file = options_.state.pids() / dc.name,
        .waits_for = [this, i = members_.size()](
                         std::string text) { TellWaits(members_[i], std::move(text)); },
        .stop_timeout = agent::MaxStopTime(options_.site)};
    auto ended = [this, name = dc.name](io::ExitStatus status) {
      options_.tell(
          fmt::format("{} is down: its agent ended ({}). Start it again: meridian dc "
                      "start {}",
                      name, status.ToString(), name));
    };
    members_.push_back(
        {.process = std::make_unique<DataCenterProcess>(
             driver_, loop_, network_, std::move(process), [this] { KillOrphans(); }, ended)});
  }
}

Lab::~Lab() = default;

void Lab::KillOrphans() const {
  std::vector<pid_t> guards;
  for (const Member& member : members_) {
    if (member.process->running()) guards.push_back(member.process->pid());
  }
  io::KillOrphans(guards, kOrphanTimeout);
}

Lab::Member* Lab::Find(std::string_view name) {
  auto found = std::ranges::find_if(
      members_, [&](const Member& member) { return member.process->name() == name; });
  return found == members_.end() ? nullptr : &*found;
}

io::Task<void> Lab::StartMember(Member& member) {
  Result<void> started = co_await member.process->Start();
  TellWaits(member, "");
  member.problem = started ? "" : std::move(started.error().message);
}

void Lab::TellWaits(Member& member, std::string waits_for) {
  member.waits_for = std::move(waits_for);
  if (!starting_) return;
  std::string text;
  for (const Member& each : members_) {
    if (each.waits_for.empty()) continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", each.process->name(), each.waits_for);
  }
  options_.waits(text);
}

std::string Lab::Problems() const {
  std::vector<std::pair<std::string_view, std::string>> names_by_problem;
  for (const Member& member : members_) {
    if (member.problem.empty()) continue;
    auto known = std::ranges::find(names_by_problem, member.problem,
                                   &std::pair<std::string_view, std::string>::first);
    if (known == names_by_problem.end()) {
      names_by_problem.emplace_back(member.problem, member.process->name());
    } else {
      known->second += ", " + member.process->name();
    }
  }
  std::string text;
  for (const auto& [problem, names] : names_by_problem) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "\n", names, problem);
  }
  return text;
}

Result<void> Lab::OpenLinks() {
  if (!site::HasLinks(options_.site)) return {};
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  std::vector<uint16_t> ports = agent::CrossingPorts(options_.site);
  size_t ends = options_.site.datacenters.size();
  size_t taken = ends * (ends - 1) * ports.size() + kSpareDescriptors;
  size_t left = descriptors.rlim_cur > taken ? (descriptors.rlim_cur - taken) / 2 : 0;
  relay_ = std::make_unique<LinkRelay>(
      loop_, network_, options_.site, links_,
      LinkRelay::Options{.ports = std::move(ports),
                         .max_connections = std::min(left, kMaxLinkedConnections),
                         .seed = EntropySeed()});
  return relay_->Start();
}

io::Task<Result<void>> Lab::Start() {
  auto listener = network_.ListenUnix(options_.state.lab_socket().string());
  if (!listener) co_return Fail(std::move(listener.error()));
  http::ServerLimits limits;
  limits.max_body_bytes = kMaxCommandBodyBytes;
  server_ =
      std::make_unique<http::Server>(loop_, http::ServerOptions{.limits = limits},
                                     [this](http::Exchange& exchange) { return Handle(exchange); });
  server_->Serve(std::move(*listener));
  Result<void> linked = OpenLinks();
  if (!linked) {
    co_await End();
    co_return linked;
  }

  starting_ = true;
  io::Scope scope(loop_);
  for (Member& member : members_) scope.Spawn(StartMember(member));
  co_await scope.Join();
  starting_ = false;
  std::string problems = Problems();
  if (problems.empty() && !down_) co_return Result<void>{};
  co_await End();
  if (problems.empty()) co_return Fail(Errc::kCancelled, "it was ended while it started");
  co_return Fail(Errc::kUnavailable, "{}", problems);
}

io::Task<void> Lab::Stop() {
  io::Scope scope(loop_);
  for (Member& member : members_) scope.Spawn(member.process->Stop());
  co_await scope.Join();
}

void Lab::AskDown() {
  if (down_) return;
  down_ = true;
  down_asked_.WakeAll();
  if (starting_) commands_.Spawn(Stop());
}

io::Task<Result<void>> Lab::ServeUntilDown() {
  while (!down_ && co_await down_asked_.Wait()) {
  }
  co_await End();
  co_return Result<void>{};
}

io::Task<void> Lab::End() {
  down_ = true;
  co_await Stop();
  co_await commands_.Join();
  if (relay_) co_await relay_->Stop();
  co_await server_->Drain(loop_.After(kCommandGrace));
}

io::Task<void> Lab::HandleLinks(http::Exchange& exchange) {
  const wire::http::RequestHead& head = exchange.request();
  if (!relay_) {
    (void)co_await http::RespondText(
        exchange, 409,
        "this lab has no links: its site has [lab] wan = false, one data center, or addresses "
        "other than 127.A.0.1\n");
    co_return;
  }
  Result<void> done;
  if (head.method == "POST") {
    Result<LinkRequest> request = DecodeRequest(head.path, head.query.value_or(""));
    done =
        request ? links_.Apply(request->from, request->to, request->order) : Fail(request.error());
    relay_->OnChange();
  }
  std::string text = done ? EncodeLinks(StatusOf(links_)) : done.error().message + "\n";
  (void)co_await http::RespondText(exchange, done ? 200 : StatusOf(done.error().code), text);
}

io::Task<void> Lab::Handle(http::Exchange& exchange) {
  if (exchange.request().path.starts_with("/links")) co_return co_await HandleLinks(exchange);
  if (exchange.request().method != "POST") {
    (void)co_await http::RespondText(exchange, 405, "POST only\n");
    co_return;
  }
  if (exchange.request().path == "/down") {
    (void)co_await http::RespondText(exchange, 200, "going down\n");
    AskDown();
    co_return;
  }
  auto command = ParseCommand(exchange.request().path);
  Result<void> outcome;
  if (!command) {
    outcome = Fail(command.error());
  } else {
    commands_.Spawn(Execute(*command));
    while (!(*command)->outcome && co_await (*command)->done.Wait()) {
    }
    if (!(*command)->outcome) co_return;
    outcome = *(*command)->outcome;
  }
  std::string text = outcome ? "done\n" : outcome.error().message + "\n";
  (void)co_await http::RespondText(exchange, outcome ? 200 : StatusOf(outcome.error().code), text);
}

Result<std::shared_ptr<Lab::Command>> Lab::ParseCommand(std::string_view path) {
  constexpr std::string_view kPrefix = "/dc/";
  size_t slash = path.rfind('/');
  if (!path.starts_with(kPrefix) || slash < kPrefix.size()) {
    return Fail(Errc::kNotFound, "there is no command {}", path);
  }
  std::string_view name = path.substr(kPrefix.size(), slash - kPrefix.size());
  auto command = std::make_shared<Command>();
  command->verb = path.substr(slash + 1);
  command->member = Find(name);
  if (command->member == nullptr) return Fail(Errc::kNotFound, "there is no data center {}", name);
  if (command->verb != "kill" && command->verb != "start") {
    return Fail(Errc::kNotFound, "there is no command {}", command->verb);
  }
  if (down_) return Fail(Errc::kUnavailable, "the site is going down");
  return command;
}

io::Task<void> Lab::Execute(std::shared_ptr<Command> command) {
  Member& member = *command->member;
  if (command->verb == "kill") {
    // Also during its start: a data center can be lost at any moment.
    bool ran = member.process->running();
    co_await member.process->Kill();
    if (ran) options_.tell(fmt::format("{} was killed", member.process->name()));
    command->outcome = Result<void>{};
  } else {
    command->outcome = co_await StartOne(member);
  }
  command->done.WakeAll();
}

io::Task<Result<void>> Lab::StartOne(Member& member) {
  const std::string& name = member.process->name();
  if (member.busy) co_return Fail(Errc::kExists, "{} is being started already", name);
  member.busy = true;
  Result<void> started = co_await member.process->Start();
  member.busy = false;
  if (started) options_.tell(fmt::format("{} serves again", name));
  co_return started;
}

}  // namespace meridian::lab
