// OBJECT and MEMORY: the encoding and memory of a key, in Redis' terms.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "session/commands/handlers.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/scan_table.hpp"
#include "session/engine/command.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

// Up to this size Redis keeps a string in one piece with its key's object.
constexpr size_t kMaxEmbeddedBytes = 44;

// The names that clients know.
std::string_view EncodingOf(Keyspace& keyspace, const Entry& entry) {
  switch (TypeOf(entry)) {
    case ValueType::kNone:
      return "none";
    case ValueType::kString: {
      std::string_view text = keyspace.TextOf(entry);
      if (entry.form() == Entry::Form::kEdited) return "raw";
      if (entry.form() == Entry::Form::kNew && wire::resp::ParseInteger(text)) return "int";
      return text.size() <= kMaxEmbeddedBytes ? "embstr" : "raw";
    }
    case ValueType::kHash:
      return FieldsOf(&entry)->small() ? "listpack" : "hashtable";
    case ValueType::kSet:
      return MembersOf(&entry)->small() ? "intset" : "hashtable";
  }
  return "none";
}

void Encoding(Call& call) {
  Entry* entry = call.keyspace().Peek(call[2]);
  if (entry == nullptr) return call.reply.Null();
  call.reply.Bulk(EncodingOf(call.keyspace(), *entry));
}

void Frequency(Call& call) {
  if (call.keyspace().Peek(call[2]) == nullptr) return call.reply.Null();
  call.reply.Error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
      "that when switching between policies at runtime LRU and LFU data will take some time to "
      "adjust.");
}

void IdleTime(Call& call) {
  Entry* entry = call.keyspace().Peek(call[2]);
  if (entry == nullptr) return call.reply.Null();
  constexpr int64_t kMillisecondsPerSecond = 1000;
  int64_t now_s = call.keyspace().now_ms() / kMillisecondsPerSecond;
  call.reply.Integer(std::max<int64_t>(now_s - static_cast<int64_t>(entry->accessed_s()), 0));
}

void ReferenceCount(Call& call) {
  if (call.keyspace().Peek(call[2]) == nullptr) return call.reply.Null();
  call.reply.Integer(1);
}

constexpr Subcommand kObjectSubcommands[] = {
    {"ENCODING", 3, &Encoding, "ENCODING <key>", "Return how the value is kept, in Redis' terms."},
    {"FREQ", 3, &Frequency, "FREQ <key>", "Return an error: access frequency is not tracked."},
    {"IDLETIME", 3, &IdleTime, "IDLETIME <key>", "Return the seconds since the last access."},
    {"REFCOUNT", 3, &ReferenceCount, "REFCOUNT <key>", "Return 1."},
};

void Usage(Call& call) {
  for (size_t i = 3; i < call.size(); i += 2) {
    int64_t samples = 0;
    if (!call.Is(i, "SAMPLES") || i + 1 == call.size()) return call.SyntaxError();
    if (!call.Integer(i + 1, &samples)) return;
    if (samples < 0) return call.SyntaxError();
  }
  Entry* entry = call.keyspace().Peek(call[2]);
  if (entry == nullptr) return call.reply.Null();
  size_t bytes = entry->memory_bytes() + ScanTable<Entry>::kSlotBytes;
  call.reply.Integer(static_cast<int64_t>(bytes));
}

constexpr Subcommand kMemorySubcommands[] = {
    {"USAGE", -3, &Usage, "USAGE <key> [SAMPLES <count>]",
     "Return the bytes that the key takes, all of it: samples are not needed."},
};

}  // namespace

void ObjectCommand(Call& call) { call.Dispatch(kObjectSubcommands); }
void MemoryCommand(Call& call) { call.Dispatch(kMemorySubcommands); }

}  // namespace meridian::session
