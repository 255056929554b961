// The error message for a port that cannot be bound: the process that has it, or the missing
// permission, and what to do.
#pragma once

#include <string>
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

// Why a port cannot be bound, and what to do; that may be empty.
struct PortDiagnosis {
  std::string problem;
  std::string mend;
};

// `error`: of the attempt. Reads /proc, so it may block for some milliseconds.
PortDiagnosis DiagnosePort(const WantedPort& port, const Error& error);

// `error` of the attempt, with the diagnosis as its message.
Error PortProblem(const WantedPort& port, const Error& error);

}  // namespace meridian::agent
