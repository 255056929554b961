#include "cli/queue/compare/running_topics.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/compare/topic_differences.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/queue_call.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/epoll.hpp"
#include "io/file/file_lock.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "queue/config.hpp"
#include "queue/site_topics.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::cli {
namespace {

using Running = std::map<std::string, RunningTopic, std::less<>>;

// The queue of a data center has its number in site.toml, from 1 on. Empty: an external cluster.
std::string HomeOf(const site::Site& site, int32_t leader) {
  const auto index = static_cast<size_t>(leader) - 1;
  if (site.externals.contains("queue") || leader < 1 || index >= site.datacenters.size()) return "";
  return site.datacenters[index].name;
}

io::Task<Result<Running>> Ask(KafkaClient& client, const site::Site& site,
                              const std::vector<queue::DeclaredTopic>& asked) {
  Result<void> connected = co_await client.Connect();
  if (!connected) co_return Fail(std::move(connected.error()));
  auto leaders = co_await client.FindLeaders();
  if (!leaders) co_return Fail(std::move(leaders.error()));
  Running running;
  for (const auto& [partition, leader] : *leaders) {
    RunningTopic& topic = running[partition.topic];
    ++topic.partitions;
    if (partition.partition == 0) topic.home = HomeOf(site, leader);
  }
  for (const queue::DeclaredTopic& topic : asked) {
    auto found = running.find(topic.name);
    if (found == running.end() || topic.overrides.empty()) continue;
    auto entries = co_await FindConfigs(client, topic.name);
    if (!entries) co_return Fail(std::move(entries.error()));
    for (ConfigEntry& entry : *entries) {
      found->second.configuration.emplace(std::move(entry.key), std::move(entry.value));
    }
  }
  co_return running;
}

}  // namespace

std::optional<QueueBrokers> FindRunningQueue(const site::Site& site,
                                             const std::string& state_directory) {
  auto state = site::StateDir::Open(state_directory);
  if (!state) return std::nullopt;
  std::vector<std::string> runs_here;
  for (const site::DataCenter& dc : site.datacenters) {
    if (state->RunHolder(dc.name) != 0) runs_here.push_back(dc.name);
  }
  const bool lab = io::FileLock::Holder(state->lock()) != 0;
  if (!lab && runs_here.empty()) return std::nullopt;
  auto file = DeployedFile(*state);
  std::error_code failed;
  if (!file || !std::filesystem::equivalent(*file, site.file, failed)) return std::nullopt;
  auto brokers = BrokersOf(site, "", lab, runs_here);
  if (!brokers) return std::nullopt;
  return std::move(*brokers);
}

Result<std::vector<std::string>> CompareTopics(const site::Site& site,
                                               const QueueBrokers& brokers) {
  const auto asked = queue::TopicsOfSite(site.sections.Get<queue::Config>(), site.workers);
  io::EpollDriver driver;
  io::Loop loop(driver);
  io::SystemNetwork network(driver);
  KafkaClient client(loop, network, brokers.brokers, brokers.where);
  Result<Running> running = loop.RunToEnd(Ask(client, site, asked));
  if (!running) return Fail(std::move(running.error()));
  return TopicDifferences(asked, *running);
}

}  // namespace meridian::cli
