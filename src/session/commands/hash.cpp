// Commands on hashes.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/commands/long_reply.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/field.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/random_choice.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/events.hpp"
#include "session/limits.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {
namespace {

// Sets the pairs from argument 2 on; the number of new fields. Nothing: an error reply was written.
std::optional<int64_t> SetPairs(Call& call) {
  if (call.size() % 2 != 0) {
    call.WrongCount(call.command);
    return std::nullopt;
  }
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return std::nullopt;
  int64_t fresh = 0;
  {
    Keyspace::Edit edit(call.keyspace(), call[1]);
    ForEachPair(call, 2, [&](size_t i) {
      fresh += static_cast<int64_t>(edit.SetField(call[i], call[i + 1]));
    });
    auto is_long = [](std::string_view text) { return text.size() > kSmallHashBytes; };
    if (std::ranges::any_of(call.arguments.subspan(2), is_long)) edit.fields().set_was_large();
  }
  call.Notify(kHashEvent, "hset", call[1]);
  return fresh;
}

void ReplyField(Call& call, const Fields* fields, std::string_view name) {
  const Field* field = fields == nullptr ? nullptr : fields->Find(name);
  if (field == nullptr) return call.reply.Null();
  call.reply.Bulk(field->value());
}

void WriteField(wire::resp::ReplyWriter& reply, const Field& field) {
  reply.Bulk(field.key());
  reply.Bulk(field.value());
}
void WriteName(wire::resp::ReplyWriter& reply, const Field& field) { reply.Bulk(field.key()); }
void WriteValue(wire::resp::ReplyWriter& reply, const Field& field) { reply.Bulk(field.value()); }

// HRANDFIELD key count: distinct fields when it is positive, else any, also repeatedly.
void RandomFields(Call& call, const Fields& fields, int64_t count, bool with_values) {
  std::vector<const Field*> chosen;
  if (count < 0) {
    for (int64_t i = 0; i < -count; ++i) chosen.push_back(&fields.Sample(call.engine.random()));
  } else {
    chosen = ChooseDifferent<Field>(fields, static_cast<size_t>(count), call.engine.random());
  }
  bool nested = with_values && call.reply.version() == wire::resp::Version::kResp3;
  call.reply.Array(with_values && !nested ? chosen.size() * 2 : chosen.size());
  for (const Field* field : chosen) {
    if (nested) call.reply.Array(2);
    call.reply.Bulk(field->key());
    if (with_values) call.reply.Bulk(field->value());
  }
}

}  // namespace

bool ReadFields(const Call& call, std::string_view key, const Fields** fields) {
  Entry* entry = call.keyspace().Find(key);
  if (entry == nullptr) return true;
  *fields = FieldsOf(entry);
  if (*fields != nullptr) return true;
  call.WrongType();
  return false;
}

void NotifyIfGone(const Call& call, std::string_view key) {
  if (call.keyspace().Peek(key) == nullptr) call.Notify(kGenericEvent, "del", key);
}

void HSet(Call& call) {
  if (std::optional<int64_t> fresh = SetPairs(call)) call.reply.Integer(*fresh);
}

void HMSet(Call& call) {
  if (SetPairs(call)) call.reply.Ok();
}

void HSetNx(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  if (fields != nullptr && fields->Find(call[2]) != nullptr) return call.reply.Integer(0);
  Keyspace::Edit(call.keyspace(), call[1]).SetField(call[2], call[3]);
  call.Notify(kHashEvent, "hset", call[1]);
  call.reply.Integer(1);
}

void HGet(Call& call) {
  const Fields* fields = nullptr;
  if (ReadFields(call, call[1], &fields)) ReplyField(call, fields, call[2]);
}

void HMGet(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  call.reply.Array(call.size() - 2);
  for (std::string_view name : call.arguments.subspan(2)) ReplyField(call, fields, name);
}

void HGetAll(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  call.reply.Map(fields == nullptr ? 0 : fields->size());
  if (fields != nullptr) ReplyItems<Fields, &WriteField>(call, *fields);
}

