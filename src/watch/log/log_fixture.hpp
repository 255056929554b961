// Seeded entries of a log, and a plain search over them, which the tests and the benchmark of the
// store share. For tests: the reference knows nothing of tokens, indexes or files; it is what
// index/token.hpp says of terms, written once more.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/random.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/search/log_query.hpp"

namespace meridian::watch {

constexpr LogTime kLogStart = std::chrono::sys_days(std::chrono::year{2026} / 11 / 21);

// Lines of about 150 bytes, as an application and our tiers write them; a few rare words, ids, and
// addresses among them. The same seed gives the same entries.
class EntryMaker {
 public:
  explicit EntryMaker(uint64_t seed) : random_(seed) {}

  LogEntry Next() {
    // Most lines in the order of their times, some late.
    arrival_ += std::chrono::microseconds(random_.Below(2000));
    LogEntry entry;
    entry.arrival = arrival_;
    entry.time = arrival_ - std::chrono::microseconds(random_.Chance(0.1) ? random_.Below(400'000)
                                                                          : random_.Below(50));
    entry.origin = {.dc = Pick(kDcs), .host = "h1", .tier = Pick(kTiers), .release = "r7"};
    entry.origin.instance = fmt::format("{}-{}", entry.origin.dc, random_.Below(3));
    entry.severity =
        static_cast<Severity>(random_.Below(random_.Chance(0.01) ? kMaxSeverity + 1 : 4));
    if (random_.Chance(0.5)) {
      entry.text = fmt::format("{} {} {}", Word(), Word(), Word());
      entry.fields = Fields();
      if (random_.Chance(0.3))
        entry.trace_id = fmt::format("{:016x}{:016x}", random_.Next(), random_.Next());
    } else {
      entry.text = fmt::format("{} {}:{} - {} /{}/{}?user={} HTTP/1.1 {} {} {}", Word(), Address(),
                               random_.Below(65536), random_.Chance(0.8) ? "GET" : "POST", Word(),
                               Word(), random_.Below(100'000), random_.Chance(0.9) ? 200 : 503,
                               random_.Below(20'000), Word());
    }
    if (random_.Chance(0.001))
      entry.text += "\n\tat Main.run(Main.java:7)\nCaused by: Überlauf " + RareWord();
    return entry;
  }

  // A term that some entries may have, of any kind.
  std::string Term() {
    switch (random_.Below(8)) {
      case 0:
        return RareWord();
      case 1:
        return Address();
      case 2:
        return fmt::format("{}:{}", Address(), random_.Below(65536));
      case 3:
        return fmt::format("user={}", random_.Below(100'000));
      case 4:
        return fmt::format("{:x}", random_.Below(1 << 20));
      case 5:
        return "2001:db8::" + fmt::format("{:x}", random_.Below(4096));
      default:
        return Word();
    }
  }
  Random& random() { return random_; }
  LogTime arrival() const { return arrival_; }

 private:
  static constexpr std::array<const char*, 2> kDcs = {"us-east", "us-west"};
  static constexpr std::array<const char*, 4> kTiers = {"edge", "app", "queue", "session"};
  static constexpr std::array<const char*, 40> kWords = {
      "request",  "served", "from",     "cache",   "origin",  "answered",   "slowly",  "user",
      "signed",   "in",     "upload",   "stored",  "image",   "resized",    "queue",   "message",
      "consumed", "offset", "commit",   "session", "expired", "refused",    "timeout", "retry",
      "Instance", "ready",  "draining", "closed",  "opened",  "connection", "peer",    "mirror",
      "applied",  "record", "größe",    "Error",   "warning", "disk",       "full",    "photo"};

  template <size_t kCount>
  const char* Pick(const std::array<const char*, kCount>& from) {
    return from[random_.Below(kCount)];
  }
  // Of a few thousand: the first ones often.
  std::string Word() {
    if (random_.Chance(0.9)) return Pick(kWords);
    return random_.Chance(0.01) ? RareWord() : fmt::format("{}{}", Pick(kWords), Pick(kWords));
  }
  std::string RareWord() {
    std::string word = "rare";
    for (uint64_t n = random_.Below(5000); n > 0; n /= 26) word += static_cast<char>('a' + n % 26);
    return word;
  }
  std::string Address() {
    return fmt::format("10.{}.{}.{}", random_.Below(4), random_.Below(256), random_.Below(256));
  }
  std::string Fields() {
    return fmt::format(
        R"({{"request":"{:x}-{:04x}","peer":"2001:db8::{:x}","count":{},"name":"{}.{}"}})",
        random_.Below(1 << 20), random_.Below(65536), random_.Below(4096), random_.Below(1000),
        Pick(kWords), Pick(kWords));
  }

  Random random_;
  LogTime arrival_ = kLogStart;
};

// --- The reference

inline std::string ReferenceText(const LogEntry& entry) {
  std::string text = entry.text;
  if (!entry.fields.empty()) text += "\n" + entry.fields;
  if (!entry.trace_id.empty() && !text.contains(entry.trace_id)) text += "\n" + entry.trace_id;
  return text;
}

inline bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         (c & 0x80) != 0;
}

inline char FoldedCharacter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

inline std::string ReferenceFolded(std::string text) {
  for (char& c : text) c = FoldedCharacter(c);
  return text;
}

// Both are folded.
inline bool ReferenceHas(const std::string& text, const std::string& term) {
  for (size_t at = text.find(term); at != std::string::npos; at = text.find(term, at + 1)) {
    size_t end = at + term.size();
    bool front_is_whole =
        !IsWordCharacter(term.front()) || at == 0 || !IsWordCharacter(text[at - 1]);
    bool back_is_whole =
        !IsWordCharacter(term.back()) || end == text.size() || !IsWordCharacter(text[end]);
    if (front_is_whole && back_is_whole) return true;
  }
  return false;
}

inline bool ReferenceMatches(const LogEntry& entry, const LogQuery& query) {
  Severity severity = entry.severity == Severity::kUnknown ? Severity::kInfo : entry.severity;
  if (severity < query.at_least) return false;
  if ((query.from && entry.time < *query.from) || (query.until && entry.time >= *query.until))
    return false;
  if (!query.origin.dc.empty() && query.origin.dc != entry.origin.dc) return false;
  if (!query.origin.tier.empty() && query.origin.tier != entry.origin.tier) return false;
  if (!query.origin.instance.empty() && query.origin.instance != entry.origin.instance)
    return false;
  if (!query.trace_id.empty() && query.trace_id != entry.trace_id) return false;
  std::string text = ReferenceFolded(ReferenceText(entry));
  return std::ranges::all_of(query.terms, [&](const std::string& term) {
    return ReferenceHas(text, ReferenceFolded(term));
  });
}

// All entries that are found, in the query's order; without its limit.
inline std::vector<LogEntry> ReferenceSearch(const std::vector<LogEntry>& entries,
                                             const LogQuery& query) {
  std::vector<LogEntry> found;
  for (const LogEntry& entry : entries) {
    if (ReferenceMatches(entry, query)) found.push_back(entry);
  }
  std::ranges::sort(found, [&](const LogEntry& a, const LogEntry& b) {
    if (query.order == LogOrder::kArrival) return a.sequence < b.sequence;
    bool earlier = a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
    return query.order == LogOrder::kOldestFirst ? earlier : !earlier && a.sequence != b.sequence;
  });
  return found;
}

}  // namespace meridian::watch
