// TierDescription: everything that the rest of the program must know of a tier. Each tier describes
// itself once (`session::Describe()`); the composition root passes the list of descriptions to
// Load. The list defines the tables and ports of site.toml, the sockets and child processes of the
// agent, the ports that the lab's links carry, and the subcommands.
//
// Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "site/ports.hpp"
#include "site/section.hpp"

namespace meridian::site {

struct Site;
struct TierStart;

// A key of the tier's table in site.toml that sets a public port.
struct PortKey {
  std::string_view key = "port";
  uint16_t Ports::* port;
};

enum class SocketKind : uint8_t { kStream, kDatagram };

// The clients of a socket, which decide at which addresses it listens (reach.hpp).
enum class Audience : uint8_t {
  kVisitors,
  kHost,   // this host only: the application, or a tier of this data center
  kPeers,  // other data centers, at the peer port
};

struct SocketDescription {
  std::string_view name;   // as the tier passes it to TierProcess
  uint16_t Ports::* port;  // the public port; for kPeers the socket listens at its peer port
  Audience audience = Audience::kHost;
  SocketKind kind = SocketKind::kStream;
  // Of kHost: applications of other data centers use it, too, where the network lets them.
  bool crosses = false;
};

struct TierDescription {
  std::string_view name;       // of its folder, process, subcommand, and table of site.toml
  std::string_view summary;    // of its subcommand
  std::vector<PortKey> ports;  // the first is the tier's public port; not empty
  std::vector<SocketDescription> sockets;  // besides the ops port, which every tier has
  bool in_edge_places = false;             // edge places run it too
  // The application uses it, so it stops after the application.
  bool serves_application = false;
  // Only edges of other data centers use it; visitors of this data center do not need it.
  bool serves_others = false;
  // False: visitors are served without it, so they stay here while it hangs or is restarted.
  bool needed_to_serve = true;
  // It uses several threads: its table has the key `threads`.
  bool has_threads = false;
  // Runs only where site.toml has its table.
  bool needs_table = false;
  // The URL schemes that `external` of its table accepts. Empty: it has no such key.
  std::vector<std::string_view> external_schemes;
  // It runs although its table has `external`, which replaces only engines that belong to it.
  bool runs_with_external = false;
  std::optional<Section>
      section;  // its own keys of site.toml, and descriptions of all keys of its table
  // Runs the tier's process, and returns its exit status.
  int (*run)(const Site& site, TierStart start) = nullptr;
};

}  // namespace meridian::site
