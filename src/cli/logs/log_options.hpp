// The options of `meridian logs`, and the search that they mean. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::cli {

struct LogOptions {
  std::string words;
  std::string data_center;
  std::string tier;
  std::string instance;
  std::string since;
  std::string until;
  std::string level;
  std::string trace_id;
  uint64_t count = 0;  // 0: not given
  bool follow = false;
  bool json = false;
  std::string state_directory = ".meridian";
};

// The newest lines first. kInvalid, kTooLarge: the message names the option.
Result<watch::LogQuery> QueryOf(const LogOptions& options, WallTime now);

// How long ago, "10m", or a time, "2026-11-30T10:00:00Z" (UTC; also without seconds or time of
// day). kInvalid.
Result<watch::LogTime> ParseLogTime(const std::string& text, WallTime now);

}  // namespace meridian::cli
