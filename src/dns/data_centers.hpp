// This server's knowledge of the site's data centers, from site.toml, the agent's view and its own
// probes (later sources override earlier ones). It makes the snapshots for answering. Pure: its
// inputs are events and the time. Owned by the Server; one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "dns/config.hpp"
#include "dns/health/health.hpp"
#include "dns/snapshot.hpp"
#include "dns/spill.hpp"
#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::dns {

// The parts of a snapshot that depend on the configuration alone. Data centers have the same index
// as in the site.
struct FixedParts {
  std::shared_ptr<const Zone> zone;
  std::shared_ptr<const Locator> locator;
  std::shared_ptr<const DataCenterMap> map;
  SteeringMode mode = SteeringMode::kNearest;

  // Opens the geo database of the site. Errors: its errors, and those of the parts. If the site
  // names none and steers to the nearest data center, uses `country_database` (empty: none) if it
  // is readable.
  static Result<FixedParts> Make(const site::Site& site, const Config& config, Duration ttl,
                                 const std::filesystem::path& country_database = {});
};

class DataCenters {
 public:
  // `ttl`: of the answers, after which a change of shares shows in the load.
  DataCenters(const site::Site& site, Duration ttl);

  // Data centers that are missing from the view keep their state.
  void OnView(const site::SiteView& view);
  void OnProbe(size_t data_center, bool hit);
  // True if every data center was probed at least once.
  bool AllProbed() const;
  // Applies the results of the first probes, before the first answer. Does nothing if all missed:
  // then our own network has failed.
  void DecideByFirstProbes();
  // Updates the spill of full data centers. Call once a second.
  void Spill(TimePoint now);

  const std::vector<DataCenterCandidate>& candidates() const { return candidates_; }
  // True if the candidates have changed since the last call.
  bool TakeChange();
  std::unique_ptr<const Snapshot> MakeSnapshot(const FixedParts& parts) const;

 private:
  struct State {
    Health health;
    bool was_probed = false;
    double capacity_rps = 0;
    double load_rps = 0;
  };
  void Refresh();

  std::vector<State> states_;
  std::vector<DataCenterCandidate> candidates_;
  dns::Spill spill_;
  bool changed_ = false;
};

}  // namespace meridian::dns
