// The limits of `meridian alerts`.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace meridian::cli {

// Of one data center's answer. Its alerts past the limit are counted and not shown.
constexpr size_t kMaxAlertAnswerBytes = size_t{8} * 1024 * 1024;
constexpr size_t kMaxAlertsOfDataCenter = 1000;
constexpr size_t kMaxAlertLabels = 64;
// Names and values of labels, and annotations; longer texts are cut.
constexpr size_t kMaxAlertTextBytes = 1024;
// That hold or will, of one data center; with more, none is shown.
constexpr size_t kMaxSilences = 1000;
constexpr Duration kMaxSilence = std::chrono::days{30};
constexpr size_t kMaxSilenceCommentBytes = 500;
// For Prometheus or Alertmanager, which the agent asks.
constexpr Duration kAlertWait = std::chrono::seconds{5};

}  // namespace meridian::cli
