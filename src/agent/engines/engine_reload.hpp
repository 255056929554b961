// Reads from the metrics of an engine whether it took the configuration that it was told to read
// again. An engine that refuses a file runs on with what it read before, and says so there. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::agent {

enum class ReloadState : uint8_t {
  kPending,  // the metrics do not tell
  kBefore,   // it took what it read last, but by its clock that was before it was told
  kDone,
  kRefused,
};

// `engine`: "prometheus" or "alertmanager". `metrics`: its answer. `since`: when it was told, in
// Unix time by this host's clock.
ReloadState ReadReload(std::string_view engine, std::string_view metrics, double since);

}  // namespace meridian::agent
