// What this server knows of the site's data centers: site.toml, under the agent's view, under its
// own probes. From it come the snapshots that answers are made of. Pure: told what happens and the
// time. Owned by the Server; one thread.
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

// Lasts as long as the configuration. Data centers have the same index here as in the site.
struct FixedParts {
  std::shared_ptr<const Zone> zone;
  std::shared_ptr<const Locator> locator;
  std::shared_ptr<const DataCenterMap> map;
  SteeringMode mode = SteeringMode::kNearest;

  // Opens the geo database that the site names; its errors, and those of the parts. Where it names
  // none, and clients go to the nearest data center, `country_database` counts (empty: none), if it
  // can be read.
  static Result<FixedParts> Make(const site::Site& site, const Config& config, Duration ttl,
                                 const std::filesystem::path& country_database = {});
};

class DataCenters {
 public:
  // `ttl` of the answers: how long a change of shares takes to be seen.
  DataCenters(const site::Site& site, Duration ttl);

  // Data centers that the view does not name keep what was known of them.
  void Obey(const site::SiteView& view);
  void OnProbe(size_t data_center, bool hit);
  // Whether every data center was probed at least once.
  bool AllProbed() const;
  // What the first probes tell, before the first answer. With no hit among them nothing: then it is
  // our own network that fails.
  void DecideByFirstProbes();
  // Lets full data centers pass clients on. Once a second.
  void Spill(TimePoint now);

  const std::vector<DataCenterCandidate>& candidates() const { return candidates_; }
  // Whether the candidates have changed since the last call.
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
