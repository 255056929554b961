// What the Alertmanager of one data center says of silences, and what it is told of them: its API
// v2 (Alertmanager 0.25, api/v2/openapi.yaml). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/alerts/alert_answer.hpp"

namespace meridian::cli {

// All texts can be shown in a terminal, on one line.
struct Silence {
  std::string id;
  std::string alert;     // the name of the alerts that are meant; empty: `matchers` says which
  std::string matchers;  // as people write them: alertname="DiskAlmostFull", dc=~"us-.*"
  std::string comment;
  std::string created_by;
  int64_t starts_ms = 0;  // in Unix time; later than now: it is pending
  int64_t ends_ms = 0;
};

// GET /api/v2/silences: those that hold or will. kInvalid, kTooLarge: it is not such an answer.
Result<std::vector<Silence>> ReadSilences(std::string_view json);

// GET /api/v2/alerts: marks the alerts of `answer` that are silenced there. Those whose names or
// labels are in none of the two are left alone. kInvalid, kTooLarge: it is not such an answer.
Result<void> MarkSilenced(std::string_view json, AlertAnswer* answer);

struct SilenceOrder {
  std::string alert;
  std::string comment;
  int64_t starts_ms = 0;
  int64_t ends_ms = 0;
};

// The body of POST /api/v2/silences.
std::string ToJson(const SilenceOrder& order);

}  // namespace meridian::cli
