// What all `meridian queue` commands share: their common options, the brokers that they ask, and
// the loop that they run on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command/command.hpp"
#include "cli/command_line.hpp"
#include "cli/queue/broker_address.hpp"
#include "cli/queue/kafka_client.hpp"
#include "io/task.hpp"

namespace meridian::cli {

struct QueueOptions {
  std::string state_directory = ".meridian";
  std::string data_center;
  std::string brokers;
  bool json = false;
};

// --json, --dc, --brokers, --state. `options` must outlive the command's action.
void AddQueueOptions(Command& command, QueueOptions& options);

// The brokers of a site, and whose they are.
struct QueueBrokers {
  std::vector<BrokerAddress> brokers;
  std::string where;  // "the queue of us-east", for errors
};
// `lab`: all data centers run on this machine; `runs_here`: the data centers whose agents run here.
// kNotFound: the site has no queue; kInvalid: `data_center` is no data center of it, or nothing
// says which one is meant, or its queue cannot be reached from here. Pure.
Result<QueueBrokers> BrokersOf(const site::Site& site, const std::string& data_center, bool lab,
                               const std::vector<std::string>& runs_here);

// Connects and runs `command`; prints its error. Returns the exit status.
int RunQueueCommand(const QueueOptions& options,
                    const std::function<io::Task<Result<void>>(KafkaClient&)>& command);

}  // namespace meridian::cli
