// Commands on keys of any type.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "session/commands/handlers.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/command.hpp"
#include "session/engine/events.hpp"

namespace meridian::session {
namespace {

void MoveKey(Call& call) {
  Keyspace& keyspace = call.keyspace();
  if (call[1] != call[2]) {
    keyspace.Copy(call[1], call[2]);
    keyspace.Erase(call[1]);
  }
  call.Notify(kGenericEvent, "rename_from", call[1]);
  call.Notify(kGenericEvent, "rename_to", call[2]);
}

}  // namespace

void Del(Call& call) {
  int64_t deleted = 0;
  for (std::string_view key : call.arguments.subspan(1)) {
    if (!call.keyspace().Erase(key)) continue;
    ++deleted;
    call.Notify(kGenericEvent, "del", key);
  }
  call.reply.Integer(deleted);
}

void Exists(Call& call) {
  int64_t count = 0;
  for (std::string_view key : call.arguments.subspan(1)) {
    count += static_cast<int64_t>(call.keyspace().Peek(key) != nullptr);
  }
  call.reply.Integer(count);
}

void Touch(Call& call) {
  int64_t count = 0;
  for (std::string_view key : call.arguments.subspan(1)) {
    count += static_cast<int64_t>(call.keyspace().Find(key) != nullptr);
  }
  call.reply.Integer(count);
}

void Type(Call& call) {
  Entry* entry = call.keyspace().Peek(call[1]);
  call.reply.SimpleString(ValueTypeName(entry == nullptr ? ValueType::kNone : TypeOf(*entry)));
}

void Rename(Call& call) {
  if (call.keyspace().Find(call[1]) == nullptr) return call.reply.Error("ERR no such key");
  MoveKey(call);
  call.reply.Ok();
}

void RenameNx(Call& call) {
  if (call.keyspace().Find(call[1]) == nullptr) return call.reply.Error("ERR no such key");
  if (call.keyspace().Find(call[2]) != nullptr) return call.reply.Integer(0);
  MoveKey(call);
  call.reply.Integer(1);
}

void CopyKey(Call& call) {
  bool replace = false;
  for (size_t i = 3; i < call.size(); ++i) {
    if (call.Is(i, "REPLACE")) {
      replace = true;
    } else if (call.Is(i, "DB") && i + 1 < call.size()) {
      int64_t index = 0;
      if (!call.Integer(++i, &index)) return;
      if (index != 0) return call.reply.Error("ERR DB index is out of range");
    } else {
      return call.SyntaxError();
    }
  }
  if (call[1] == call[2]) {
    return call.reply.Error("ERR source and destination objects are the same");
  }
  if (call.keyspace().Find(call[1]) == nullptr) return call.reply.Integer(0);
  if (!replace && call.keyspace().Find(call[2]) != nullptr) return call.reply.Integer(0);
  call.keyspace().Copy(call[1], call[2]);
  call.Notify(kGenericEvent, "copy_to", call[2]);
  call.reply.Integer(1);
}

void RandomKey(Call& call) {
  Entry* entry = call.keyspace().Sample();
  if (entry == nullptr) return call.reply.Null();
  call.reply.Bulk(entry->key());
}

void DbSize(Call& call) { call.reply.Integer(static_cast<int64_t>(call.keyspace().size())); }

void FlushAll(Call& call) {
  bool stability_horizon =
      call.size() == 1 || (call.size() == 2 && (call.Is(1, "SYNC") || call.Is(1, "ASYNC")));
  if (!stability_horizon) return call.SyntaxError();
  call.keyspace().Flush();
  call.reply.Ok();
}

}  // namespace meridian::session
