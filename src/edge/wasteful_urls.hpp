// WastefulUrls: the URLs whose headers waste most, in bounded memory (Metwally and others, 2005,
// "Efficient computation of frequent and top-k elements in data streams": Space-Saving), and a
// short memory of what URLs answered before. A URL that comes in takes the place of the one that
// wasted least; what it has then is a lower bound. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "edge/cache/content_kind.hpp"
#include "edge/waste.hpp"

namespace meridian::edge {

class WastefulUrls {
 public:
  struct Entry {
    std::string url;
    Waste waste = Waste::kNoFreshness;  // the latest
    ContentKind content = ContentKind::kOther;
    uint64_t requests = 0;
    uint64_t bytes = 0;
    uint64_t weight = 0;  // bytes, a request counting as kWasteRequestBytes; with what it took over
  };

  // What a URL's answer shows of its content: 0 when nothing tells.
  struct Before {
    bool asked = false;
    bool same = false;
  };

  WastefulUrls() : answers_(kRememberedAnswers) {}

  // Remembers what `url_hash` answered now, and tells what it answered before.
  Before Remember(uint64_t url_hash, uint64_t content);

  // URLs that are longer than kMaxWastefulUrlBytes are left out.
  void Add(std::string_view url, Waste waste, ContentKind content, uint64_t bytes);

  // Those that waste most, the most wasteful first.
  std::vector<Entry> Most(size_t count) const;

 private:
  struct Answer {
    uint64_t url_hash = 0;
    uint64_t content = 0;
  };
  static constexpr size_t kRememberedAnswers = 8192;

  std::list<Entry> entries_;
  std::unordered_map<std::string_view, Entry*> by_url_;  // views into the entries
  std::vector<Answer> answers_;                          // by hash; who comes later stays
};

}  // namespace meridian::edge
