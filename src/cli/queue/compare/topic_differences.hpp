// Compares the topics of a running queue with site.toml, for `meridian check`. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "queue/config.hpp"

namespace meridian::cli {

struct RunningTopic {
  uint32_t partitions = 0;
  std::string home;  // a data center. Empty: not known
  // All of Kafka's keys with their values, the defaults among them.
  std::map<std::string, std::string, std::less<>> configuration = {};
};

// A sentence for each difference, in the order of `asked`. Topics that are not in the file may be
// there: clients make some.
std::vector<std::string> TopicDifferences(
    const std::vector<queue::DeclaredTopic>& asked,
    const std::map<std::string, RunningTopic, std::less<>>& running);

}  // namespace meridian::cli
