// KafkaClient: a Kafka cluster as the `meridian queue` commands use it. It finds the brokers, the
// leader of each partition and the coordinator of each group, and keeps a connection to each broker
// that it has asked.
//
// One thread: the loop's. Messages of errors are for the user of a command.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/queue/broker_address.hpp"
#include "cli/queue/kafka_connection.hpp"
#include "io/loop.hpp"
#include "io/net/network.hpp"
#include "io/task.hpp"
#include "wire/kafka/error_code.hpp"

namespace meridian::cli {

struct PartitionKey {
  std::string topic;
  int32_t partition = 0;

  auto operator<=>(const PartitionKey&) const = default;
};

// Partitions and the node ids of their leaders.
using Leaders = std::map<PartitionKey, int32_t>;

// "UNKNOWN_TOPIC_OR_PARTITION" and what it means for the user, where that is not obvious.
std::string Explained(wire::kafka::ErrorCode error);

class KafkaClient {
 public:
  // `where`: whose brokers these are, for errors, such as "the queue of us-east".
  KafkaClient(io::Loop& loop, io::Network& network, std::vector<BrokerAddress> brokers,
              std::string where);

  // Connects to the first of the brokers that answers. kUnavailable: none does; the message has
  // each address with the reason.
  io::Task<Result<void>> Connect();

  // The partitions of all topics, or of one; kNotFound: there is no such topic, and what is like
  // it. Topics of brokers' own (names with __ in front) are left out. Call it before At.
  io::Task<Result<Leaders>> FindLeaders(std::optional<std::string> topic = {});

  // A connection to a broker by its node id.
  io::Task<Result<KafkaConnection*>> At(int32_t node_id);
  // A connection to the broker that keeps the group's offsets and members.
  io::Task<Result<KafkaConnection*>> AtCoordinator(const std::string& group);
  // A connection to any broker.
  KafkaConnection& any() { return *bootstrap_; }
  // The node ids of all brokers, as of the last FindLeaders.
  std::vector<int32_t> nodes() const;

  io::Loop& loop() const { return loop_; }

 private:
  io::Task<Result<std::unique_ptr<KafkaConnection>>> Open(BrokerAddress broker);

  io::Loop& loop_;
  io::Network& network_;
  const std::vector<BrokerAddress> brokers_;
  const std::string where_;
  std::unique_ptr<KafkaConnection> bootstrap_;
  std::map<int32_t, BrokerAddress> known_;
  std::map<int32_t, std::unique_ptr<KafkaConnection>> connections_;
};

}  // namespace meridian::cli
