#include "watch/log/index/bloom_filter.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "watch/log/limits.hpp"

namespace meridian::watch {
namespace {

constexpr size_t kBitsPerHash = 10;
constexpr int kProbes = 7;
constexpr size_t kFirstTableSize = 4096;

// Calls `use` with the number of each bit of `hash` until it returns false.
template <class Use>
bool ForEachBit(size_t bytes, uint64_t hash, Use use) {
  uint64_t bits = uint64_t{bytes} * 8;
  auto first = static_cast<uint32_t>(hash);
  auto step = static_cast<uint32_t>(hash >> 32) | 1;
  for (int i = 0; i < kProbes; ++i, first += step) {
    if (!use(static_cast<size_t>((first * bits) >> 32))) return false;
  }
  return true;
}

}  // namespace

uint64_t BloomHash(BloomKind kind, std::string_view text) {
  return Hash64(text, static_cast<uint64_t>(kind));
}

void BloomBuilder::Add(uint64_t hash) {
  if (count_ * 2 >= table_.size()) {
    std::vector<uint64_t> old = std::exchange(table_, {});
    table_.resize(std::max(old.size() * 2, kFirstTableSize));
    count_ = 0;
    for (uint64_t entry : old) {
      if (entry != 0) Insert(entry);
    }
  }
  Insert(std::max(hash, uint64_t{1}));
}

void BloomBuilder::Insert(uint64_t hash) {
  size_t mask = table_.size() - 1;
  size_t at = hash & mask;
  while (table_[at] != 0 && table_[at] != hash) at = (at + 1) & mask;
  if (table_[at] == 0) ++count_;
  table_[at] = hash;
}

std::string BloomBuilder::Take() {
  std::string filter(std::min((count_ * kBitsPerHash + 7) / 8, kMaxBloomBytes), '\0');
  for (uint64_t& hash : table_) {
    if (hash == 0) continue;
    ForEachBit(filter.size(), hash, [&](size_t bit) {
      filter[bit / 8] = static_cast<char>(static_cast<uint8_t>(filter[bit / 8]) | 1U << (bit % 8));
      return true;
    });
    hash = 0;
  }
  count_ = 0;
  return filter;
}

bool MayContain(std::string_view filter, uint64_t hash) {
  if (filter.empty()) return false;
  return ForEachBit(filter.size(), std::max(hash, uint64_t{1}), [&](size_t bit) {
    return (static_cast<uint8_t>(filter[bit / 8]) >> (bit % 8) & 1) != 0;
  });
}

}  // namespace meridian::watch
