// Commands on several sets: intersection, union, difference.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/data/collections.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/member.hpp"
#include "session/engine/command.hpp"
#include "session/engine/events.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

enum class Algebra : uint8_t { kIntersection, kUnion, kDifference };

using Names = std::vector<std::string>;

// The members that are in the first set and, as `wanted` says, in all others or in none of them.
Names Filter(const std::vector<const Members*>& sets, bool wanted, size_t limit) {
  Names names;
  if (sets[0] == nullptr) return names;
  sets[0]->ForEach([&](const Member& member) {
    if (names.size() >= limit) return;
    bool fits = std::all_of(sets.begin() + 1, sets.end(), [&](const Members* other) {
      return (other != nullptr && other->Contains(member.key())) == wanted;
    });
    if (fits) names.emplace_back(member.key());
  });
  return names;
}

Names Unite(const std::vector<const Members*>& sets) {
  std::set<std::string_view> united;
  for (const Members* set : sets) {
    if (set == nullptr) continue;
    set->ForEach([&](const Member& member) { united.insert(member.key()); });
  }
  return {united.begin(), united.end()};
}

// A result of few integers is sorted, as a small set is.
Names InOrder(Names names) {
  if (names.size() > kSmallSetMembers) return names;
  std::vector<std::pair<int64_t, std::string>> integers;
  for (const std::string& name : names) {
    std::optional<int64_t> integer = wire::resp::ParseInteger(name);
    if (!integer) return names;
    integers.emplace_back(*integer, name);
  }
  std::ranges::sort(integers);
  for (size_t i = 0; i < names.size(); ++i) names[i] = std::move(integers[i].second);
  return names;
}

// Nothing: one of the keys is no set, and an error reply was written.
std::optional<Names> Compute(Call& call, wire::resp::Arguments keys, Algebra algebra,
                             size_t limit = SIZE_MAX) {
  std::vector<const Members*> sets;
  for (std::string_view key : keys) {
    const Members* members = nullptr;
    if (!ReadMembers(call, key, &members)) return std::nullopt;
    sets.push_back(members);
  }
  switch (algebra) {
    case Algebra::kIntersection:
      // The smallest first: its members are visited.
      std::ranges::sort(sets, {}, [](const Members* set) { return set ? set->size() : 0; });
      return Filter(sets, true, limit);
    case Algebra::kUnion:
      return Unite(sets);
    case Algebra::kDifference:
      return Filter(sets, false, limit);
  }
  return std::nullopt;
}

void Answer(Call& call, Algebra algebra) {
  std::optional<Names> names = Compute(call, call.arguments.subspan(1), algebra);
  if (!names) return;
  call.reply.Set(names->size());
  for (const std::string& name : InOrder(std::move(*names))) call.reply.Bulk(name);
}

void Store(Call& call, Algebra algebra, std::string_view event) {
  std::optional<Names> names = Compute(call, call.arguments.subspan(2), algebra);
  if (!names) return;
  bool was_there = call.keyspace().Erase(call[1]);
  if (!names->empty()) {
    Keyspace::Edit edit(call.keyspace(), call[1]);
    for (const std::string& name : *names) edit.AddMember(name);
  }
  if (!names->empty()) {
    call.Notify(kSetEvent, event, call[1]);
  } else if (was_there) {
    call.Notify(kGenericEvent, "del", call[1]);
  }
  call.reply.Integer(static_cast<int64_t>(names->size()));
}

}  // namespace

void SInter(Call& call) { Answer(call, Algebra::kIntersection); }
void SUnion(Call& call) { Answer(call, Algebra::kUnion); }
void SDiff(Call& call) { Answer(call, Algebra::kDifference); }
void SInterStore(Call& call) { Store(call, Algebra::kIntersection, "sinterstore"); }
void SUnionStore(Call& call) { Store(call, Algebra::kUnion, "sunionstore"); }
void SDiffStore(Call& call) { Store(call, Algebra::kDifference, "sdiffstore"); }

void SInterCard(Call& call) {
  std::optional<int64_t> count = wire::resp::ParseInteger(call[1]);
  if (!count || *count <= 0) return call.reply.Error("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(*count) > call.size() - 2) {
    return call.reply.Error("ERR Number of keys can't be greater than number of args");
  }
  size_t after = 2 + static_cast<size_t>(*count);
  size_t limit = SIZE_MAX;
  for (size_t i = after; i < call.size(); i += 2) {
    if (!call.Is(i, "LIMIT") || i + 1 >= call.size()) return call.SyntaxError();
    std::optional<int64_t> most = wire::resp::ParseInteger(call[i + 1]);
    if (!most || *most < 0) return call.reply.Error("ERR LIMIT can't be negative");
    limit = *most == 0 ? SIZE_MAX : static_cast<size_t>(*most);
  }
  std::optional<Names> names =
      Compute(call, call.arguments.subspan(2, after - 2), Algebra::kIntersection, limit);
  if (names) call.reply.Integer(static_cast<int64_t>(names->size()));
}

}  // namespace meridian::session
