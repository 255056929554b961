// Commands on keys of any type.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "session/collections.hpp"
#include "session/command.hpp"
#include "session/entry.hpp"
#include "session/events.hpp"
#include "session/handlers.hpp"
#include "session/keyspace.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

constexpr size_t kMostEmbeddedBytes = 44;  // as OBJECT ENCODING says "embstr"
constexpr size_t kMostListpackElements = 128;

// The names that clients know; what they stand for in Redis.
std::string_view EncodingOf(Keyspace& keyspace, const Entry& entry) {
  switch (keyspace.TypeOf(entry)) {
    case ValueType::kNone:
      return "none";
    case ValueType::kString: {
      std::string_view text = keyspace.TextOf(entry);
      if (wire::resp::ParseInteger(text)) return "int";
      return text.size() <= kMostEmbeddedBytes ? "embstr" : "raw";
    }
    case ValueType::kHash:
      return keyspace.FieldsOf(&entry)->size() <= kMostListpackElements ? "listpack" : "hashtable";
    case ValueType::kSet:
      return "hashtable";
  }
  return "none";
}

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
  call.reply.SimpleString(
      ValueTypeName(entry == nullptr ? ValueType::kNone : call.keyspace().TypeOf(*entry)));
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
      if (call[++i] != "0") return call.reply.Error("ERR DB index is out of range");
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
  bool known =
      call.size() == 1 || (call.size() == 2 && (call.Is(1, "SYNC") || call.Is(1, "ASYNC")));
  if (!known) return call.SyntaxError();
  call.keyspace().Flush();
  call.reply.Ok();
}

void ObjectCommand(Call& call) {
  if (call.Is(1, "HELP")) {
    call.reply.Array(4);
    call.reply.SimpleString("OBJECT <subcommand> key. Subcommands are:");
    call.reply.SimpleString("ENCODING: the name of the key's representation.");
    call.reply.SimpleString("FREQ, IDLETIME: how lately the key was used.");
    return call.reply.SimpleString("REFCOUNT: 1.");
  }
  bool known = call.Is(1, "ENCODING") || call.Is(1, "IDLETIME") || call.Is(1, "REFCOUNT") ||
               call.Is(1, "FREQ");
  if (!known) return call.UnknownSubcommand();
  if (call.size() != 3) return call.WrongCount("object|" + std::string(call[1]));
  Entry* entry = call.keyspace().Peek(call[2]);
  if (entry == nullptr) return call.reply.Null();
  if (call.Is(1, "ENCODING")) return call.reply.Bulk(EncodingOf(call.keyspace(), *entry));
  if (call.Is(1, "REFCOUNT")) return call.reply.Integer(1);
  if (call.Is(1, "FREQ")) {
    return call.reply.Error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
        "that when switching between policies at runtime LRU and LFU data will take some time to "
        "adjust.");
  }
  constexpr int64_t kMillisecondsPerSecond = 1000;
  int64_t now_s = call.keyspace().now_ms() / kMillisecondsPerSecond;
  call.reply.Integer(now_s - static_cast<int64_t>(entry->accessed_s()));
}

}  // namespace meridian::session
