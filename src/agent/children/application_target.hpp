// A running process of the application, or of a worker, that serves metrics: what Prometheus must
// know of it. A value.
#pragma once

#include <string>

#include "base/ip.hpp"

namespace meridian::agent {

struct ApplicationTarget {
  Endpoint at;
  std::string tier;      // "app", "worker"
  std::string instance;  // its id
  std::string release;
  std::string worker = {};  // of a worker: its name
  std::string metrics_path;

  bool operator==(const ApplicationTarget&) const = default;
};

}  // namespace meridian::agent
