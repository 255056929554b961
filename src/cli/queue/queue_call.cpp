#include "cli/queue/queue_call.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/broker_address.hpp"
#include "cli/queue/kafka_client.hpp"
#include "io/epoll.hpp"
#include "io/file/file_lock.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "queue/config.hpp"
#include "site/reach.hpp"
#include "site/site.hpp"

namespace meridian::cli {
namespace {

// The data center that is meant without --dc, or null: the first of a lab; on a server the one that
// runs here, or the only one of the site.
const site::DataCenter* Meant(const site::Site& site, bool lab,
                              const std::vector<std::string>& runs_here) {
  std::vector<const site::DataCenter*> found;
  for (const site::DataCenter& dc : site.datacenters) {
    if (dc.edge_only) continue;
    if (lab) return &dc;
    if (std::ranges::find(runs_here, dc.name) != runs_here.end()) return &dc;
    found.push_back(&dc);
  }
  return found.size() == 1 ? found.front() : nullptr;
}

Result<QueueBrokers> FindBrokers(const QueueOptions& options, int* status) {
  if (!options.brokers.empty()) {
    auto brokers = ParseBrokers(options.brokers);
    if (!brokers) *status = kMisused;
    if (!brokers) return Fail(Errc::kInvalid, "--brokers: {}", brokers.error().message);
    return QueueBrokers{std::move(*brokers), "the cluster of --brokers"};
  }
  auto deployed = FindDeployed(options.state_directory);
  if (!deployed) {
    *status = deployed.error();
    return Fail(Errc::kNotFound, "{}", "");  // the message has been printed
  }
  std::vector<std::string> runs_here;
  for (const site::DataCenter& dc : deployed->site.datacenters) {
    if (deployed->state.RunHolder(dc.name) != 0) runs_here.push_back(dc.name);
  }
  bool lab = io::FileLock::Holder(deployed->state.lock()) != 0;
  auto brokers = BrokersOf(deployed->site, options.data_center, lab, runs_here);
  if (!brokers && brokers.error().code == Errc::kInvalid) *status = kMisused;
  return brokers;
}

io::Task<Result<void>> ConnectAndRun(
    KafkaClient& client, const std::function<io::Task<Result<void>>(KafkaClient&)>& command) {
  Result<void> connected = co_await client.Connect();
  if (!connected) co_return connected;
  co_return co_await command(client);
}

}  // namespace

void AddQueueOptions(Command& command, QueueOptions& options) {
  command.AddOption({.name = "--json", .value = &options.json, .help = "As JSON"});
  Option& dc =
      command.AddOption({.name = "--dc",
                         .value = &options.data_center,
                         .help = "The data center whose queue is asked (in the lab: the first one)",
                         .type = "NAME"});
  command.AddOption({.name = "--brokers",
                     .value = &options.brokers,
                     .help = "Ask the Kafka brokers at these addresses instead",
                     .type = "HOST:PORT,…",
                     .excludes = {&dc}});
  AddStateOption(command, options.state_directory);
}

Result<QueueBrokers> BrokersOf(const site::Site& site, const std::string& data_center, bool lab,
                               const std::vector<std::string>& runs_here) {
  std::vector<std::string> known;
  for (const site::DataCenter& dc : site.datacenters) {
    if (!dc.edge_only) known.push_back(dc.name);
  }
  const site::DataCenter* dc =
      data_center.empty() ? Meant(site, lab, runs_here) : site.FindDataCenter(data_center);
  if (data_center.empty() && dc == nullptr) {
    return Fail(Errc::kInvalid, "say which queue: --dc NAME, of {}", fmt::join(known, ", "));
  }
  if (dc == nullptr || dc->edge_only) {
    return Fail(Errc::kInvalid, "the site has no data center \"{}\" with a queue; it has {}",
                data_center, fmt::join(known, ", "));
  }
  const site::Hosting hosting = lab ? site::Hosting::kLab : site::Hosting::kServers;
  auto variables = queue::ApplicationVariables(site, *dc, hosting);
  if (variables.empty()) {
    return Fail(Errc::kNotFound, "{} has no queue: add the table [queue]", site.file.string());
  }
  auto external = site.externals.find("queue");
  bool is_external = external != site.externals.end();
  auto brokers = ParseBrokers(variables.front().second);
  if (!brokers) return Fail(std::move(brokers.error()));
  if (is_external) return QueueBrokers{std::move(*brokers), external->second.shown};
  bool here = lab || dc->address.is_loopback() || dc->private_address ||
              std::ranges::find(runs_here, dc->name) != runs_here.end();
  if (!here) {
    return Fail(Errc::kInvalid,
                "the queue of {} listens on loopback of its own host: run this command there, or "
                "give {} a private_address",
                dc->name, dc->name);
  }
  return QueueBrokers{std::move(*brokers), "the queue of " + dc->name};
}

int RunQueueCommand(const QueueOptions& options,
                    const std::function<io::Task<Result<void>>(KafkaClient&)>& command) {
  int status = kFailed;
  auto brokers = FindBrokers(options, &status);
  if (!brokers) {
    if (!brokers.error().message.empty()) Complain(brokers.error());
    return status;
  }
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  KafkaClient client(loop, network, std::move(brokers->brokers), std::move(brokers->where));
  Result<void> done = loop.RunToEnd(ConnectAndRun(client, command));
  if (done) return kDone;
  if (done.error().code == Errc::kClosed && done.error().message.empty()) return kDone;
  return Complain(done.error());
}

}  // namespace meridian::cli
