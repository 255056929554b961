// Requests of commands to agents (admin HTTPS with the state directory's token) and to the lab (its
// Unix socket). Each function runs a loop of its own and blocks until the answer. An answer of any
// HTTP status is a success: the caller looks at the status.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/report/status.hpp"
#include "base/clock.hpp"
#include "cli/command_line.hpp"
#include "http/client/fetch.hpp"
#include "io/loop.hpp"
#include "io/net/socket.hpp"
#include "io/task.hpp"
#include "site/site.hpp"

namespace meridian::cli {

struct AgentCall {
  std::string_view method = "POST";
  std::string_view path;  // with its query
  std::string_view body = {};
  std::string_view content_type = {};  // empty: no such field
  Duration timeout = {};               // for the agent's work, in addition to 2 s for any request
  size_t max_answer_bytes = size_t{1024} * 1024;
};

// Sends a request to the agent of `dc`. kRefused: it does not run; kTimeout: it does not answer;
// kPermission: it has a certificate of another site. Other errors: the token or the certificate of
// the state directory cannot be read, or the connection fails.
Result<http::Fetched> CallAgent(const Deployed& deployed, const site::DataCenter& dc,
                                const AgentCall& call);

// The same on the caller's loop. `call`, with what it views, stays valid until the answer.
io::Task<Result<http::Fetched>> CallAgentOn(io::Loop& loop, io::SystemNetwork& network,
                                            const Deployed& deployed, const site::DataCenter& dc,
                                            const AgentCall& call);

// Sends the same request to the agents of all data centers and edge places at the same time; the
// answers are in the order of site.datacenters.
std::vector<Result<http::Fetched>> CallAgents(const Deployed& deployed, const AgentCall& call);

struct LabCall {
  std::string_view method = "POST";
  std::string_view path;  // with its query
  Duration timeout;       // for the lab's work; a lab that does not answer is detected within 5 s
};

// Sends a request to the lab. kNotFound or kRefused: no lab runs here. kTimeout: it does not
// answer; the message says what to do.
Result<http::Fetched> CallLab(const site::StateDir& state, const LabCall& call);

// The status of every data center and edge place, in the order of site.datacenters, all queried at
// the same time. If an agent does not answer, its tiers are asked (around_agent.hpp).
std::vector<agent::DataCenterStatus> AskStatus(const Deployed& deployed);

}  // namespace meridian::cli
