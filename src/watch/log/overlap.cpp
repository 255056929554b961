#include "watch/log/overlap.hpp"

#include <cstdint>
#include <string_view>

#include "base/hash.hpp"
#include "watch/log/entry.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

uint64_t HashOf(const LogEntry& entry, bool with_time) {
  uint64_t hash = with_time ? static_cast<uint64_t>(entry.time.time_since_epoch().count()) : 0;
  for (std::string_view text :
       {std::string_view(entry.origin.tier), std::string_view(entry.origin.instance),
        std::string_view(entry.text), std::string_view(entry.fields)}) {
    hash = Hash64(text, hash);
  }
  return hash;
}

}  // namespace

uint64_t EntryHash(const LogEntry& entry) { return HashOf(entry, true); }

uint64_t LineHash(const LogEntry& entry) { return HashOf(entry, entry.time != entry.arrival); }

bool Overlap::Add(uint64_t hash) {
  if (size_ >= kMaxOverlapEntries) return false;
  ++counts_[hash];
  ++size_;
  return true;
}

bool Overlap::Take(uint64_t hash) {
  if (size_ == 0) return false;
  auto found = counts_.find(hash);
  if (found == counts_.end()) return false;
  if (--found->second == 0) counts_.erase(found);
  --size_;
  return true;
}

void Overlap::Clear() {
  counts_.clear();
  size_ = 0;
}

}  // namespace meridian::watch
