#include "cli/logs/log_options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/logs/limits.hpp"
#include "cli/queue/offset_target.hpp"
#include "site/load/duration_text.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::cli {
namespace {

std::unexpected<Error> Wrong(std::string_view option, Error error) {
  error.message = std::string(option) + ": " + error.message;
  return Fail(std::move(error));
}

}  // namespace

Result<watch::LogTime> ParseLogTime(const std::string& text, WallTime now) {
  if (Result<Duration> ago = site::ParseDuration(text)) return watch::ToLogTime(now - *ago);
  if (Result<int64_t> ms = ParseTime(text)) return watch::LogTime{std::chrono::milliseconds{*ms}};
  return Fail(Errc::kInvalid,
              "\"{}\" is neither how long ago, such as 10m, nor a time, such as "
              "2026-11-30T10:00:00Z",
              text);
}

Result<watch::LogQuery> QueryOf(const LogOptions& options, WallTime now) {
  watch::LogQuery query;
  auto terms = watch::ParseTerms(options.words);
  if (!terms) return Wrong("words", std::move(terms.error()));
  query.terms = std::move(*terms);
  for (const auto& [name, value] :
       {std::pair("--tier", &options.tier), std::pair("--instance", &options.instance)}) {
    if (value->size() > watch::kMaxOriginFieldBytes) {
      return Wrong(name, {Errc::kTooLarge, "it is too long"});
    }
  }
  query.origin.tier = options.tier;
  query.origin.instance = options.instance;
  if (options.trace_id.size() > watch::kMaxTraceIdBytes) {
    return Wrong("--trace", {Errc::kTooLarge, "it is too long"});
  }
  query.trace_id = options.trace_id;
  if (!options.since.empty()) {
    auto time = ParseLogTime(options.since, now);
    if (!time) return Wrong("--since", std::move(time.error()));
    query.from = *time;
  }
  if (!options.until.empty()) {
    auto time = ParseLogTime(options.until, now);
    if (!time) return Wrong("--until", std::move(time.error()));
    query.until = *time;
  }
  if (query.from && query.until && *query.from >= *query.until) {
    return Wrong("--until", {Errc::kInvalid, "it is not after --since"});
  }
  if (!options.level.empty()) query.at_least = watch::ParseSeverity(options.level);
  query.limit = kLogPageLines;
  return query;
}

}  // namespace meridian::cli
