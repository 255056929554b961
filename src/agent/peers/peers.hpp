// This agent's knowledge of the other data centers: the last view of each peer's agent, and how
// often it has not answered since. Pure.
//
// Invariants: the state of a data center comes only from its own agent. A data center that has
// never answered is starting. A data center that missed kMissesToDown polls in a row is down, and
// its instances are left out of the view.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "site/site.hpp"
#include "site/view/view.hpp"

namespace meridian::agent {

class Peers {
 public:
  static constexpr uint32_t kMissesToDown = 2;
  // Of a data center that has not answered since this agent's start: it may be starting itself.
  static constexpr uint32_t kMissesToLost = 30;

  // `here`: this data center, which is not a peer.
  Peers(const site::Site& site, const std::string& here);

  // The agent of `name` answered with its view. Entries for other data centers are ignored.
  void OnAnswer(const std::string& name, const site::SiteView& its_view);
  void OnMiss(const std::string& name, std::string why = "");

  // Overwrites the entry, made from site.toml, with the peer's last view.
  void Describe(site::DataCenterView& entry) const;
  void AppendInstances(std::vector<site::InstanceView>& instances) const;
  // For people: problems between this agent and its peers, and what to do.
  std::vector<std::string> Problems() const;
  bool reachable(const std::string& name) const;
  // It is down, and not because it is still being started beside us.
  bool lost(const std::string& name) const;
  // The digests of our own site.toml (site/view/agreement.hpp).
  const std::map<std::string, std::string>& agreement() const { return agreement_; }
  bool starting(const std::string& name) const;
  // True if no peer is starting: each serves, drains, or is down.
  bool all_known() const;

 private:
  struct Peer {
    site::DataCenterState state = site::DataCenterState::kStarting;
    uint32_t load_rps = 0;
    bool available = true;
    bool takes_forwarded = true;
    bool owns_notices = false;
    std::string problem;
    std::vector<site::InstanceView> instances;
    uint32_t misses = 0;
    bool heard = false;
    std::string why_missed;
    std::optional<std::string>
        difference;  // the first key in which its site.toml differs from ours
  };
  std::map<std::string, std::string> agreement_;
  std::map<std::string, Peer> peers_;
};

}  // namespace meridian::agent
