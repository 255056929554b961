// meridian visit: makes a visit of the site and shows its steps, or makes many and counts the
// results.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <ratio>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/report/summary.hpp"
#include "dns/config.hpp"
#include "io/fiber.hpp"
#include "io/net/socket.hpp"
#include "io/net/tls.hpp"
#include "io/process.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"
#include "site/load/diagnostics.hpp"
#include "site/site.hpp"
#include "visit/dns.hpp"
#include "visit/limits.hpp"
#include "visit/load.hpp"
#include "visit/progress.hpp"
#include "visit/record.hpp"
#include "visit/statistics.hpp"
#include "visit/target.hpp"
#include "visit/text.hpp"
#include "visit/visitor.hpp"

namespace meridian::cli {
namespace {

constexpr const char* kDefaultState = ".meridian";

struct Arguments {
  std::string url;
  std::string from;
  uint64_t repeat = 1;
  std::string every = "100ms";
  bool no_fallback = false;
  bool json = false;
  std::string state_directory = kDefaultState;
};

struct Plan {
  visit::Target target;
  visit::Origin origin;
  visit::LoadOptions load;
  std::shared_ptr<io::TlsContext> tls;  // for https
};

Result<Plan> MakePlan(const Arguments& arguments, const Deployed& deployed) {
  Result<visit::Target> target = visit::ParseTarget(arguments.url, deployed.site);
  if (!target) return Fail(std::move(target.error()));
  const auto& places = deployed.site.sections.Get<dns::Config>().places;
  Result<visit::Origin> origin = visit::ParseOrigin(arguments.from, places);
  if (!origin) return Fail(std::move(origin.error()));
  Result<Duration> every = visit::ParseInterval(arguments.every);
  if (!every) return Fail(std::move(every.error()));
  Plan plan{std::move(*target), std::move(*origin), {arguments.repeat, *every}, nullptr};
  if (!plan.target.https) return plan;
  auto tls = io::TlsContext::ForClient({.authorities_path = deployed.state.ca() / "authority.pem",
                                        .peer = io::PeerCertificate::kRequired});
  if (!tls) return Fail(std::move(tls.error()));
  plan.tls = std::move(*tls);
  return plan;
}

std::vector<visit::DnsServer> ServersOf(const site::Site& site) {
  std::vector<visit::DnsServer> servers;
  servers.reserve(site.datacenters.size());
  for (const site::DataCenter& dc : site.datacenters) {
    servers.push_back({dc.name, {dc.address, site.ports.dns}});
  }
  return servers;
}

// "12:03:01.2", in local time.
std::string ClockText(WallTime now) {
  auto tenths = std::chrono::floor<std::chrono::duration<int64_t, std::deci>>(now);
  std::time_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:02}:{:02}:{:02}.{}", local.tm_hour, local.tm_min, local.tm_sec,
                     tenths.time_since_epoch().count() % 10);
}

io::Task<void> CancelOnSignal(io::Signals& signals, io::Scope& scope, bool* interrupted) {
  if (!co_await signals.Next()) co_return;
  *interrupted = true;
  scope.Cancel();
}

// Runs `load` until it ends or a signal arrives. True: a signal.
io::Task<bool> RunInterruptibly(io::Signals& signals, io::Task<void> load) {
  io::Fiber& fiber = co_await io::ThisFiber{};
  bool interrupted = false;
  io::Scope working(fiber.loop());
  io::Scope watching(fiber.loop());
  working.Spawn(std::move(load));
  watching.Spawn(CancelOnSignal(signals, working, &interrupted));
  co_await working.Join();
  watching.Cancel();
  co_await watching.Join();
  co_return interrupted;
}

// The loop, the resolver and the visitor of one command.
class Session {
 public:
  Session(const Deployed& deployed, const Plan& plan, bool fallback)
      : dns_(loop_, network_,
             {.servers = ServersOf(deployed.site), .subnet = plan.origin.subnet, .limits = {}}),
        visitor_({loop_, network_, dns_, deployed.site},
                 {.target = plan.target, .fallback = fallback, .tls = plan.tls, .limits = {}}) {}

  visit::Visit GoOnce() { return loop_.RunToEnd(visitor_.Go(driver_.Now())); }

  // True after a signal.
  bool GoOften(const visit::LoadOptions& load, visit::OnVisit on_visit) {
    io::Signals signals(driver_, {SIGINT, SIGTERM});
    return loop_.RunToEnd(
        RunInterruptibly(signals, visit::RunLoad(visitor_, loop_, load, std::move(on_visit))));
  }

