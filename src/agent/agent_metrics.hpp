// AgentMetrics: what the agent knows of its tiers, of the application's instances and of the other
// data centers, for /metrics. Alert rules are made from these (src/watch/rules).
//
// A tier's and an instance's series are there from the first time that it is shown, at 0 restarts.
// Owned by the agent; one thread: its loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

struct ShownTier {
  std::string_view name;
  bool ready = false;
  bool hung = false;
  uint32_t restarts = 0;
};

struct ShownInstance {
  std::string_view id;
  bool healthy = false;
  uint32_t restarts = 0;
};

class AgentMetrics {
 public:
  // `here`: this data center, which is not its own peer.
  AgentMetrics(Metrics& metrics, const site::Site& site, std::string_view here);

  void ShowTiers(std::span<const ShownTier> tiers);
  void ShowInstances(std::span<const ShownInstance> instances);
  // `lost`: its agent does not answer (Peers::lost). `state`: in the view.
  void ShowDataCenter(std::string_view name, site::DataCenterState state, bool lost);

 private:
  struct TierSeries {
    Gauge& ready;
    Gauge& hung;
    Counter& restarts;
  };
  TierSeries& SeriesOf(std::string_view tier);

  Metrics& metrics_;
  Gauge& ready_tiers_;
  Gauge& instances_;
  Gauge& healthy_instances_;
  std::map<std::string, TierSeries, std::less<>> tiers_;
  std::map<std::string, Counter*, std::less<>> instance_restarts_;
  std::map<std::string, Gauge*, std::less<>> lost_;
  std::map<std::string, Gauge*, std::less<>> drained_;
};

}  // namespace meridian::agent
