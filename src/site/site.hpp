// The site as its site.toml describes it: its name, data centers, ports of tiers and application. A
// value, immutable once loaded, equal in every process of the site; any thread may read it. State
// that changes at run time is in SiteView.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "site/limits.hpp"
#include "site/location.hpp"
#include "site/ports.hpp"
#include "site/secret.hpp"
#include "site/section.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {

class TableReader;

struct DataCenter {
  std::string name;  // a DNS label, unique
  // A point of presence ([[edge_place]]) with dns and edge alone: its edge fetches from the nearest
  // data center that serves.
  bool edge_only = false;
  IpAddress address;  // listening address of its edge, and for peers; unique
  // An address of a private network, for peers instead of `address`.
  std::optional<IpAddress> private_address;
  // The addresses in DNS answers; never empty. By default `address` alone.
  std::vector<IpAddress> public_addresses;
  std::string city;  // empty when the file gave latitude and longitude
  Location location;
  uint32_t weight = 100;      // its share under weighted steering, relative to the others'
  uint32_t capacity_rps = 0;  // requests a second that it can serve; 0: not stated
};

// The settings of the application's instances, the same in every data center.
struct App {
  std::vector<std::string> command;  // program and arguments; no shell
  std::filesystem::path directory;   // absolute; the working directory
  std::string health_path = "/";     // answers 2xx or 3xx when the instance can serve
  std::string metrics_path = {};     // in the format of Prometheus; empty: it has none
  uint32_t instances = 2;            // per data center
  std::string release = "1";
  std::map<std::string, std::string> environment;     // besides what Meridian sets and inherits
  Duration start_timeout = std::chrono::seconds{30};  // from start to the first healthy answer
  Duration stop_timeout = std::chrono::seconds{10};   // from SIGTERM to SIGKILL
  // How long an instance may fail its health path before it is replaced.
  Duration unhealthy_timeout = std::chrono::seconds{30};
};

// Processes of the application that serve no requests: consumers of a topic, say. The same in every
// data center.
struct Worker {
  std::string name;                  // a DNS label, unique
  std::vector<std::string> command;  // program and arguments; no shell
  std::filesystem::path directory;   // absolute; the working directory
  uint32_t instances = 1;            // processes per data center
  std::string topic;                 // of the queue, which it consumes; empty: none
  std::string group;                 // its consumer group; by default its name
  uint32_t retries = 0;              // retry topics for messages that it failed to handle
  std::string metrics_path = {};     // at $PORT, which it has only with this; empty: none
  std::map<std::string, std::string> environment;    // besides what Meridian sets and inherits
  Duration stop_timeout = std::chrono::seconds{10};  // from SIGTERM to SIGKILL
};

// Settings of the agents.
struct AgentSettings {
  // How long a tier may leave its probes without an answer before it is killed and started again.
  Duration hung_timeout = std::chrono::seconds{15};
  // The cores that the tiers of a data center use; nothing: all cores of the machine.
  std::optional<uint32_t> cores = {};
};

// A tier that the team runs elsewhere, so Meridian does not run it (of watch: its engines).
struct External {
  Secret url;         // may hold a password
  std::string shown;  // "postgres://db.internal:5432", for people
};

struct Site {
  std::string name;                     // a DNS label; names the site's CA and certificates
  std::string domain;                   // lower case, no dot at the end
  std::vector<DataCenter> datacenters;  // 1 to kMaxDataCenters, in the order of the file
  App app;
  std::vector<Worker> workers;  // in the order of the file
  AgentSettings agent;
  Ports ports;
  // Those of this program that this site has, in the order in which they start.
  std::vector<TierDescription> tiers;
  std::map<std::string, External, std::less<>> externals;  // by table name, such as "queue"
  // The tiers' threads, by tier, where the file sets them (tier/threads.hpp).
  std::map<std::string, uint32_t, std::less<>> threads;
  bool wan = true;             // in the lab, links between the data centers (reach.hpp)
  SectionValues sections;      // the tiers' own settings
  std::filesystem::path file;  // absolute path of the site.toml

  // Null when there is no such data center.
  const DataCenter* FindDataCenter(std::string_view data_center) const;
};

// For a tier's parse function: reads `key` as the name of a data center of the site. For any other
// value it records an error and returns "".
std::string ReadDataCenterName(TableReader& reader, std::string_view key, const Site& site);

}  // namespace meridian::site
