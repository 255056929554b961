// The topics that site.toml asks for: those of [queue.topic.NAME], the topics that workers consume,
// and for workers with retries their retry topics and topics of dead letters. Pure.
//
// A message that the worker NAME of the topic T could not handle goes to T.NAME.retry.1, which
// shows it after a delay (meridian.delay.ms); when that fails to T.NAME.retry.2, which has a longer
// delay; after the last to T.NAME.dead-letter.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "queue/config.hpp"
#include "queue/state/topic_config.hpp"
#include "site/site.hpp"

namespace meridian::queue {

// The delay of the retry topic with this number, from 1 on: kFirstRetryDelay, and each further one
// kRetryDelayFactor times as long, at most kMaxRetryDelay.
Duration RetryDelay(uint32_t number);

// In the order in which a message passes through them; none without retries.
std::vector<std::string> RetryTopics(const site::Worker& worker);
// Empty without retries.
std::string DeadLetterTopic(const site::Worker& worker);

// By name, each once. What [queue.topic.NAME] says of a retry topic or a topic of dead letters goes
// before what the worker needs.
std::vector<DeclaredTopic> TopicsOfSite(const Config& config,
                                        const std::vector<site::Worker>& workers);

// By the name of the worker: MERIDIAN_RETRY_TOPICS, separated by commas, and
// MERIDIAN_DEAD_LETTER_TOPIC, for those with retries.
std::map<std::string, std::vector<std::pair<std::string, std::string>>> WorkerVariables(
    const std::vector<site::Worker>& workers);

}  // namespace meridian::queue
