#include "edge/costs/wasteful_urls.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/cache/storage/content_kind.hpp"
#include "edge/cache/storage/optional_mutex.hpp"
#include "edge/costs/waste.hpp"
#include "edge/limits.hpp"

namespace meridian::edge {

WastefulUrls::Before WastefulUrls::Remember(uint64_t url_hash, uint64_t content) {
  const OptionalLock lock(mutex_);
  Answer& slot = answers_[url_hash % answers_.size()];
  Before before{.asked = slot.url_hash == url_hash};
  const bool both_told = before.asked && content != 0 && slot.content != 0;
  before.same = both_told && slot.content == content;
  before.changed = both_told && slot.content != content;
  slot = {.url_hash = url_hash, .content = content};
  return before;
}

void WastefulUrls::Add(std::string_view url, Waste waste, ContentKind content, uint64_t bytes) {
  if (url.size() > kMaxWastefulUrlBytes) return;
  const OptionalLock lock(mutex_);
  auto found = by_url_.find(url);
  Entry* entry = found == by_url_.end() ? nullptr : found->second;
  if (entry == nullptr) {
    uint64_t taken_over = 0;
    if (entries_.size() >= kMaxWastefulUrls) {
      auto lightest = std::ranges::min_element(entries_, {}, &Entry::weight);
      taken_over = lightest->weight();
      by_url_.erase(lightest->url);
      entries_.erase(lightest);
    }
    entry = &entries_.emplace_back(Entry{.url = std::string(url), .taken_over = taken_over});
    by_url_[entry->url] = entry;
  }
  entry->waste = waste;
  entry->content = content;
  entry->wasted += {.requests = 1, .bytes = bytes};
}

std::vector<WastefulUrls::Entry> WastefulUrls::Top(size_t count) const {
  std::vector<Entry> heaviest;
  {
    const OptionalLock lock(mutex_);
    heaviest.assign(entries_.begin(), entries_.end());
  }
  std::ranges::sort(heaviest, std::ranges::greater(),
                    [](const Entry& entry) { return entry.wasted.weight(); });
  if (heaviest.size() > count) heaviest.resize(count);
  return heaviest;
}

}  // namespace meridian::edge
