// WastefulUrls: the URLs whose headers waste most, in bounded memory (Metwally and others, 2005,
// "Efficient computation of frequent and top-k elements in data streams": Space-Saving), and a
// short memory of what URLs answered before. A URL that comes in takes the place of the one that
// wasted least; what is said of it is a lower bound then. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/cache/storage/content_kind.hpp"
#include "edge/costs/waste.hpp"
#include "edge/limits.hpp"
#include "site/view/cdn_report.hpp"

namespace meridian::edge {

class WastefulUrls {
 public:
  struct Entry {
    std::string url;
    Waste waste = Waste::kNoFreshness;  // the latest
    ContentKind content = ContentKind::kOther;
    site::CdnAmount wasted = {};
    uint64_t taken_over = 0;  // the weight of the one whose place it took

    uint64_t weight() const { return wasted.weight() + taken_over; }
  };

  // What is remembered of a URL. Neither same nor changed: nothing tells.
  struct Before {
    bool asked = false;
    bool same = false;
    bool changed = false;
  };

  WastefulUrls() : answers_(kRememberedAnswers) {}

  // Remembers what `url_hash` answers now (`content` as ContentMark has it; 0 when nothing tells),
  // and says what it answered before.
  Before Remember(uint64_t url_hash, uint64_t content);

  // URLs that are longer than kMaxWastefulUrlBytes are left out.
  void Add(std::string_view url, Waste waste, ContentKind content, uint64_t bytes);

  // Those that waste most, the most wasteful first.
  std::vector<Entry> Top(size_t count) const;

 private:
  struct Answer {
    uint64_t url_hash = 0;
    uint64_t content = 0;
  };
  std::list<Entry> entries_;
  std::unordered_map<std::string_view, Entry*> by_url_;  // views into the entries
  std::vector<Answer> answers_;                          // by hash; who comes later stays
};

}  // namespace meridian::edge
