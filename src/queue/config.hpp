// The queue tier's settings: [queue] of site.toml. docs/site.toml.md says what each key is for;
// config.cpp describes and reads them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "queue/limits.hpp"
#include "site/reach.hpp"
#include "site/section.hpp"
#include "site/site.hpp"

namespace meridian::queue {

struct Config {
  bool auto_create = true;  // of topics that clients name
  int32_t partitions = 1;   // of a topic that is created without a number
  Duration retention = std::chrono::hours{24 * 7};
  uint64_t retention_bytes = 0;  // of a partition; 0: without limit
  size_t max_clients = kMaxClients;
};

site::Section ConfigSection();

// Environment variables of applications: KAFKA_BROKERS, "host:port" of the queue of this data
// center or of the external one, separated by commas. Empty: the site has no queue.
std::vector<std::pair<std::string, std::string>> ApplicationVariables(const site::Site& site,
                                                                      const site::DataCenter& here,
                                                                      site::Hosting hosting);

}  // namespace meridian::queue
