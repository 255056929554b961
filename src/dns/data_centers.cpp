#include "dns/data_centers.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/geography.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "dns/config.hpp"
#include "dns/geo/data_center_map.hpp"
#include "dns/geo/geo_database.hpp"
#include "dns/geo/location.hpp"
#include "dns/health/health.hpp"
#include "dns/snapshot.hpp"
#include "dns/spill.hpp"
#include "dns/steering.hpp"
#include "dns/zone.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::dns {
namespace {

// A change of answers takes effect when caches have expired, and shows in the loads a little later.
constexpr int kTtlsUntilSeen = 2;

ConfiguredState ConfiguredOf(site::DataCenterState state) {
  switch (state) {
    case site::DataCenterState::kStarting:
      return ConfiguredState::kStarting;
    // Down: our agent gets no answer from its agent. Our probes decide whether it serves visitors.
    case site::DataCenterState::kDown:
    case site::DataCenterState::kServing:
      return ConfiguredState::kServing;
    case site::DataCenterState::kDraining:
    case site::DataCenterState::kDrained:
      return ConfiguredState::kOut;
  }
  return ConfiguredState::kOut;
}

Result<Zone> MakeZone(const site::Site& site, Duration ttl) {
  ZoneOptions options{.domain = site.domain, .data_centers = {}};
  options.https_port = site.ports.edge_https;
  options.ttl_seconds = static_cast<uint32_t>(Seconds(ttl));
  for (const site::DataCenter& data_center : site.datacenters) {
    options.data_centers.push_back({data_center.name, data_center.public_addresses});
  }
  return Zone::Build(options);
}

Result<std::shared_ptr<const GeoDatabase>> OpenGeoDatabase(
    const Config& config, const std::filesystem::path& country_database) {
  bool named = !config.geo_database.empty();
  bool by_country = config.mode == SteeringMode::kNearest && !country_database.empty();
  if (!named && !by_country) return nullptr;
  Result<GeoDatabase> database = GeoDatabase::Open(named ? config.geo_database : country_database);
  if (!database && named) return Fail(database.error());
  if (!database) {
    LOG_WARNING("the country database is unusable: clients are not located by country",
                {"problem", database.error().message});
    return nullptr;
  }
  return std::make_shared<const GeoDatabase>(*std::move(database));
}

}  // namespace

Result<FixedParts> FixedParts::Make(const site::Site& site, const Config& config, Duration ttl,
                                    const std::filesystem::path& country_database) {
  Result<Zone> zone = MakeZone(site, ttl);
  if (!zone) return Fail(zone.error());
  Result<std::shared_ptr<const GeoDatabase>> database = OpenGeoDatabase(config, country_database);
  if (!database) return Fail(database.error());
  Result<Locator> locator = Locator::Build(config.places, *std::move(database));
  if (!locator) return Fail(locator.error());
  Result<DataCenterMap> map = DataCenterMap::Build(config.map, locator->places());
  if (!map) return Fail(map.error());
  return FixedParts{.zone = std::make_shared<const Zone>(*std::move(zone)),
                    .locator = std::make_shared<const Locator>(*std::move(locator)),
                    .map = std::make_shared<const DataCenterMap>(*std::move(map)),
                    .mode = config.mode};
}

DataCenters::DataCenters(const site::Site& site, Duration ttl)
    : states_(site.datacenters.size()), spill_(site.datacenters.size(), ttl * kTtlsUntilSeen) {
  for (size_t i = 0; i < site.datacenters.size(); ++i) {
    const site::DataCenter& data_center = site.datacenters[i];
    states_[i].capacity_rps = data_center.capacity_rps;
    candidates_.push_back({.name = data_center.name,
                           .location = UnitVectorOf(data_center.location),
                           .weight = static_cast<double>(data_center.weight)});
  }
}

void DataCenters::OnView(const site::SiteView& view) {
  for (size_t i = 0; i < states_.size(); ++i) {
    const site::DataCenterView* seen = view.FindDataCenter(candidates_[i].name);
    if (seen == nullptr) continue;
    states_[i].health.SetConfigured(ConfiguredOf(seen->state));
    // While our agent gets no answer from its agent, its last report is old.
    bool heard = seen->state != site::DataCenterState::kDown;
    states_[i].health.SetAvailable(seen->available || !heard);
    states_[i].capacity_rps = seen->capacity_rps;
    states_[i].load_rps = seen->load_rps;
    changed_ |= std::exchange(candidates_[i].weight, seen->weight) != seen->weight;
  }
  Refresh();
}

void DataCenters::OnProbe(size_t data_center, bool hit) {
  Health& health = states_[data_center].health;
  states_[data_center].was_probed = true;
  if (hit) {
    health.ProbeHit();
  } else {
    health.ProbeMissed();
  }
  Refresh();
}

bool DataCenters::AllProbed() const { return std::ranges::all_of(states_, &State::was_probed); }

void DataCenters::DecideByFirstProbes() {
  bool any_hit =
      std::ranges::any_of(states_, [](const State& state) { return state.health.was_hit(); });
  if (!any_hit) return;
  for (State& state : states_) state.health.DecideByFirstProbe();
  Refresh();
}

void DataCenters::Spill(TimePoint now) {
  std::vector<SpillInput> inputs;
  for (size_t i = 0; i < states_.size(); ++i) {
    bool takes_clients = states_[i].health.serving() && candidates_[i].weight > 0;
    inputs.push_back({.capacity = states_[i].capacity_rps,
                      .load = states_[i].load_rps,
                      .serving = takes_clients});
  }
  spill_.Step(inputs, now);
  Refresh();
}

void DataCenters::Refresh() {
  for (size_t i = 0; i < states_.size(); ++i) {
    bool serving = states_[i].health.serving();
    double kept = spill_.kept_share(i);
    changed_ |= std::exchange(candidates_[i].serving, serving) != serving;
    changed_ |= std::exchange(candidates_[i].kept_share, kept) != kept;
  }
}

bool DataCenters::TakeChange() { return std::exchange(changed_, false); }

std::unique_ptr<const Snapshot> DataCenters::MakeSnapshot(const FixedParts& parts) const {
  return std::make_unique<const Snapshot>(Snapshot{.zone = parts.zone,
                                                   .locator = parts.locator,
                                                   .map = parts.map,
                                                   .mode = parts.mode,
                                                   .steering = Steering(parts.mode, candidates_)});
}

}  // namespace meridian::dns
