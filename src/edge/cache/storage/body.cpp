#include "edge/cache/storage/body.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "edge/cache/limits.hpp"
#include "edge/cache/storage/byte_budget.hpp"

namespace meridian::edge {
namespace {

// Minimum size of the second and later chunks, for a body that arrives in small pieces.
constexpr size_t kMinChunkBytes = 1024;

}  // namespace

Bytes Body::At(uint64_t offset) const {
  if (offset >= size_) return {};
  auto after = std::ranges::upper_bound(chunks_, offset, {}, &Chunk::begin);
  CHECK(after != chunks_.begin());
  const Chunk& chunk = *(after - 1);
  auto skip = static_cast<size_t>(offset - chunk.begin);
  return {chunk.data.get() + skip, chunk.size - skip};
}

bool Body::AddChunk(size_t capacity) {
  size_t cost = capacity + kAllocationBytes + 2 * sizeof(Chunk);
  if (chunks_.empty() && charge_.bytes() == 0) cost += sizeof(Body) + 2 * kAllocationBytes;
  if (counted_ && !charge_.Add(cost)) return false;
  chunks_.push_back({.data = std::make_unique_for_overwrite<uint8_t[]>(capacity),
                     .size = 0,
                     .capacity = capacity,
                     .begin = size_});
  return true;
}

size_t Body::Append(Bytes data, uint64_t expected) {
  CHECK(!complete());
  const size_t wanted = data.size();
  while (!data.empty()) {
    if (chunks_.empty() || chunks_.back().size == chunks_.back().capacity) {
      // Chunks grow with the body: a small body wastes little, a large body has few chunks.
      auto grown = static_cast<size_t>(std::min<uint64_t>(size_, kChunkBytes));
      size_t capacity =
          chunks_.empty() ? data.size() : std::max({data.size(), grown, kMinChunkBytes});
      if (expected != 0) capacity = static_cast<size_t>(std::min<uint64_t>(expected, kChunkBytes));
      if (!AddChunk(std::min(capacity, kChunkBytes))) break;
    }
    Chunk& chunk = chunks_.back();
    size_t count = std::min(data.size(), chunk.capacity - chunk.size);
    std::memcpy(chunk.data.get() + chunk.size, data.data(), count);
    chunk.size += count;
    size_ += count;
    expected -= std::min<uint64_t>(expected, count);
    data = data.subspan(count);
  }
  return wanted - data.size();
}

void Body::StopCounting() {
  counted_ = false;
  charge_.Reset();
}

void Body::set_version(std::string_view version) {
  CHECK(complete() && version.size() <= version_.size());
  VersionState unset = VersionState::kUnset;
  if (!version_state_.compare_exchange_strong(unset, VersionState::kBeingSet)) return;
  std::ranges::copy(version, version_.begin());
  version_size_ = version.size();
  version_state_.store(VersionState::kSet, std::memory_order_release);
}

void Body::ReleaseBefore(uint64_t offset) {
  CHECK(!counted_);
  auto keeps = [&](const Chunk& chunk) { return chunk.begin + chunk.size > offset; };
  chunks_.erase(chunks_.begin(), std::ranges::find_if(chunks_, keeps));
}

size_t Body::MemoryBytes() const {
  if (chunks_.empty()) return 0;
  size_t bytes = sizeof(Body) + kAllocationBytes + chunks_.capacity() * sizeof(Chunk);
  for (const Chunk& chunk : chunks_) bytes += chunk.capacity;
  return bytes;
}

}  // namespace meridian::edge