  const Clock& clock() const { return driver_; }
  uint64_t dns_questions() const { return dns_.questions(); }

 private:
  io::EpollDriver driver_;
  io::Loop loop_{driver_};
  io::SystemNetwork network_{driver_};
  visit::DnsClient dns_;
  visit::Visitor visitor_;
};

// True if no part of the site was reachable; unknown names do not count.
bool NobodyAnswered(const visit::Visit& visit) {
  if (visit.problem) return visit.problem->code != Errc::kNotFound;
  return visit.attempts.back().status == 0;
}

int VisitOnce(const Arguments& arguments, const Plan& plan, Session& session) {
  TimePoint began = session.clock().Now();
  visit::Visit visit = session.GoOnce();
  if (arguments.json) {
    visit::Statistics statistics;
    statistics.Add(visit);
    fmt::print("{}", statistics.Json({.elapsed = session.clock().Now() - began,
                                      .dns_questions = session.dns_questions()}));
  } else {
    fmt::print("{}", visit::RenderVisit(visit, plan.target,
                                        {.url = arguments.url,
                                         .from = plan.origin.shown,
                                         .color = site::WantsColor(STDOUT_FILENO)}));
    if (NobodyAnswered(visit)) {
      std::string state =
          arguments.state_directory == kDefaultState ? "" : " --state " + arguments.state_directory;
      fmt::print(stderr, "meridian: no address answered. For the state: {} status{}\n", HowToCall(),
                 state);
    }
  }
  return visit::Failed(visit) ? kFailed : kDone;
}

int VisitOften(const Arguments& arguments, const Plan& plan, Session& session) {
  visit::Statistics statistics;
  visit::Progress progress;
  bool watched = isatty(STDERR_FILENO) == 1;
  TimePoint began = session.clock().Now();
  bool interrupted = session.GoOften(plan.load, [&](uint64_t number, const visit::Visit& visit) {
    statistics.Add(visit);
    std::optional<std::string> line = progress.Add(number, visit);
    if (line && watched) fmt::print(stderr, "{}  {}\n", ClockText(session.clock().Wall()), *line);
  });
  visit::Statistics::Frame frame{.elapsed = session.clock().Now() - began,
                                 .dns_questions = session.dns_questions(),
                                 .interrupted = interrupted};
  fmt::print("{}", arguments.json ? statistics.Json(frame) : statistics.Line(frame));
  return statistics.failed() > 0 ? kFailed : kDone;
}

int RunVisit(const Arguments& arguments) {
  auto deployed = FindDeployed(arguments.state_directory);
  if (!deployed) return deployed.error();
  Result<Plan> plan = MakePlan(arguments, *deployed);
  if (!plan) {
    Complain(plan.error());
    return kMisused;
  }
  Session session(*deployed, *plan, !arguments.no_fallback);
  return plan->load.repeat > 1 ? VisitOften(arguments, *plan, session)
                               : VisitOnce(arguments, *plan, session);
}

}  // namespace

void AddVisit(Command& program) {
  auto arguments = std::make_shared<Arguments>();
  Command& command =
      program.AddCommand("visit", "Request a URL of the site as a visitor, and show each step");
  command.AddOption({.name = "url",
                     .value = &arguments->url,
                     .help = "A URL of the site; without a port: the edge's",
                     .type = "URL",
                     .required = true});
  command.AddOption({.name = "--from",
                     .value = &arguments->from,
                     .help = "Where the visitor is: a [[dns.place]] or an address",
                     .type = "PLACE|IP"});
  Option& repeat = command.AddOption({.name = "--repeat",
                                      .value = &arguments->repeat,
                                      .help = "Go so often, each time as a new visitor",
                                      .type = "N",
                                      .range = Option::Range{.min = 1, .max = visit::kMaxRepeat}});
  command.AddOption({.name = "--every",
                     .value = &arguments->every,
                     .help = "The time from one visit to the next",
                     .type = "TIME",
                     .default_text = "100ms",
                     .needs = {&repeat}});
  command.AddOption({.name = "--no-fallback",
                     .value = &arguments->no_fallback,
                     .help = "Try the first address only, where a browser may go on"});
  command.AddOption(
      {.name = "--json", .value = &arguments->json, .help = "Counts and times as JSON"});
  AddStateOption(command, arguments->state_directory);
  command.action = [arguments] { return RunVisit(*arguments); };
}

}  // namespace meridian::cli
