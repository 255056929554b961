// Commands on the expiry of keys.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "session/commands/handlers.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/command.hpp"
#include "session/engine/events.hpp"

namespace meridian::session {
namespace {

constexpr int64_t kMillisecondsPerSecond = 1000;

struct StatusText {
  bool only_without = false;  // NX: the key has no expiry
  bool only_with = false;     // XX
  bool only_later = false;    // GT
  bool only_sooner = false;   // LT
};

bool ReadCondition(Call& call, StatusText* condition) {
  for (size_t i = 3; i < call.size(); ++i) {
    if (call.Is(i, "NX")) {
      condition->only_without = true;
    } else if (call.Is(i, "XX")) {
      condition->only_with = true;
    } else if (call.Is(i, "GT")) {
      condition->only_later = true;
    } else if (call.Is(i, "LT")) {
      condition->only_sooner = true;
    } else {
      call.reply.Error("ERR Unsupported option " + std::string(call[i]));
      return false;
    }
  }
  if (condition->only_without &&
      (condition->only_with || condition->only_later || condition->only_sooner)) {
    call.reply.Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (condition->only_later && condition->only_sooner) {
    call.reply.Error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// A key without an expiry counts as expiring last.
bool Holds(const StatusText& condition, int64_t current_ms, int64_t wanted_ms) {
  if (condition.only_without && current_ms != 0) return false;
  if (condition.only_with && current_ms == 0) return false;
  if (condition.only_later && (current_ms == 0 || wanted_ms <= current_ms)) return false;
  return !condition.only_sooner || current_ms == 0 || wanted_ms < current_ms;
}

void SetEnd(Call& call, TimeUnit unit, TimeBase base) {
  StatusText condition;
  if (!ReadCondition(call, &condition)) return;
  std::optional<int64_t> end = ReadEnd(call, 2, {.unit = unit, .base = base});
  if (!end) return;
  Keyspace& keyspace = call.keyspace();
  Entry* entry = keyspace.Find(call[1]);
  if (entry == nullptr || !Holds(condition, entry->expire_at_ms(), *end)) {
    return call.reply.Integer(0);
  }
  if (*end <= keyspace.now_ms()) {
    keyspace.Erase(call[1]);
    call.Notify(kGenericEvent, "del", call[1]);
  } else {
    keyspace.SetExpiry(*entry, *end);
    call.Notify(kGenericEvent, "expire", call[1]);
  }
  call.reply.Integer(1);
}

void ReplyEnd(Call& call, TimeUnit unit, TimeBase base) {
  constexpr int64_t kNoKey = -2;
  constexpr int64_t kNoEnd = -1;
  Entry* entry = call.keyspace().Peek(call[1]);
  if (entry == nullptr) return call.reply.Integer(kNoKey);
  int64_t end = entry->expire_at_ms();
  if (end == 0) return call.reply.Integer(kNoEnd);
  if (base == TimeBase::kFromNow) end -= call.keyspace().now_ms();
  // To the nearest second.
  if (unit == TimeUnit::kSeconds) {
    end = (end + kMillisecondsPerSecond / 2) / kMillisecondsPerSecond;
  }
  call.reply.Integer(end);
}

}  // namespace

std::optional<int64_t> ReadEnd(const Call& call, size_t i, EndOptions options) {
  int64_t value = 0;
  if (!call.Integer(i, &value)) return std::nullopt;
  bool overflows = false;
  if (options.must_be_positive && value <= 0) overflows = true;
  if (options.unit == TimeUnit::kSeconds) {
    overflows |= __builtin_mul_overflow(value, kMillisecondsPerSecond, &value);
  }
  if (options.base == TimeBase::kFromNow) {
    overflows |= __builtin_add_overflow(value, call.keyspace().now_ms(), &value);
  }
  if (overflows) {
    call.InvalidExpireTime();
    return std::nullopt;
  }
  return value;
}

void Expire(Call& call) { SetEnd(call, TimeUnit::kSeconds, TimeBase::kFromNow); }
void PExpire(Call& call) { SetEnd(call, TimeUnit::kMilliseconds, TimeBase::kFromNow); }
void ExpireAt(Call& call) { SetEnd(call, TimeUnit::kSeconds, TimeBase::kAbsolute); }
void PExpireAt(Call& call) { SetEnd(call, TimeUnit::kMilliseconds, TimeBase::kAbsolute); }

void Ttl(Call& call) { ReplyEnd(call, TimeUnit::kSeconds, TimeBase::kFromNow); }
void PTtl(Call& call) { ReplyEnd(call, TimeUnit::kMilliseconds, TimeBase::kFromNow); }
void ExpireTime(Call& call) { ReplyEnd(call, TimeUnit::kSeconds, TimeBase::kAbsolute); }
void PExpireTime(Call& call) { ReplyEnd(call, TimeUnit::kMilliseconds, TimeBase::kAbsolute); }

void Persist(Call& call) {
  Entry* entry = call.keyspace().Find(call[1]);
  if (entry == nullptr || entry->expire_at_ms() == 0) return call.reply.Integer(0);
  call.keyspace().SetExpiry(*entry, 0);
  call.Notify(kGenericEvent, "persist", call[1]);
  call.reply.Integer(1);
}

}  // namespace meridian::session
