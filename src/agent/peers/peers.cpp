#include "agent/peers/peers.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "site/site.hpp"
#include "site/view/agreement.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

Peers::Peers(const site::Site& site, const std::string& here)
    : agreement_(site::AgreementOf(site)) {
  for (const site::DataCenter& dc : site.datacenters) {
    if (dc.name != here) peers_[dc.name];
  }
}

void Peers::OnAnswer(const std::string& name, const site::SiteView& its_view) {
  const site::DataCenterView* said = its_view.FindDataCenter(name);
  auto found = peers_.find(name);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.difference = site::FirstDifference(agreement_, its_view.agreement);
  if (said == nullptr) return;
  peer.heard = true;
  peer.misses = 0;
  peer.state = said->state;
  peer.load_rps = said->load_rps;
  peer.available = said->available;
  peer.takes_forwarded = said->takes_forwarded;
  peer.owns_notices = said->owns_notices;
  peer.problem = said->problem;
  peer.instances.clear();
  for (const site::InstanceView& instance : its_view.instances) {
    if (instance.datacenter == name) peer.instances.push_back(instance);
  }
}

void Peers::OnMiss(const std::string& name, std::string why) {
  auto found = peers_.find(name);
  if (found == peers_.end()) return;
  Peer& peer = found->second;
  peer.why_missed = std::move(why);
  if (++peer.misses < kMissesToDown) return;
  peer.state = site::DataCenterState::kDown;
  peer.load_rps = 0;
  peer.available = peer.takes_forwarded = true;  // unknown from now on
  peer.owns_notices = false;
  peer.problem.clear();
  peer.instances.clear();
}

void Peers::Describe(site::DataCenterView& entry) const {
  auto found = peers_.find(entry.name);
  if (found == peers_.end()) return;
  entry.state = found->second.state;
  entry.load_rps = found->second.load_rps;
  entry.available = found->second.available;
  entry.takes_forwarded = found->second.takes_forwarded;
  entry.owns_notices = found->second.owns_notices;
  entry.problem = found->second.problem;
}

void Peers::AppendInstances(std::vector<site::InstanceView>& instances) const {
  for (const auto& [name, peer] : peers_) {
    instances.insert(instances.end(), peer.instances.begin(), peer.instances.end());
  }
}

std::vector<std::string> Peers::Problems() const {
  std::vector<std::string> problems;
  for (const auto& [name, peer] : peers_) {
    if (peer.misses >= kMissesToDown) {
      problems.push_back(fmt::format("does not hear {} ({}): look there, and at what is between",
                                     name, peer.why_missed));
    } else if (peer.difference) {
      problems.push_back(fmt::format("{} has another site.toml ({} differs): give all the same",
                                     name, *peer.difference));
    }
  }
  return problems;
}

bool Peers::starting(const std::string& name) const {
  auto found = peers_.find(name);
  return found != peers_.end() && found->second.state == site::DataCenterState::kStarting;
}

bool Peers::all_known() const {
  return std::ranges::none_of(peers_, [](const auto& entry) {
    return entry.second.state == site::DataCenterState::kStarting;
  });
}

bool Peers::lost(const std::string& name) const {
  auto found = peers_.find(name);
  if (found == peers_.end()) return false;
  const Peer& peer = found->second;
  return peer.misses >= (peer.heard ? kMissesToDown : kMissesToLost);
}

bool Peers::reachable(const std::string& name) const {
  auto found = peers_.find(name);
  return found != peers_.end() && found->second.heard && found->second.misses < kMissesToDown;
}

}  // namespace meridian::agent
