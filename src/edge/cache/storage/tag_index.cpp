#include "edge/cache/storage/tag_index.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "base/hash.hpp"
#include "edge/cache/storage/byte_budget.hpp"
#include "edge/cache/storage/sieve.hpp"

namespace meridian::edge {

struct TagIndex::Tag {
  std::string text;
  Tag* next_in_bucket = nullptr;
  Link* first = nullptr;

  size_t Bytes() const { return BytesOf(text.size()); }
  static size_t BytesOf(size_t text) { return sizeof(Tag) + text + 1 + 2 * kAllocationBytes; }
};

TagIndex::~TagIndex() { CHECK(count_ == 0); }

size_t TagIndex::MaxBytes(std::span<const std::string_view> tags) {
  if (tags.empty()) return 0;
  size_t bytes = kAllocationBytes + tags.size() * sizeof(Link);
  for (std::string_view tag : tags) bytes += Tag::BytesOf(tag.size());
  return bytes;
}

TagIndex::Tag** TagIndex::SlotOf(std::string_view text) {
  Tag** slot = &buckets_[Hash64(text, seed_) % buckets_.size()];
  while (*slot != nullptr && (*slot)->text != text) slot = &(*slot)->next_in_bucket;
  return slot;
}

const TagIndex::Tag* TagIndex::Find(std::string_view text) const {
  const Tag* tag = buckets_[Hash64(text, seed_) % buckets_.size()];
  while (tag != nullptr && tag->text != text) tag = tag->next_in_bucket;
  return tag;
}

size_t TagIndex::Add(std::span<const std::string_view> tags, SieveNode* entry, Links* links) {
  if (tags.empty()) return 0;
  *links = {.links = std::make_unique<Link[]>(tags.size()), .count = tags.size()};
  size_t bytes = kAllocationBytes + tags.size() * sizeof(Link);
  for (size_t i = 0; i < tags.size(); ++i) {
    Tag** slot = SlotOf(tags[i]);
    if (*slot == nullptr) {
      *slot = std::make_unique<Tag>().release();
      (*slot)->text.assign(tags[i]);
      bytes += (*slot)->Bytes();
      ++count_;
    }
    Tag* tag = *slot;
    Link& link = links->links[i];
    link = {.tag = tag, .entry = entry, .previous = nullptr, .next = tag->first};
    if (tag->first != nullptr) tag->first->previous = &link;
    tag->first = &link;
  }
  return bytes;
}

size_t TagIndex::Remove(Links* links) {
  if (links->count == 0) return 0;
  size_t bytes = kAllocationBytes + links->count * sizeof(Link);
  for (Link& link : std::span(links->links.get(), links->count)) {
    Tag* tag = link.tag;
    (link.previous == nullptr ? tag->first : link.previous->next) = link.next;
    if (link.next != nullptr) link.next->previous = link.previous;
    if (tag->first != nullptr) continue;
    bytes += tag->Bytes();
    Tag** slot = SlotOf(tag->text);
    *slot = tag->next_in_bucket;
    std::unique_ptr<Tag> owned(tag);
    --count_;
  }
  *links = {};
  return bytes;
}

std::optional<std::vector<SieveNode*>> TagIndex::Entries(std::string_view tag, size_t max) const {
  std::vector<SieveNode*> entries;
  const Tag* found = Find(tag);
  if (found == nullptr) return entries;
  for (const Link* link = found->first; link != nullptr; link = link->next) {
    if (entries.size() == max) return std::nullopt;
    entries.push_back(link->entry);
  }
  return entries;
}

size_t TagIndex::AuditBytes() const {
  size_t bytes = 0;
  for (const Tag* tag : buckets_) {
    for (; tag != nullptr; tag = tag->next_in_bucket) bytes += tag->Bytes();
  }
  return bytes;
}

}  // namespace meridian::edge
