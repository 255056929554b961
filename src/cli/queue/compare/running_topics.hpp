// Compares the topics of a site.toml with those of the queue that runs, for `meridian check`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/queue/queue_call.hpp"
#include "site/site.hpp"

namespace meridian::cli {

// The queue of `site` that runs on this machine, by the state directory. Nothing: none runs, or
// what runs is another site.
std::optional<QueueBrokers> FindRunningQueue(const site::Site& site,
                                             const std::string& state_directory);

// See TopicDifferences. `brokers`: those of the site, or others that have its topics. Errors: none
// of them answers, with each address and the reason.
Result<std::vector<std::string>> CompareTopics(const site::Site& site, const QueueBrokers& brokers);

}  // namespace meridian::cli
