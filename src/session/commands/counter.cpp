// Counters in strings. INCR, INCRBY, DECR and DECRBY add up over data centers; INCRBYFLOAT writes a
// new string.
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "session/commands/handlers.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/command.hpp"
#include "session/engine/events.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

void AddTo(Call& call, int64_t delta) {
  int64_t result = 0;
  switch (call.keyspace().Add(call[1], delta, &result)) {
    case IncrementResult::kWrongType:
      return call.WrongType();
    case IncrementResult::kNotInteger:
      return call.NotInteger();
    case IncrementResult::kOverflow:
      return call.reply.Error("ERR increment or decrement would overflow");
    case IncrementResult::kDone:
      call.Notify(kStringEvent, "incrby", call[1]);
      return call.reply.Integer(result);
  }
}

}  // namespace

void Incr(Call& call) { AddTo(call, 1); }
void Decr(Call& call) { AddTo(call, -1); }

void IncrBy(Call& call) {
  int64_t delta = 0;
  if (call.Integer(2, &delta)) AddTo(call, delta);
}

void DecrBy(Call& call) {
  int64_t delta = 0;
  if (!call.Integer(2, &delta)) return;
  if (delta == std::numeric_limits<int64_t>::min()) {
    return call.reply.Error("ERR decrement would overflow");
  }
  AddTo(call, -delta);
}

void IncrByFloat(Call& call) {
  std::optional<std::string_view> old;
  if (!ReadText(call, call[1], &old)) return;
  std::optional<long double> base = wire::resp::ParseLongDouble(old.value_or("0"));
  std::optional<long double> delta = wire::resp::ParseLongDouble(call[2]);
  if (!base || !delta) return call.reply.Error("ERR value is not a valid float");
  wire::resp::FixedText sum = wire::resp::FixedDoubleText(*base + *delta);
  if (sum.size == 0) return call.reply.Error("ERR increment would produce NaN or Infinity");
  call.keyspace().SetText(call[1], sum.text(), {ExpiryChange::Kind::kKeep});
  call.keyspace().Peek(call[1])->set_form(Entry::Form::kDecimal);
  call.Notify(kStringEvent, "incrbyfloat", call[1]);
  call.reply.Bulk(sum.text());
}

}  // namespace meridian::session
