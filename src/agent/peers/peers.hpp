// What this agent knows of the other data centers: what each one's agent last said of itself, and
// since when it has been silent. Pure.
//
// Invariants: only a data center's own agent is believed about it. One that has never been heard is
// starting; one that has missed kMissesToDown questions in a row is down, and its instances are
// nobody's.
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

  // `here` is not its own peer.
  Peers(const site::Site& site, const std::string& here);

  // Its agent answered with its view; whatever that says of others is passed over.
  void OnAnswer(const std::string& name, const site::SiteView& its_view);
  void OnMiss(const std::string& name, std::string why = "");

  // The entry of `name` in our view, over what site.toml says of it.
  void Describe(site::DataCenterView& entry) const;
  void AppendInstances(std::vector<site::InstanceView>& instances) const;
  // What is wrong between us, for people and with what to do; empty: nothing.
  std::vector<std::string> Problems() const;
  bool reachable(const std::string& name) const;
  // Of our own site.toml (site/view/agreement.hpp).
  const std::map<std::string, std::string>& agreement() const { return agreement_; }
  bool starting(const std::string& name) const;
  // None is starting, as far as is known: each serves, leaves, or is down.
  bool all_known() const;

 private:
  struct Peer {
    site::DataCenterState state = site::DataCenterState::kStarting;
    uint32_t load_rps = 0;
    bool available = true;
    bool takes_forwarded = true;
    std::string problem;
    std::vector<site::InstanceView> instances;
    uint32_t misses = 0;
    bool heard = false;
    std::string why_missed;
    std::optional<std::string> difference;  // of its site.toml from ours
  };
  std::map<std::string, std::string> agreement_;
  std::map<std::string, Peer> peers_;
};

}  // namespace meridian::agent
