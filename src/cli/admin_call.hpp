// Calls from commands to what runs: agents by admin HTTP with the state directory's token, the lab
// by its socket.
#pragma once

#include <string>
#include <vector>

#include "agent/status.hpp"
#include "cli/command_line.hpp"
#include "http/fetch.hpp"

namespace meridian::cli {

// One request to the agent of `dc`. kRefused, kTimeout: it does not run, or does not answer.
Result<http::Fetched> CallAgent(const Deployed& deployed, const site::DataCenter& dc,
                                std::string_view method, std::string_view path);

// One POST to the lab; it may take as long as a data center takes to start. kNotFound or kRefused:
// no lab runs here.
Result<http::Fetched> CallLab(const site::StateDir& state, std::string_view path);

// Of every data center, all asked at once; those that do not answer are down.
std::vector<agent::DataCenterStatus> AskStatus(const Deployed& deployed);

}  // namespace meridian::cli
