#include "session/data/member.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <vector>

#include "base/hybrid_clock.hpp"
#include "session/data/merge.hpp"
#include "session/data/stamp.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

constexpr uint64_t kMillisecondsPerSecond = 1000;

HybridTime TimeOf(uint32_t seconds) {
  return {(seconds * kMillisecondsPerSecond) << HybridTime::kCounterBits};
}

uint32_t SecondAfter(HybridTime time) {
  return static_cast<uint32_t>(time.milliseconds() / kMillisecondsPerSecond + 1);
}

}  // namespace

Stamp Member::Tagged::newest() const { return {std::max(tag.added, tag.removed), replica_id}; }

HybridTime Member::Change::removed_at() const { return TimeOf(SecondAfter(now)); }

Member* Member::New(std::string_view name, std::span<const Tagged> tags) {
  size_t bytes = sizeof(Member) + tags.size_bytes() + name.size();
  auto* member = new (::operator new(bytes)) Member;
  member->name_bytes_ = static_cast<uint32_t>(name.size());
  member->tag_count_ = static_cast<uint32_t>(tags.size());
  char* at = reinterpret_cast<char*>(member + 1);
  if (!tags.empty()) std::memcpy(at, tags.data(), tags.size_bytes());
  if (!name.empty()) std::memcpy(at + tags.size_bytes(), name.data(), name.size());
  return member;
}

void Member::Destroy(Member* member) { ::operator delete(member); }

Member* Member::Merged(Member* old, const Change& change) {
  Tagged tagged = change.tagged;
  if (!tagged.tag.present()) tagged.removed_s = SecondAfter(change.now);
  if (old == nullptr) return New(change.name, {&tagged, 1});
  for (Tagged& own : old->tags()) {
    if (own.replica_id != tagged.replica_id) continue;
    own.tag = Merge(own.tag, tagged.tag);
    own.removed_s = std::max(own.removed_s, tagged.removed_s);
    return old;
  }
  std::vector<Tagged> tags(old->tags().begin(), old->tags().end());
  tags.push_back(tagged);
  return New(change.name, tags);
}

MemberTag Member::TagOf(uint8_t replica_id) const {
  for (const Tagged& tagged : tags()) {
    if (tagged.replica_id == replica_id) return tagged.tag;
  }
  return {};
}

bool Member::present() const {
  return std::ranges::any_of(tags(), [](const Tagged& tagged) { return tagged.tag.present(); });
}

Stamp Member::newest() const {
  Stamp newest;
  for (const Tagged& own : tags()) newest = std::max(newest, own.newest());
  return newest;
}

HybridTime Member::removed_at() const {
  uint32_t second = 0;
  for (const Tagged& own : tags()) second = std::max(second, own.removed_s);
  return TimeOf(second);
}

Member* Member::Without(const Stamp& delete_stamp) {
  auto left_of = [&](const Tagged& own) {
    return DropDeleted(own.tag, own.replica_id, delete_stamp);
  };
  if (std::ranges::all_of(tags(), [&](const Tagged& own) { return left_of(own) == own.tag; })) {
    return this;
  }
  std::vector<Tagged> left;
  for (Tagged own : tags()) {
    own.tag = left_of(own);
    if (own.tag != MemberTag()) left.push_back(own);
  }
  return left.empty() ? nullptr : New(key(), left);
}

int64_t Member::rank() const { return *wire::resp::ParseInteger(key()); }

bool Member::fits_small() const { return wire::resp::ParseInteger(key()).has_value(); }

}  // namespace meridian::session
