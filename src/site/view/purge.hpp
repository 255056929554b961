// Purges: orders to remove cached objects, and the messages between agents and edges about them.
//
// Each data center's agent keeps a journal of numbered orders. Every edge of the site polls every
// journal for new orders, applies them, and reports them as applied in its next poll.
//
// Values; any thread. The codecs are strict: errors are kInvalid (with the field and its problem)
// and kTooLarge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace meridian::site {

enum class PurgeKind : uint8_t {
  kUrl,     // http://host/path?query, or /path?query of the site's domain: every variant of it
  kPrefix,  // the same, of all URLs with this prefix
  kTag,     // a key of Surrogate-Key or Cache-Tag
};

// "url", "prefix", "tag".
std::string_view KindName(PurgeKind kind);

struct PurgeOrder {
  PurgeKind kind = PurgeKind::kUrl;
  std::string value;
  bool soft = false;  // makes objects stale instead of removing them

  bool operator==(const PurgeOrder&) const = default;
};

// Checks an order: its value is within the length limit, has no spaces or control characters, and
// for URLs and prefixes begins with http://, https:// or a path.
Result<void> CheckPurge(const PurgeOrder& order);

std::string ToJson(const PurgeOrder& order);
Result<PurgeOrder> ReadPurgeOrder(std::string_view json);

// An order in a journal. Numbers start at 1 and grow by one.
struct PurgeEntry {
  uint64_t number = 0;
  PurgeOrder order;

  bool operator==(const PurgeEntry&) const = default;
};

std::string ToJson(const PurgeEntry& entry);
Result<PurgeEntry> ReadPurgeEntry(std::string_view json);

// An edge's request to a journal for new orders.
struct PurgePoll {
  struct Applied {
    uint64_t number = 0;
    uint64_t objects = 0;  // removed, or made stale

    bool operator==(const Applied&) const = default;
  };

  std::string edge;      // its data center
  uint64_t journal = 0;  // identity of the journal that the numbers belong to; 0: unknown yet
  uint64_t after = 0;    // the number of the last order that it has applied
  std::vector<Applied> applied{};  // since its last poll

  bool operator==(const PurgePoll&) const = default;
};

std::string ToJson(const PurgePoll& poll);
Result<PurgePoll> ReadPurgePoll(std::string_view json);

// The journal's answer to a poll.
struct PurgePollAnswer {
  uint64_t journal = 0;  // its identity: a new identity means that numbers start again at 1
  uint64_t oldest = 1;   // the first order that it still has; newest + 1 when it has none
  uint64_t newest = 0;
  std::vector<PurgeEntry> entries{};  // orders after the edge's last, oldest first; perhaps not all

  bool operator==(const PurgePollAnswer&) const = default;
};

std::string ToJson(const PurgePollAnswer& answer);
Result<PurgePollAnswer> ReadPurgePollAnswer(std::string_view json);

// The result of an order, for its sender.
struct PurgeReport {
  struct Edge {
    std::string name;                   // its data center
    std::optional<uint64_t> objects{};  // none: it has not confirmed the order
    uint64_t milliseconds = 0;          // from the order to its confirmation

    bool operator==(const Edge&) const = default;
  };

  uint64_t number = 0;
  std::vector<Edge> edges{};

  bool complete() const;
  bool operator==(const PurgeReport&) const = default;
};

std::string ToJson(const PurgeReport& report);
Result<PurgeReport> ReadPurgeReport(std::string_view json);

}  // namespace meridian::site
