// WastefulUrls: the URLs whose headers waste most, in bounded memory (Metwally and others, 2005,
// "Efficient computation of frequent and top-k elements in data streams": Space-Saving), and the
// last content of recent URLs. A new URL replaces the entry with the least weight; its amounts are
// lower bounds then. Owned by the edge, shared by its loops; any thread. Fetches use it, hits do
// not: one mutex suffices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/optional_mutex.hpp"
#include "edge/costs/waste.hpp"
#include "edge/limits.hpp"
#include "site/view/cdn_report.hpp"

namespace meridian::edge {

class WastefulUrls {
 public:
  struct Entry {
    std::string url;
    Waste waste = Waste::kNoFreshness;  // of the latest fetch
    ContentKind content = ContentKind::kOther;
    site::CdnAmount wasted = {};
    uint64_t taken_over = 0;  // the weight of the entry that it replaced

    uint64_t weight() const { return wasted.weight() + taken_over; }
  };

  // A URL's previous content compared with the new. Neither same nor changed: unknown.
  struct Before {
    bool asked = false;
    bool same = false;
    bool changed = false;
  };

  explicit WastefulUrls(bool shared = false) : mutex_(shared), answers_(kRememberedAnswers) {}

  // Remembers the content of `url_hash` (a ContentMark; 0: unknown), and compares it with the one
  // before.
  Before Remember(uint64_t url_hash, uint64_t content);

  // URLs that are longer than kMaxWastefulUrlBytes are left out.
  void Add(std::string_view url, Waste waste, ContentKind content, uint64_t bytes);

  // The `count` most wasteful URLs, in descending order.
  std::vector<Entry> Top(size_t count) const;

 private:
  struct Answer {
    uint64_t url_hash = 0;
    uint64_t content = 0;
  };
  mutable OptionalMutex mutex_;  // guards the members below
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, Entry*> by_url_;  // views into the entries
  std::vector<Answer> answers_;                          // by hash; the latest URL of a slot stays
};

}  // namespace meridian::edge
