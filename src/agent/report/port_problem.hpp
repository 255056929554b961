// What is said of a port that cannot be had: who has it, or what is missing, and what to do.
#pragma once

#include <string_view>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/port_owner.hpp"

namespace meridian::agent {

struct WantedPort {
  Endpoint at;
  io::Transport transport = io::Transport::kTcp;
  std::string_view whose;  // "the dns tier"
  std::string_view table;  // where site.toml has its port: "[dns]"
};

// `error` of the attempt, with a message for the person who starts the site. Looks at /proc, so it
// may block for some milliseconds.
Error PortProblem(const WantedPort& port, const Error& error);

}  // namespace meridian::agent
