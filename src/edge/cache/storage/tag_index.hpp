// TagIndex: which entries of the store have a tag, in lists that the entries' own links make up.
// Private to the store, which charges for it. One thread. Invariant: a tag is there as long as an
// entry has it, and no longer, so that the index is bounded by what is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/sieve.hpp"

namespace meridian::edge {

class TagIndex {
 public:
  struct Tag;
  // One tag of one entry.
  struct Link {
    Tag* tag = nullptr;
    SieveNode* entry = nullptr;
    Link* previous = nullptr;
    Link* next = nullptr;
  };
  // The links of one entry: they do not move.
  struct Links {
    std::unique_ptr<Link[]> links;
    size_t count = 0;
  };

  TagIndex(size_t buckets, uint64_t seed) : buckets_(buckets), seed_(seed) {}
  ~TagIndex();
  TagIndex(const TagIndex&) = delete;
  TagIndex& operator=(const TagIndex&) = delete;

  // What Add takes at most, when none of the tags is there yet.
  static size_t MostBytes(std::span<const std::string_view> tags);
  // Adds an entry; returns the bytes that it takes.
  size_t Add(std::span<const std::string_view> tags, SieveNode* entry, Links* links);
  // Removes it; returns the bytes that this frees.
  size_t Remove(Links* links);

  // The entries that have it; nothing when they are more than `max`.
  std::optional<std::vector<SieveNode*>> Entries(std::string_view tag, size_t max) const;

  size_t tags() const { return count_; }
  size_t bucket_bytes() const { return buckets_.capacity() * sizeof(Tag*); }
  size_t AuditBytes() const;

 private:
  Tag** SlotOf(std::string_view text);
  const Tag* Find(std::string_view text) const;

  std::vector<Tag*> buckets_;
  uint64_t seed_;
  size_t count_ = 0;
};

}  // namespace meridian::edge
