// LogQuery: what a search of the log asks for. What its terms mean is in index/token.hpp. Pure; any
// thread.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"
#include "watch/log/segment/block.hpp"

namespace meridian::watch {

// By time, and where times are equal by sequence; or by sequence alone, as a follower reads.
enum class LogOrder : uint8_t { kNewestFirst, kOldestFirst, kArrival };

// A place in an order: behind an entry, and before the next one. Of no use in another order.
struct LogPosition {
  int64_t rank = std::numeric_limits<int64_t>::min();
  uint64_t tie = 0;

  auto operator<=>(const LogPosition&) const = default;
};

struct LogQuery {
  std::vector<std::string> terms;  // of ParseTerms
  std::optional<LogTime> from;     // inclusive
  std::optional<LogTime> until;    // exclusive
  // Fields that are not empty must be equal.
  LogOrigin origin;
  std::string trace_id;
  Severity at_least = Severity::kTrace;
  LogOrder order = LogOrder::kNewestFirst;
  // Entries of a page: at most kMaxPageEntries, and at least 1.
  size_t limit = 100;
  // Only what comes behind it in the order.
  std::optional<LogPosition> after;
};

// The terms of `words`, folded. kInvalid: not UTF-8. kTooLarge: more or longer terms than the
// limits.
Result<std::vector<std::string>> ParseTerms(std::string_view words);

// The position of an entry, which is smaller the earlier it comes.
LogPosition PositionOf(LogTime time, uint64_t sequence, LogOrder order);
// At or before the positions of all entries of a block, whose first has `sequence`.
LogPosition FirstPosition(const BlockRange& range, uint64_t sequence, LogOrder order);

// The query as a block is asked about it.
class BlockFilter {
 public:
  explicit BlockFilter(const LogQuery& query);

  // The words of the query, for the word index.
  const std::vector<std::string>& words() const { return words_; }
  // False: no entry of the block is found.
  bool MayMatch(const BlockRange& range) const;
  bool MayMatch(std::string_view bloom) const;

 private:
  const LogQuery& query_;
  std::vector<std::string> words_;
  std::vector<uint64_t> hashes_;
};

// Whether a row is found, apart from the terms. `origins`: for each origin of the block, whether
// the query lets it pass (MatchingOrigins).
bool MatchesFields(const LogQuery& query, const Block& block, const BlockRow& row,
                   const std::vector<bool>& origins);
std::vector<bool> MatchingOrigins(const LogQuery& query, const Block& block);

}  // namespace meridian::watch
