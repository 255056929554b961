// Commands on one set.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/commands/long_reply.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/member.hpp"
#include "session/data/random_choice.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/events.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {
namespace {

// `count` different members, or all.
std::vector<std::string> Choose(Call& call, const Members& members, size_t count) {
  std::vector<std::string> chosen;
  for (const Member* member : ChooseDifferent<Member>(members, count, call.engine.random())) {
    chosen.emplace_back(member->key());
  }
  return chosen;
}

void WriteMember(wire::resp::ReplyWriter& reply, const Member& member) { reply.Bulk(member.key()); }

}  // namespace

bool ReadMembers(const Call& call, std::string_view key, const Members** members) {
  Entry* entry = call.keyspace().Find(key);
  if (entry == nullptr) return true;
  *members = MembersOf(entry);
  if (*members != nullptr) return true;
  call.WrongType();
  return false;
}

void SAdd(Call& call) {
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  int64_t fresh = 0;
  {
    Keyspace::Edit edit(call.keyspace(), call[1]);
    for (std::string_view name : call.arguments.subspan(2)) {
      fresh += static_cast<int64_t>(edit.AddMember(name));
    }
  }
  if (fresh > 0) call.Notify(kSetEvent, "sadd", call[1]);
  call.reply.Integer(fresh);
}

void SRem(Call& call) {
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  auto is_there = [&](std::string_view name) { return members->Contains(name); };
  if (members == nullptr || std::ranges::none_of(call.arguments.subspan(2), is_there)) {
    return call.reply.Integer(0);
  }
  int64_t removed = 0;
  {
    Keyspace::Edit edit(call.keyspace(), call[1]);
    for (std::string_view name : call.arguments.subspan(2)) {
      removed += static_cast<int64_t>(edit.RemoveMember(name));
    }
  }
  call.Notify(kSetEvent, "srem", call[1]);
  NotifyIfGone(call, call[1]);
  call.reply.Integer(removed);
}

void SMembers(Call& call) {
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  call.reply.Set(members == nullptr ? 0 : members->size());
  if (members != nullptr) ReplyItems<Members, &WriteMember>(call, *members);
}

void SIsMember(Call& call) {
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  call.reply.Integer(members != nullptr && members->Contains(call[2]) ? 1 : 0);
}

void SMIsMember(Call& call) {
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  call.reply.Array(call.size() - 2);
  for (std::string_view name : call.arguments.subspan(2)) {
    call.reply.Integer(members != nullptr && members->Contains(name) ? 1 : 0);
  }
}

void SCard(Call& call) {
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  call.reply.Integer(members == nullptr ? 0 : static_cast<int64_t>(members->size()));
}

void SPop(Call& call) {
  if (call.size() > 3) return call.SyntaxError();
  int64_t count = 1;
  if (call.size() == 3) {
    count = wire::resp::ParseInteger(call[2]).value_or(-1);
    if (count < 0) return call.reply.Error("ERR value is out of range, must be positive");
  }
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  if (members == nullptr) {
    if (call.size() == 2) return call.reply.Null();
    return call.reply.Set(0);
  }
  std::vector<std::string> chosen;
  if (count == 1) {
    chosen.emplace_back(members->Sample(call.engine.random()).key());
  } else {
    chosen = Choose(call, *members, static_cast<size_t>(count));
  }
  {
    Keyspace::Edit edit(call.keyspace(), call[1]);
    for (const std::string& name : chosen) edit.RemoveMember(name);
  }
  if (!chosen.empty()) {
    call.Notify(kSetEvent, "spop", call[1]);
    NotifyIfGone(call, call[1]);
  }
  if (call.size() == 3) call.reply.Set(chosen.size());
  for (const std::string& name : chosen) call.reply.Bulk(name);
}

void SRandMember(Call& call) {
  if (call.size() > 3) return call.SyntaxError();
  int64_t count = 0;
  if (call.size() == 3 && !call.Integer(2, &count)) return;
  if (count < -kMaxRandomElements) return call.reply.Error("ERR value is out of range");
  const Members* members = nullptr;
  if (!ReadMembers(call, call[1], &members)) return;
  if (call.size() == 2) {
    if (members == nullptr) return call.reply.Null();
    return call.reply.Bulk(members->Sample(call.engine.random()).key());
  }
  if (members == nullptr) return call.reply.Array(0);
  if (count < 0) {
    call.reply.Array(static_cast<size_t>(-count));
    for (int64_t i = 0; i < -count; ++i) {
      call.reply.Bulk(members->Sample(call.engine.random()).key());
    }
    return;
  }
  std::vector<std::string> chosen = Choose(call, *members, static_cast<size_t>(count));
  call.reply.Array(chosen.size());
  for (const std::string& name : chosen) call.reply.Bulk(name);
}

void SMove(Call& call) {
  const Members* from = nullptr;
  const Members* to = nullptr;
  if (!ReadMembers(call, call[1], &from)) return;
  if (from == nullptr) return call.reply.Integer(0);
  if (!ReadMembers(call, call[2], &to)) return;
  if (!from->Contains(call[3])) return call.reply.Integer(0);
  if (call[1] == call[2]) return call.reply.Integer(1);
  Keyspace::Edit(call.keyspace(), call[1]).RemoveMember(call[3]);
  call.Notify(kSetEvent, "srem", call[1]);
  NotifyIfGone(call, call[1]);
  Keyspace::Edit(call.keyspace(), call[2]).AddMember(call[3]);
  call.Notify(kSetEvent, "sadd", call[2]);
  call.reply.Integer(1);
}

}  // namespace meridian::session
