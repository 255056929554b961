#include "cli/doctor/site_facts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "agent/children/tier_table.hpp"
#include "agent/report/port_problem.hpp"
#include "agent/report/status.hpp"
#include "balancer/limits.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "cli/admin_call.hpp"
#include "cli/check_host.hpp"
#include "cli/command_line.hpp"
#include "cli/doctor/facts.hpp"
#include "edge/config.hpp"
#include "http/client/fetch.hpp"
#include "io/cores.hpp"
#include "io/fd.hpp"
#include "io/file/file_lock.hpp"
#include "io/net/socket.hpp"
#include "io/port_owner.hpp"
#include "queue/config.hpp"
#include "queue/partition/limits.hpp"
#include "session/config.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/tier/threads.hpp"
#include "site/tier_description.hpp"

namespace meridian::cli {
namespace {

namespace fs = std::filesystem;

// The data centers that run on this machine, or are to run here.
struct Hosted {
  std::vector<const site::DataCenter*> data_centers;
  site::Hosting hosting = site::Hosting::kServers;
};

bool HasAddress(const IpAddress& address) {
  return io::OpenDatagramSocket({address, 0}, false).has_value();
}

Hosted FindHosted(const SiteQuestion& question) {
  const site::Site& site = question.site;
  if (question.only != nullptr) return {.data_centers = {question.only}};
  Hosted hosted;
  const bool lab = question.state && io::FileLock::Holder(question.state->lock()) != 0;
  const bool all_loopback = std::ranges::all_of(
      site.datacenters, [](const site::DataCenter& dc) { return dc.address.is_loopback(); });
  if (lab || all_loopback) hosted.hosting = site::Hosting::kLab;
  for (const site::DataCenter& dc : site.datacenters) {
    const bool here = hosted.hosting == site::Hosting::kLab ||
                      (question.state && question.state->RunHolder(dc.name) != 0) ||
                      HasAddress(site::PeerAddress(dc));
    if (here) hosted.data_centers.push_back(&dc);
  }
  return hosted;
}

std::optional<ConnectionNeed> ConnectionsOf(const std::string& tier, const site::Site& site,
                                            uint64_t loops) {
  if (tier == "edge") {
    return ConnectionNeed{.tier = tier,
                          .connections = site.sections.Get<edge::Config>().max_connections,
                          .descriptors_each = 2,  // to the visitor, and to an instance
                          .loops = loops};
  }
  if (tier == "balancer") {
    return ConnectionNeed{.tier = tier,
                          .connections = balancer::kMaxConnections,
                          .descriptors_each = 2,
                          .loops = loops};
  }
  if (tier == "session") {
    return ConnectionNeed{.tier = tier,
                          .connections = site.sections.Get<session::Config>().max_clients};
  }
  if (tier == "queue") {
    return ConnectionNeed{.tier = tier,
                          .connections = site.sections.Get<queue::Config>().max_clients,
                          .loops = loops,
                          .files = queue::kMaxSegmentFiles};
  }
  return std::nullopt;
}

uint64_t CacheOf(const std::string& tier, const site::Site& site) {
  if (tier == "edge") return site.sections.Get<edge::Config>().cache.bytes;
  if (tier == "session") return site.sections.Get<session::Config>().max_memory_bytes;
  return 0;
}

void AddNeeds(const site::Site& site, const site::DataCenter& dc, site::Hosting hosting,
              std::set<uint16_t>& ports, NeedFacts& needs) {
  constexpr uint64_t kAgentTasks = 8;  // guard, agent and their threads
  constexpr uint64_t kTierTasks = 4;   // besides its loops
  const size_t cores = io::AvailableCores();
  needs.tasks += kAgentTasks;
  ports.insert(site.ports.admin);
  for (const agent::TierEntry& tier : agent::TierTable(site, dc, hosting, cores)) {
    const uint64_t loops = site::ThreadsOf(site, tier.name, hosting, cores);
    needs.tasks += kTierTasks + loops;
    needs.cache_bytes += CacheOf(tier.name, site);
    if (tier.name == "session" && CacheOf(tier.name, site) == 0) needs.unbounded_session = true;
    for (const agent::TierSocket& socket : tier.sockets) ports.insert(socket.at.port);
    // The same tier of each data center has the same needs, and a limit is that of one process.
    if (std::ranges::find(needs.connections, tier.name, &ConnectionNeed::tier) !=
        needs.connections.end()) {
      continue;
    }
    if (auto need = ConnectionsOf(tier.name, site, loops)) needs.connections.push_back(*need);
  }
}

// Whether the port's owner is a process of this state directory: of a data center whose agent is
// stopped, say.
bool IsOurs(const io::PortOwner& owner, const fs::path& state) {
  auto option = std::ranges::find(owner.command, "--state");
  return option != owner.command.end() && option + 1 != owner.command.end() &&
         fs::path(*(option + 1)).lexically_normal() == state.lexically_normal();
}

void CheckPort(const agent::WantedPort& wanted, const Error& error, const SiteQuestion& question,
               NeedFacts& needs) {
  if (error.code == Errc::kExists && question.state) {
    auto owner = io::OwnerOfPort(wanted.at, wanted.transport);
    if (owner && IsOurs(*owner, question.state->root())) return;
  }
  agent::PortDiagnosis diagnosis = agent::DiagnosePort(wanted, error);
  // The threads of a tier share a port, each with a socket of its own.
  const auto known = std::ranges::find(needs.ports_in_use, diagnosis.problem, &PortFact::problem);
  if (known != needs.ports_in_use.end()) return;
  if (diagnosis.mend.empty()) diagnosis.mend = "see what the system's message says";
  needs.ports_in_use.push_back({std::move(diagnosis.problem), std::move(diagnosis.mend)});
}

void CheckPorts(const SiteQuestion& question, const site::DataCenter& dc, site::Hosting hosting,
                NeedFacts& needs) {
  const Endpoint admin{site::PeerAddress(dc), question.site.ports.admin};
  if (auto fd = io::OpenListeningSocket(admin, {}); !fd) {
    CheckPort({.at = admin, .owner = "the agent", .table = "[admin]"}, fd.error(), question, needs);
    // All ports of an address that this host does not have fail alike.
    if (fd.error().code == Errc::kUnavailable) return;
  }
  for (const agent::TierEntry& tier : agent::TierTable(question.site, dc, hosting)) {
    const std::string owner = fmt::format("the {} tier", tier.name);
    const std::string table = fmt::format("[{}]", tier.name);
    for (const agent::TierSocket& socket : tier.sockets) {
      const bool stream = socket.kind == site::SocketKind::kStream;
      Result<io::Fd> fd = stream ? io::OpenListeningSocket(socket.at, {})
                                 : io::OpenDatagramSocket(socket.at, socket.reuse_port);
      if (fd || (socket.optional && fd.error().code == Errc::kUnavailable)) continue;
      CheckPort({.at = socket.at,
                 .transport = stream ? io::Transport::kTcp : io::Transport::kUdp,
                 .owner = owner,
                 .table = table},
                fd.error(), question, needs);
    }
  }
}

std::vector<std::string> TroublesOf(const agent::DataCenterStatus& status) {
  std::vector<std::string> troubles;
  for (const agent::TierStatus& tier : status.tiers) {
    if (tier.state != "ready" && tier.state != "external") {
      troubles.push_back(fmt::format("the {} tier is {}", tier.name, tier.state));
    }
  }
  for (const agent::InstanceStatus& instance : status.instances) {
    if (instance.state != "healthy") {
      troubles.push_back(fmt::format("instance {} is {}", instance.id, instance.state));
    }
  }
  for (const agent::WorkerStatus& worker : status.workers) {
    if (worker.state != "running") {
      troubles.push_back(fmt::format("worker {} is {}", worker.id, worker.state));
    }
  }
  return troubles;
}

DataCenterFacts AskOne(const Deployed& deployed, const site::DataCenter& dc) {
  DataCenterFacts facts{.name = dc.name};
  const SystemClock clock;
  const WallTime asked = clock.Wall();
  auto answer = CallAgent(deployed, dc, {.method = "GET", .path = "/.meridian/status"});
  const Duration took = clock.Wall() - asked;
  if (!answer || answer->status != 200) {
    facts.problem = answer ? fmt::format("its agent refused to say (status {})", answer->status)
                           : answer.error().message;
    return facts;
  }
  Result<agent::DataCenterStatus> status = agent::DecodeStatus(answer->body);
  if (!status) {
    facts.problem = status.error().message;
    return facts;
  }
  facts.answered = true;
  facts.problem = status->problem;
  facts.version = status->version;
  facts.troubles = TroublesOf(*status);
  if (status->wall_seconds > 0) {
    const double middle = Seconds(asked.time_since_epoch() + took / 2);
    facts.clock_offset_seconds = status->wall_seconds - middle;
    facts.clock_uncertainty_seconds = Seconds(took) / 2;
  }
  return facts;
}

bool Answers(const std::vector<DataCenterFacts>& all, const std::string& name) {
  return std::ranges::any_of(
      all, [&](const DataCenterFacts& each) { return each.name == name && each.answered; });
}

}  // namespace

SiteFacts ReadSite(const SiteQuestion& question) {
  SiteFacts facts{.name = question.site.name, .version = question.version};
  if (question.state && question.state->ReadToken()) {
    const Deployed deployed{*question.state, question.site};
    for (const site::DataCenter& dc : question.site.datacenters) {
      facts.data_centers.push_back(AskOne(deployed, dc));
    }
  }
  const Hosted hosted = FindHosted(question);
  std::set<uint16_t> ports;
  bool all_run = !hosted.data_centers.empty();
  for (const site::DataCenter* dc : hosted.data_centers) {
    facts.hosted.push_back(dc->name);
    AddNeeds(question.site, *dc, hosted.hosting, ports, facts.needs);
    if (Answers(facts.data_centers, dc->name)) continue;
    all_run = false;
    CheckPorts(question, *dc, hosted.hosting, facts.needs);
  }
  if (!all_run && !facts.hosted.empty()) {
    facts.host_problems = HostProblems(question.site, question.only);
  }
  facts.needs.ports.assign(ports.begin(), ports.end());
  return facts;
}

}  // namespace meridian::cli