void HKeys(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  call.reply.Array(fields == nullptr ? 0 : fields->size());
  if (fields != nullptr) ReplyItems<Fields, &WriteName>(call, *fields);
}

void HVals(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  call.reply.Array(fields == nullptr ? 0 : fields->size());
  if (fields != nullptr) ReplyItems<Fields, &WriteValue>(call, *fields);
}

void HDel(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  auto is_there = [&](std::string_view name) { return fields->Find(name) != nullptr; };
  if (fields == nullptr || std::ranges::none_of(call.arguments.subspan(2), is_there)) {
    return call.reply.Integer(0);
  }
  int64_t removed = 0;
  {
    Keyspace::Edit edit(call.keyspace(), call[1]);
    for (std::string_view name : call.arguments.subspan(2)) {
      removed += static_cast<int64_t>(edit.RemoveField(name));
    }
  }
  call.Notify(kHashEvent, "hdel", call[1]);
  NotifyIfGone(call, call[1]);
  call.reply.Integer(removed);
}

void HExists(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  call.reply.Integer(fields != nullptr && fields->Find(call[2]) != nullptr ? 1 : 0);
}

void HLen(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  call.reply.Integer(fields == nullptr ? 0 : static_cast<int64_t>(fields->size()));
}

void HStrLen(Call& call) {
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  const Field* field = fields == nullptr ? nullptr : fields->Find(call[2]);
  call.reply.Integer(field == nullptr ? 0 : static_cast<int64_t>(field->value().size()));
}

void HIncrBy(Call& call) {
  int64_t delta = 0;
  if (!call.Integer(3, &delta)) return;
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  const Field* field = fields == nullptr ? nullptr : fields->Find(call[2]);
  std::optional<int64_t> base = 0;
  if (field != nullptr) base = wire::resp::ParseInteger(field->value());
  if (!base) return call.reply.Error("ERR hash value is not an integer");
  int64_t sum = 0;
  if (__builtin_add_overflow(*base, delta, &sum)) {
    return call.reply.Error("ERR increment or decrement would overflow");
  }
  Keyspace::Edit(call.keyspace(), call[1]).SetField(call[2], wire::resp::IntegerText(sum).text());
  call.Notify(kHashEvent, "hincrby", call[1]);
  call.reply.Integer(sum);
}

void HIncrByFloat(Call& call) {
  std::optional<long double> delta = wire::resp::ParseLongDouble(call[3]);
  if (!delta) return call.reply.Error("ERR value is not a valid float");
  if (!std::isfinite(*delta)) return call.reply.Error("ERR value is NaN or Infinity");
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  const Field* field = fields == nullptr ? nullptr : fields->Find(call[2]);
  std::optional<long double> base = 0;
  if (field != nullptr) base = wire::resp::ParseLongDouble(field->value());
  if (!base) return call.reply.Error("ERR hash value is not a float");
  wire::resp::FixedText sum = wire::resp::FixedDoubleText(*base + *delta);
  if (sum.size == 0) return call.reply.Error("ERR increment would produce NaN or Infinity");
  Keyspace::Edit(call.keyspace(), call[1]).SetField(call[2], sum.text());
  call.Notify(kHashEvent, "hincrbyfloat", call[1]);
  call.reply.Bulk(sum.text());
}

void HRandField(Call& call) {
  int64_t count = 0;
  if (call.size() > 4 || (call.size() == 4 && !call.Is(3, "WITHVALUES"))) return call.SyntaxError();
  if (call.size() > 2 && !call.Integer(2, &count)) return;
  if (count < -kMaxRandomElements || count == std::numeric_limits<int64_t>::min()) {
    return call.reply.Error("ERR value is out of range");
  }
  const Fields* fields = nullptr;
  if (!ReadFields(call, call[1], &fields)) return;
  if (call.size() == 2) {
    if (fields == nullptr) return call.reply.Null();
    return call.reply.Bulk(fields->Sample(call.engine.random()).key());
  }
  if (fields == nullptr) return call.reply.Array(0);
  RandomFields(call, *fields, count, call.size() == 4);
}

}  // namespace meridian::session
