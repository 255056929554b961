// The error message for a port that cannot be bound: the process that has it, or the missing
// permission, and what to do.
#pragma once

#include <string_view>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/port_owner.hpp"

namespace meridian::agent {

struct WantedPort {
  Endpoint at;
  io::Transport transport = io::Transport::kTcp;
  std::string_view owner;  // "the dns tier"
  std::string_view table;  // the table of site.toml with its port: "[dns]"
};

// `error` of the attempt, with a message for operators. Reads /proc, so it may block for some
// milliseconds.
Error PortProblem(const WantedPort& port, const Error& error);

}  // namespace meridian::agent
