// SiteView: one agent's knowledge of the live site at one moment. A value: at each change the agent
// makes a new view with the next number, and sends it whole to its tiers (control.hpp) and to the
// agents that poll it. A receiver obeys the newest view and shares it immutable.
//
// Invariants of a view that FromJson returns: names of data centers are DNS labels and unique; ids
// of instances are unique within their data center, which is in the view; each ordered pair of data
// centers has at most one link. All counts and lengths are within limits.hpp. Lists keep the
// sender's order: data centers are in the order of site.toml.
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

// How a tier that sends requests to instances (edge, balancer) uses a healthy instance. kUnknown:
// no report yet.
enum class InstanceUse {
  kUnknown,
  kUsed,
  kSlowStart,  // gets a growing share of the requests
  kOnTrial,    // was ejected; gets one request at a time
  kEjected,    // gets no requests for a while: it failed requests that others answer
  kRefusing,   // nothing listens there
  kFailing,    // the tier's own checks of its health path fail
};

// "starting", ..., as `meridian status` prints it.
std::string_view StateName(DataCenterState state);
std::string_view StateName(InstanceState state);
std::string_view StateName(InstanceUse use);
// kUnknown for names of other releases of Meridian.
InstanceUse InstanceUseNamed(std::string_view name);

struct DataCenterView {
  std::string name;
  IpAddress address;
  Location location;
  uint32_t weight = 0;
  uint32_t capacity_rps = 0;  // 0: not stated
  DataCenterState state = DataCenterState::kStarting;
  uint32_t load_rps = 0;  // requests a second at its edge, rounded by RoundLoad
  // True if it can serve its visitors by itself: its tiers answer, and an instance is healthy. If
  // false, dns servers answer with another data center.
  bool available = true;
  std::string problem = {};  // why it is not available, in a few words
  // True if its balancer answers the edges of other data centers. Its own visitors do not need the
  // balancer.
  bool takes_forwarded = true;
  // True if its Alertmanager sends the notices that concern the whole site.
  bool owns_notices = false;

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

// Whether data center `from` reaches `to`, according to this agent.
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
  // The sender's digests of the settings that all data centers must have in common, by key ("[edge]
  // port"); see agreement.hpp.
  std::map<std::string, std::string> agreement = {};

  // Null if the view has no such data center.
  const DataCenterView* FindDataCenter(std::string_view name) const;

  bool operator==(const SiteView&) const = default;
};

// The instances of `data_center` that have an address yet.
std::vector<InstanceView> InstancesToReach(const SiteView& view, std::string_view data_center);

// Rounds to two significant digits, so that a view does not change with every request: 1234.5
// becomes 1200. Negative numbers and NaN become 0.
uint32_t RoundLoad(double load_rps);

// One line without newline. kTooLarge past kMaxViewBytes. Invalid UTF-8 becomes U+FFFD.
Result<std::string> ToJson(const SiteView& view);

// Strict: kInvalid for a missing key, a wrong type, an unknown state or a broken invariant,
// kTooLarge past a limit. Unknown keys are ignored, so that releases of Meridian may differ.
Result<SiteView> FromJson(std::string_view json);

}  // namespace meridian::site
