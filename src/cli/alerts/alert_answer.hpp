// What the Prometheus of one data center says of its alerts: GET /api/v1/alerts (Prometheus 2.42,
// "HTTP API, Alerts"). Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meridian::cli {

// All texts can be shown in a terminal, on one line.
struct Alert {
  std::string name;
  bool firing = false;    // else pending: its condition holds, but not yet for long enough
  bool silenced = false;  // by the Alertmanager, so that nobody is notified of it (silence_answer)
  int64_t since_ms = 0;   // since when the condition holds, in Unix time
  std::map<std::string, std::string> labels;  // without alertname
  std::map<std::string, std::string> annotations;

  // "" where it has no such label or annotation.
  std::string LabelOf(const std::string& label) const;
  std::string AnnotationOf(const std::string& annotation) const;
};

struct AlertAnswer {
  std::vector<Alert> alerts;
  size_t left_out = 0;  // past kMaxAlertsOfDataCenter
};

// kInvalid, kTooLarge: it is not such an answer; the message says what is wrong with it.
Result<AlertAnswer> ReadAlertAnswer(std::string_view json);

// "2026-11-30T10:00:00.123456789Z", or with "+01:00" for Z, in Unix time to the second, in ms.
std::optional<int64_t> ReadAlertTime(std::string_view text);

// `text` on one line that can be shown in a terminal; cut after kMaxAlertTextBytes.
std::string OneLine(std::string_view text);

}  // namespace meridian::cli
