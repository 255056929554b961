// What commands ask a cluster about consumer groups, each of its coordinator. Messages of errors
// are for the user.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/queue/kafka_client.hpp"
#include "cli/queue/topic_calls.hpp"
#include "io/task.hpp"

namespace meridian::cli {

struct GroupMember {
  std::string client_id;
  std::string host;
  std::vector<PartitionKey> partitions;  // that it consumes; empty where they are not known
};

struct GroupReport {
  std::string name;
  std::string state;  // "Stable", "Empty", …; "Dead": there is no such group
  std::vector<GroupMember> members;
  Offsets committed;
};

// The names of all groups that have members or committed offsets, in order.
io::Task<Result<std::vector<std::string>>> FindGroups(KafkaClient& client);
io::Task<Result<GroupReport>> DescribeGroup(KafkaClient& client, const std::string& name);
// Commits without being a member. The broker refuses that while the group has members.
io::Task<Result<void>> CommitFor(KafkaClient& client, const std::string& group,
                                 const Offsets& offsets);

}  // namespace meridian::cli
