// SiteView: what one agent knows of the live site at one moment. A value: the agent makes a new
// one, with the next number, each time something changes, and sends it whole to its tiers
// (control.hpp) and to the agents that ask; who receives it obeys the newest and shares it
// immutable.
//
// Invariants of one that came through FromJson: data centers are named by DNS labels and once,
// instances once (within their data center, which is in the view), and each ordered pair of data
// centers has at most one link. All counts and lengths are within limits.hpp. Lists
// are in the order of the sender: data centers in that of site.toml.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/location.hpp"

namespace meridian::site {

enum class DataCenterState { kStarting, kServing, kDraining, kDrained, kDown };
enum class InstanceState { kStarting, kHealthy, kUnhealthy, kDraining, kStopped };

// How a tier that sends requests to a healthy instance (edge, balancer) uses it. kUnknown: the tier
// has not said.
enum class InstanceUse {
  kUnknown,
  kUsed,
  kSlowStart,  // gets a growing share of the requests
  kOnTrial,    // was ejected; gets one request at a time
  kEjected,    // gets none for a while: it failed requests that others answer
  kRefusing,   // nothing listens there
  kFailing,    // the tier's own checks of its health path fail
};

// "starting", ...: as `meridian status` prints them.
std::string_view StateName(DataCenterState state);
std::string_view StateName(InstanceState state);
std::string_view StateName(InstanceUse use);
// kUnknown for what another release of Meridian may know.
InstanceUse InstanceUseNamed(std::string_view name);

struct DataCenterView {
  std::string name;
  IpAddress address;
  Location location;
  uint32_t weight = 0;
  uint32_t capacity_rps = 0;  // 0: not stated
  DataCenterState state = DataCenterState::kStarting;
  uint32_t load_rps = 0;  // requests a second at its edge, through RoundLoad
  // It can serve its visitors by itself: its tiers answer, and an instance is healthy. dns servers
  // answer with another data center while it cannot.
  bool available = true;
  std::string problem = {};  // why it is not available, in a few words
  // Its balancer answers the edges of other data centers. Its own visitors do not need that.
  bool takes_forwarded = true;

  bool operator==(const DataCenterView&) const = default;
};

struct InstanceView {
  std::string id;  // "us-west-1"
  std::string datacenter;
  Endpoint address;
  std::string release;
  InstanceState state = InstanceState::kStarting;
  InstanceUse use = InstanceUse::kUnknown;

  bool operator==(const InstanceView&) const = default;
};

// Whether data center `from` reaches `to`, as this agent knows it.
struct LinkView {
  std::string from;
  std::string to;
  bool up = false;

  bool operator==(const LinkView&) const = default;
};

struct SiteView {
  uint64_t number = 0;  // grows with each view of one agent; views of two agents do not compare
  std::vector<DataCenterView> datacenters;
  std::vector<InstanceView> instances;
  std::vector<LinkView> links;
  // Digests of what site.toml must say the same in every data center, by what it is
  // ("[edge] port"): the sender's own (agreement.hpp).
  std::map<std::string, std::string> agreement = {};

  // Null when the view has no such data center.
  const DataCenterView* FindDataCenter(std::string_view name) const;

  bool operator==(const SiteView&) const = default;
};

// The instances of `data_center` that have an address yet.
std::vector<InstanceView> InstancesToReach(const SiteView& view, std::string_view data_center);

// To two significant digits, so that a view does not change with every request: 1234.5 is 1200.
// Negative numbers and NaN are 0.
uint32_t RoundLoad(double load_rps);

// One line without newline. kTooLarge past kMaxViewBytes. What is not UTF-8 becomes U+FFFD.
Result<std::string> ToJson(const SiteView& view);

// Strict: kInvalid for a missing key, a wrong type, an unknown state or a broken invariant,
// kTooLarge past a limit. Unknown keys are passed over, so that releases of Meridian may differ.
Result<SiteView> FromJson(std::string_view json);

}  // namespace meridian::site
