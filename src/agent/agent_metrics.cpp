#include "agent/agent_metrics.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {
namespace {

void RaiseTo(Counter& counter, uint64_t count) {
  if (count > counter.value()) counter.Add(count - counter.value());
}

}  // namespace

AgentMetrics::AgentMetrics(Metrics& metrics, const site::Site& site, std::string_view here)
    : metrics_(metrics),
      ready_tiers_(metrics.AddGauge("meridian_agent_tiers_ready", "Tiers that are ready.")),
      instances_(metrics.AddGauge("meridian_agent_instances",
                                  "Instances of the application that the agent keeps running.")),
      healthy_instances_(metrics.AddGauge("meridian_agent_instances_healthy",
                                          "Instances of the application that are healthy.")) {
  for (const site::DataCenter& dc : site.datacenters) {
    if (dc.name == here) continue;
    lost_[dc.name] =
        &metrics.AddGauge("meridian_agent_peer_lost",
                          "1 while the agent of another data center or edge place does not answer.",
                          {{"datacenter", dc.name}});
  }
  for (const site::DataCenter& dc : site.datacenters) {
    drained_[dc.name] = &metrics.AddGauge(
        "meridian_agent_datacenter_drained",
        "1 while a data center drains or is drained, by what its agent said last.",
        {{"datacenter", dc.name}});
  }
}

AgentMetrics::TierSeries& AgentMetrics::SeriesOf(std::string_view tier) {
  auto found = tiers_.find(tier);
  if (found != tiers_.end()) return found->second;
  const std::string name(tier);
  const TierSeries series{
      .ready = metrics_.AddGauge("meridian_agent_tier_ready",
                                 "1 while the tier is ready and answers its probes.",
                                 {{"tier_name", name}}),
      .hung = metrics_.AddGauge("meridian_agent_tier_hung",
                                "1 while the tier runs and does not answer its probes.",
                                {{"tier_name", name}}),
      .restarts = metrics_.AddCounter("meridian_agent_tier_restarts_total",
                                      "Starts of the tier's process after its first.",
                                      {{"tier_name", name}})};
  return tiers_.emplace(name, series).first->second;
}

void AgentMetrics::ShowTiers(std::span<const ShownTier> tiers) {
  uint32_t ready = 0;
  for (const ShownTier& each : tiers) {
    TierSeries& series = SeriesOf(each.name);
    series.ready.Set(each.ready ? 1 : 0);
    series.hung.Set(each.hung ? 1 : 0);
    RaiseTo(series.restarts, each.restarts);
    ready += each.ready ? 1 : 0;
  }
  ready_tiers_.Set(ready);
}

void AgentMetrics::ShowInstances(std::span<const ShownInstance> instances) {
  uint32_t healthy = 0;
  for (const ShownInstance& each : instances) {
    auto found = instance_restarts_.find(each.id);
    if (found == instance_restarts_.end()) {
      const std::string id(each.id);
      Counter& restarts = metrics_.AddCounter("meridian_agent_instance_restarts_total",
                                              "Starts of an instance's process after its first.",
                                              {{"instance_id", id}});
      found = instance_restarts_.emplace(id, &restarts).first;
    }
    RaiseTo(*found->second, each.restarts);
    healthy += each.healthy ? 1 : 0;
  }
  instances_.Set(static_cast<double>(instances.size()));
  healthy_instances_.Set(healthy);
}

void AgentMetrics::ShowDataCenter(std::string_view name, site::DataCenterState state, bool lost) {
  using enum site::DataCenterState;
  if (auto found = lost_.find(name); found != lost_.end()) found->second->Set(lost ? 1 : 0);
  // A data center that is switched off after its drain has left on purpose.
  if (state == kDown) return;
  auto found = drained_.find(name);
  if (found == drained_.end()) return;
  found->second->Set(state == kDraining || state == kDrained ? 1 : 0);
}

}  // namespace meridian::agent
