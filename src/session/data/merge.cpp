#include "session/data/merge.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "session/data/stamp.hpp"

// NOLINTBEGIN(misc-include-cleaner): std::erase_if is <map>'s
namespace meridian::session {
namespace {

template <class Map>
void MergeInto(Map* into, const Map& from) {
  for (const auto& [key, value] : from) {
    auto [found, added] = into->try_emplace(key, value);
    if (!added) found->second = Merge(found->second, value);
  }
}

}  // namespace

Expiry Merge(const Expiry& a, const Expiry& b) {
  return std::tie(a.stamp, a.at_ms) < std::tie(b.stamp, b.at_ms) ? b : a;
}

// Two values with one stamp come from a bug, or from a data center that runs twice; even they
// converge.
bool Supersedes(const Stamp& a, bool a_present, std::string_view a_value, const Stamp& b,
                bool b_present, std::string_view b_value) {
  return std::tie(a, a_present, a_value) >= std::tie(b, b_present, b_value);
}

Register Merge(const Register& a, const Register& b) {
  return Supersedes(a.stamp, a.present, a.value, b.stamp, b.present, b.value) ? a : b;
}

Contribution Merge(const Contribution& a, const Contribution& b) {
  return std::tie(a.since, a.updated, a.sum) < std::tie(b.since, b.updated, b.sum) ? b : a;
}

MemberTag Merge(const MemberTag& a, const MemberTag& b) {
  return {.added = std::max(a.added, b.added), .removed = std::max(a.removed, b.removed)};
}

MemberTag DropDeleted(MemberTag tag, uint8_t replica_id, const Stamp& delete_stamp) {
  if (Stamp{tag.added, replica_id} < delete_stamp) tag.added = {};
  if (Stamp{tag.removed, replica_id} < delete_stamp) tag.removed = {};
  return tag;
}

void DropDeleted(KeyState* state) {
  const Stamp& delete_stamp = state->delete_stamp;
  if (state->expiry.stamp < delete_stamp) state->expiry = {};
  if (state->text && state->text->stamp < delete_stamp) state->text.reset();
  std::erase_if(state->counts, [&](const auto& entry) {
    return Stamp{entry.second.since, entry.first} < delete_stamp;
  });
  std::erase_if(state->fields,
                [&](const auto& entry) { return entry.second.stamp < delete_stamp; });
  for (auto member = state->members.begin(); member != state->members.end();) {
    for (auto& [replica_id, tag] : member->second) tag = DropDeleted(tag, replica_id, delete_stamp);
    std::erase_if(member->second, [](const auto& entry) { return entry.second == MemberTag(); });
    member = member->second.empty() ? state->members.erase(member) : std::next(member);
  }
}

Stamp NewestOf(const KeyState& state) {
  Stamp newest = std::max(state.delete_stamp, state.expiry.stamp);
  if (state.text) newest = std::max(newest, state.text->stamp);
  for (const auto& [replica_id, count] : state.counts) {
    newest = std::max(newest, {count.updated, replica_id});
  }
  for (const auto& [name, field] : state.fields) newest = std::max(newest, field.stamp);
  for (const auto& [name, tags] : state.members) {
    for (const auto& [replica_id, tag] : tags) {
      newest = std::max(newest, {std::max(tag.added, tag.removed), replica_id});
    }
  }
  return newest;
}

void DropStable(KeyState* state, HybridTime stability_horizon) {
  if (state->expiry.stamp.time <= stability_horizon) state->expiry = {};
  if (state->text && state->text->stamp.time <= stability_horizon) state->text.reset();
  std::erase_if(state->counts,
                [&](const auto& entry) { return entry.second.updated <= stability_horizon; });
  std::erase_if(state->fields,
                [&](const auto& entry) { return entry.second.stamp.time <= stability_horizon; });
  for (auto member = state->members.begin(); member != state->members.end();) {
    std::erase_if(member->second, [&](const auto& entry) {
      return entry.second.present() && entry.second.added <= stability_horizon;
    });
    member = member->second.empty() ? state->members.erase(member) : std::next(member);
  }
}

bool IsOnlyDeletion(const KeyState& state) {
  return !state.text && state.counts.empty() && state.fields.empty() && state.members.empty() &&
         state.expiry == Expiry();
}

KeyState Merge(KeyState a, const KeyState& b) {
  a.delete_stamp = std::max(a.delete_stamp, b.delete_stamp);
  a.expiry = Merge(a.expiry, b.expiry);
  if (b.text) a.text = a.text ? Merge(*a.text, *b.text) : *b.text;
  MergeInto(&a.counts, b.counts);
  MergeInto(&a.fields, b.fields);
  for (const auto& [member, tags] : b.members) MergeInto(&a.members[member], tags);
  DropDeleted(&a);
  return a;
}

}  // namespace meridian::session
// NOLINTEND(misc-include-cleaner)
