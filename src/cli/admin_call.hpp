// Calls from commands to what runs: agents by admin HTTP with the state directory's token, the lab
// by its socket.
#pragma once

#include <string>
#include <vector>

#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"

namespace meridian::cli {

struct AgentCall {
  std::string_view method = "POST";
  std::string_view path;  // with its query
  std::string_view body = {};
  Duration timeout = {};  // for the work, beside the time that any answer takes
};

// One request to the agent of `dc`. kRefused, kTimeout: it does not run, or does not answer.
Result<http::Fetched> CallAgent(const Deployed& deployed, const site::DataCenter& dc,
                                const AgentCall& call);

// The same request to every data center's, all asked at once; the answers in the site's order.
std::vector<Result<http::Fetched>> CallAgents(const Deployed& deployed, const AgentCall& call);

struct LabCall {
  std::string_view method = "POST";
  std::string_view path;  // with its query
  Duration timeout;       // for the work; whether the lab answers at all is known sooner
};

// One request to the lab. kNotFound or kRefused: no lab runs here. kTimeout: it does not answer;
// the message says what to do.
Result<http::Fetched> CallLab(const site::StateDir& state, const LabCall& call);

// Of every data center, all asked at once. Where the agent does not answer, what else is known.
std::vector<agent::DataCenterStatus> AskStatus(const Deployed& deployed);

}  // namespace meridian::cli
