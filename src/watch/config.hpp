// The watch tier's settings: [watch] of site.toml. docs/site.toml.md says what each key is for;
// config.cpp describes and reads them. The agent reads those of the engines, which it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "site/section.hpp"

namespace meridian::watch {

// Where Alertmanager sends notices. A text that begins with '$' is the name of an environment
// variable of the agent, which holds the value.
struct Notices {
  std::string webhook = {};  // URL; empty: none
  std::string slack = {};    // URL of an incoming webhook; empty: none
  std::string email = {};    // recipients; empty: none
  std::string email_from = {};
  std::string smtp = {};  // "host:port"
  std::string smtp_user = {};
  std::string smtp_password = {};
  bool smtp_tls = true;

  bool operator==(const Notices&) const = default;
};

struct Config {
  uint64_t log_bytes = uint64_t{4} * 1024 * 1024 * 1024;  // of the log store's files
  // What Prometheus keeps: whichever limit is reached first.
  Duration metrics_retention = std::chrono::days{15};
  uint64_t metrics_bytes = uint64_t{4} * 1024 * 1024 * 1024;
  Notices notices;
  uint64_t copy_bytes = uint64_t{512} * 1024 * 1024;  // of each other data center's copy
  bool access_log = false;                            // the edge's access log is kept in it too
};

site::Section ConfigSection();

}  // namespace meridian::watch
