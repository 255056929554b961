// Purges: orders to forget cached objects, and what agents and edges say to each other about them.
//
// Each data center's agent keeps a journal of numbered orders; every edge of the site asks every
// journal for what is newer than it has, applies it, and says so with its next question.
//
// Values; any thread. The codecs are strict: Errors are kInvalid (what is wrong, and where) and
// kTooLarge.
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
  kPrefix,  // the same, of all URLs that begin so
  kTag,     // a key of Surrogate-Key or Cache-Tag
};

// "url", "prefix", "tag".
std::string_view KindName(PurgeKind kind);

struct PurgeOrder {
  PurgeKind kind = PurgeKind::kUrl;
  std::string value;
  bool soft = false;  // stale from now on, instead of gone

  bool operator==(const PurgeOrder&) const = default;
};

// Whether an order can be followed: of a fair length, without spaces and control characters, and
// where it is a URL, one of http or https or a path.
Result<void> CheckPurge(const PurgeOrder& order);

std::string ToJson(const PurgeOrder& order);
Result<PurgeOrder> ReadPurgeOrder(std::string_view json);

// An order in a journal. Numbers grow by one, from 1.
struct PurgeEntry {
  uint64_t number = 0;
  PurgeOrder order;

  bool operator==(const PurgeEntry&) const = default;
};

std::string ToJson(const PurgeEntry& entry);
Result<PurgeEntry> ReadPurgeEntry(std::string_view json);

// What an edge asks a journal.
struct PurgePoll {
  struct Applied {
    uint64_t number = 0;
    uint64_t objects = 0;  // that went, or became stale

    bool operator==(const Applied&) const = default;
  };

  std::string edge;                // its data center
  uint64_t journal = 0;            // whose numbers are meant; 0: it has heard of none
  uint64_t after = 0;              // the last that it has applied
  std::vector<Applied> applied{};  // since its last question

  bool operator==(const PurgePoll&) const = default;
};

std::string ToJson(const PurgePoll& question);
Result<PurgePoll> ReadPurgePoll(std::string_view json);

// What the journal answers.
struct PurgePollAnswer {
  uint64_t journal = 0;  // its identity: another one means that numbers began anew
  uint64_t oldest = 1;   // the first that it still has; past `newest` when it has none
  uint64_t newest = 0;
  std::vector<PurgeEntry> entries{};  // those after the edge's, oldest first; perhaps not all

  bool operator==(const PurgePollAnswer&) const = default;
};

std::string ToJson(const PurgePollAnswer& news);
Result<PurgePollAnswer> ReadPurgePollAnswer(std::string_view json);

// What became of an order, for who gave it.
struct PurgeReport {
  struct Edge {
    std::string name;                   // its data center
    std::optional<uint64_t> objects{};  // none: it has not answered
    uint64_t milliseconds = 0;          // from the order to its answer

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
