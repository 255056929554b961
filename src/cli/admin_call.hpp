// Requests of commands to agents (admin HTTP with the state directory's token) and to the lab (its
// socket).
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
  Duration timeout = {};  // for the work, in addition to the time of any request
};

// Sends a request to the agent of `dc`. kRefused, kTimeout: it does not run, or does not answer.
Result<http::Fetched> CallAgent(const Deployed& deployed, const site::DataCenter& dc,
                                const AgentCall& call);

// Sends the same request to all agents at the same time; the answers are in the site's order.
std::vector<Result<http::Fetched>> CallAgents(const Deployed& deployed, const AgentCall& call);

struct LabCall {
  std::string_view method = "POST";
  std::string_view path;  // with its query
  Duration timeout;       // for the work; a lab that does not answer at all is detected sooner
};

// Sends a request to the lab. kNotFound or kRefused: no lab runs here. kTimeout: it does not
// answer; the message says what to do.
Result<http::Fetched> CallLab(const site::StateDir& state, const LabCall& call);

// The status of every data center, all queried at the same time. If an agent does not answer, the
// status comes from other sources (around_agent.hpp).
std::vector<agent::DataCenterStatus> AskStatus(const Deployed& deployed);

}  // namespace meridian::cli
