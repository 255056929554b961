#include "watch/log/search/log_query.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/index/bloom_filter.hpp"
#include "watch/log/index/token.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/lines/printable.hpp"
#include "watch/log/segment/block.hpp"

namespace meridian::watch {
namespace {

struct OriginField {
  BloomKind kind;
  std::string LogOrigin::* field;
};
constexpr std::array<OriginField, 6> kOriginFields = {{{BloomKind::kDc, &LogOrigin::dc},
                                                       {BloomKind::kHost, &LogOrigin::host},
                                                       {BloomKind::kTier, &LogOrigin::tier},
                                                       {BloomKind::kName, &LogOrigin::name},
                                                       {BloomKind::kInstance, &LogOrigin::instance},
                                                       {BloomKind::kRelease, &LogOrigin::release}}};

}  // namespace

Result<std::vector<std::string>> ParseTerms(std::string_view words) {
  constexpr std::string_view kSpace = " \t\r\n";
  if (!IsPrintable(words))
    return Fail(Errc::kInvalid, "a search has text, and no control characters");
  std::vector<std::string> terms;
  for (size_t at = words.find_first_not_of(kSpace); at < words.size();) {
    size_t end = std::min(words.find_first_of(kSpace, at), words.size());
    if (end - at > kMaxSearchTermBytes) {
      return Fail(Errc::kTooLarge, "a word of {} bytes; at most {} are allowed", end - at,
                  kMaxSearchTermBytes);
    }
    if (terms.size() == kMaxSearchTerms) {
      return Fail(Errc::kTooLarge, "a search has at most {} words", kMaxSearchTerms);
    }
    AppendFolded(terms.emplace_back(), words.substr(at, end - at));
    at = words.find_first_not_of(kSpace, end);
  }
  return terms;
}

LogPosition PositionOf(LogTime time, uint64_t sequence, LogOrder order) {
  int64_t count = time.time_since_epoch().count();
  switch (order) {
    case LogOrder::kNewestFirst:
      return {.rank = -count, .tie = ~sequence};
    case LogOrder::kOldestFirst:
      return {.rank = count, .tie = sequence};
    case LogOrder::kArrival:
      return {.rank = 0, .tie = sequence};
  }
  return {};
}

LogPosition FirstPosition(const BlockRange& range, uint64_t sequence, LogOrder order) {
  switch (order) {
    case LogOrder::kNewestFirst:
      return PositionOf(range.max_time, ~uint64_t{0}, order);
    case LogOrder::kOldestFirst:
      return PositionOf(range.min_time, 0, order);
    case LogOrder::kArrival:
      return PositionOf({}, sequence, order);
  }
  return {};
}

BlockFilter::BlockFilter(const LogQuery& query) : query_(query) {
  for (const std::string& term : query.terms) {
    TokenReader reader(term);
    for (Token token; reader.Next(&token);) {
      hashes_.push_back(BloomHash(BloomKind::kToken, token.text));
      if (!token.joint.empty()) hashes_.push_back(BloomHash(BloomKind::kJoint, token.joint));
      if (token.is_word) words_.emplace_back(token.text);
    }
  }
  for (const OriginField& field : kOriginFields) {
    const std::string& value = query.origin.*field.field;
    if (!value.empty()) hashes_.push_back(BloomHash(field.kind, value));
  }
  if (!query.trace_id.empty()) hashes_.push_back(BloomHash(BloomKind::kTrace, query.trace_id));
}

bool BlockFilter::MayMatch(const BlockRange& range) const {
  if (range.lines == 0 || range.max_severity < query_.at_least) return false;
  return (!query_.from || range.max_time >= *query_.from) &&
         (!query_.until || range.min_time < *query_.until);
}

bool BlockFilter::MayMatch(std::string_view bloom) const {
  return std::ranges::all_of(hashes_, [&](uint64_t hash) { return MayContain(bloom, hash); });
}

bool MatchesFields(const LogQuery& query, const Block& block, const BlockRow& row,
                   const std::vector<bool>& origins) {
  if (!origins[row.origin] || !IsAtLeast(row.severity, query.at_least)) return false;
  if ((query.from && row.time < *query.from) || (query.until && row.time >= *query.until))
    return false;
  return query.trace_id.empty() || block.TraceId(row) == query.trace_id;
}

std::vector<bool> MatchingOrigins(const LogQuery& query, const Block& block) {
  std::vector<bool> matching;
  for (const LogOrigin& origin : block.origins()) {
    matching.push_back(std::ranges::all_of(kOriginFields, [&](const OriginField& field) {
      const std::string& wanted = query.origin.*field.field;
      return wanted.empty() || origin.*field.field == wanted;
    }));
  }
  return matching;
}

}  // namespace meridian::watch
