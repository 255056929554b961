// site.toml -> Site, in one pass that finds every error.
//
// The file, with every key of site/ (the tiers' descriptions add theirs):
//
//   name = "photos"                  # optional: the domain's first label
//   domain = "photos.example"
//   [[datacenter]]
//   name = "us-east"
//   address = "127.1.0.1"
//   private_address = "10.1.0.1"     # optional: for peers, and for what only its own host needs
//   public_addresses = ["192.0.2.1", "2001:db8::1"]       # optional: [address]
//   location = "Ashburn"             # or latitude = 39.04 and longitude = -77.49
//   weight = 100                     # optional
//   capacity_rps = 5000              # optional: requests a second
//   [[edge_place]]                   # a point of presence: dns and edge alone, no application
//   name = "london"                  # and the other keys of [[datacenter]]
//   [app]
//   command = ["node", "server.js"]
//   directory = "."                  # this and all below optional; relative to site.toml
//   health = "/"
//   metrics = "/metrics"             # no default: the application has none
//   instances = 2                    # per data center
//   release = "1"
//   environment = { NODE_ENV = "production" }
//   start_timeout = "30s"            # durations have a unit: ms, s, m, h, d
//   stop_timeout = "10s"
//   unhealthy_timeout = "30s"        # an instance that fails its health path so long is replaced
//   [worker.thumbnail]               # optional: processes without a port
//   command = ["node", "thumbnail.js"]
//   instances = 1                    # per data center; this and all below optional, as are
//   topic = "uploads"                # directory, environment and stop_timeout as in [app]
//   group = "thumbnail"
//   retries = 0
//   metrics = "/metrics"
//   [agent]
//   hung_timeout = "15s"             # a tier that does not answer so long is killed and started
//   [admin] port = 9000              # ports of a tier are keys of its own table
//   [lab]  wan = true                # in the lab, links between data centers with their distance
//   [sql]  external = "postgres://db.internal/photos"     # or "$NAME" of an environment variable;
//                                    # also [queue], [coordinator], and tiers that allow
//                                    it
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "site/load/diagnostics.hpp"
#include "site/site.hpp"
#include "site/tier_description.hpp"

namespace meridian::site {

// Looks up an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// A site.toml in memory.
struct SiteText {
  std::string text;
  std::string shown_name = "site.toml";  // for error messages
  std::filesystem::path file;            // absolute; paths are relative to its folder
  Environment environment = [](const std::string&) { return std::nullopt; };
};

// Reads `path` and the process's environment. The program exits with status 2 on Diagnostics.
std::expected<Site, Diagnostics> Load(const std::filesystem::path& path,
                                      std::span<const TierDescription> tiers);

// Pure.
std::expected<Site, Diagnostics> Parse(const SiteText& source,
                                       std::span<const TierDescription> tiers);

}  // namespace meridian::site
