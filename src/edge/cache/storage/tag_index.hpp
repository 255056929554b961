// TagIndex: the entries of the store by tag, in intrusive lists. Private to the store, which
// charges its memory. One thread. Invariant: a tag is in the index only while an entry has it, so
// that the index is bounded by the stored responses.
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
  // The links of one entry; they do not move.
  struct Links {
    std::unique_ptr<Link[]> links;
    size_t count = 0;
  };

  TagIndex(size_t buckets, uint64_t seed) : buckets_(buckets), seed_(seed) {}
  ~TagIndex();
  TagIndex(const TagIndex&) = delete;
  TagIndex& operator=(const TagIndex&) = delete;

  // Upper bound for the bytes that Add takes: for tags that are all new.
  static size_t MaxBytes(std::span<const std::string_view> tags);
  // Adds an entry; returns the bytes that were taken.
  size_t Add(std::span<const std::string_view> tags, SieveNode* entry, Links* links);
  // Removes an entry; returns the bytes that were freed.
  size_t Remove(Links* links);

  // The entries that have the tag; nothing when there are more than `max`.
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
