// TopReader: asks the agents of all data centers for the state and the metrics of their tiers, and
// compares them with what they were before. One thread: that of its loop.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "cli/command_line.hpp"
#include "cli/top/top_text.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "site/site.hpp"
#include "wire/prom/text_reader.hpp"

namespace meridian::cli {

class TopReader {
 public:
  // `deployed` outlives it.
  TopReader(io::Loop& loop, io::SystemNetwork& network, const Deployed& deployed);

  // All data centers and edge places, in the order of site.toml. Figures of a tier are those since
  // the Read before; at its first reading it has none but its lag.
  io::Task<std::vector<TopDataCenter>> Read();

 private:
  struct Reading {
    TimePoint at{};
    std::vector<wire::prom::Sample> samples = {};
  };

  io::Task<void> ReadDataCenter(const site::DataCenter& of, TopDataCenter& into);
  io::Task<void> ReadTier(const site::DataCenter& of, TopTier& into);

  io::Loop& loop_;
  io::SystemNetwork& network_;
  const Deployed& deployed_;
  std::map<std::pair<std::string, std::string>, Reading> before_;  // by data center and tier
};

}  // namespace meridian::cli
