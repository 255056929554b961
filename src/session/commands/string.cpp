// Commands on strings.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "session/commands/handlers.hpp"
#include "session/data/entry.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/events.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

// EX, PX, EXAT, PXAT, KEEPTTL or PERSIST: only one of them, which may be repeated.
struct EndOption {
  std::string_view word;
  TimeUnit unit = TimeUnit::kSeconds;
  TimeBase base = TimeBase::kFromNow;
  bool has_value = true;
};
constexpr EndOption kEndOptions[] = {
    {"EX", TimeUnit::kSeconds, TimeBase::kFromNow},
    {"PX", TimeUnit::kMilliseconds, TimeBase::kFromNow},
    {"EXAT", TimeUnit::kSeconds, TimeBase::kAbsolute},
    {"PXAT", TimeUnit::kMilliseconds, TimeBase::kAbsolute},
    {.word = "KEEPTTL", .has_value = false},
    {.word = "PERSIST", .has_value = false},
};

struct SetOptions {
  bool only_absent = false;   // NX
  bool only_present = false;  // XX
  bool get = false;
  const EndOption* end = nullptr;
  size_t end_value = 0;  // the argument with the value of `end`, which is parsed last

  bool Keeps() const { return end != nullptr && end->word == "KEEPTTL"; }
  bool Persists() const { return end != nullptr && end->word == "PERSIST"; }
};

// Whether argument `*i` is an option of the expiry that is allowed here; then moves `*i` behind it.
bool TakeEndOption(const Call& call, size_t* i, SetOptions* options) {
  for (const EndOption& option : kEndOptions) {
    if (!call.Is(*i, option.word)) continue;
    // KEEPTTL is SET's, PERSIST is GETEX's.
    if (!option.has_value && (option.word == "PERSIST") != (call.command == "getex")) return false;
    if (options->end != nullptr && options->end != &option) return false;
    if (option.has_value && *i + 1 == call.size()) return false;
    options->end = &option;
    if (option.has_value) options->end_value = ++*i;
    return true;
  }
  return false;
}

// The options from argument `first` on. False: an error reply was written.
bool ReadSetOptions(const Call& call, size_t first, SetOptions* options) {
  bool sets = call.command == "set";
  for (size_t i = first; i < call.size(); ++i) {
    if (sets && call.Is(i, "NX") && !options->only_present) {
      options->only_absent = true;
    } else if (sets && call.Is(i, "XX") && !options->only_absent) {
      options->only_present = true;
    } else if (sets && call.Is(i, "GET")) {
      options->get = true;
    } else if (!TakeEndOption(call, &i, options)) {
      call.SyntaxError();
      return false;
    }
  }
  return true;
}

// The expiry that the options set. False: it is no time, and an error reply was written.
bool ReadExpiry(const Call& call, const SetOptions& options, ExpiryChange* expiry) {
  if (options.Keeps()) expiry->kind = ExpiryChange::Kind::kKeep;
  if (options.end_value == 0) return true;
  std::optional<int64_t> end =
      ReadEnd(call, options.end_value,
              {.unit = options.end->unit, .base = options.end->base, .must_be_positive = true});
  if (!end) return false;
  *expiry = {ExpiryChange::Kind::kAt, *end};
  return true;
}

// Writes a string with an expiry, and publishes the events. An expiry in the past is a deletion.
void WriteText(Call& call, std::string_view key, std::string_view value,
               const ExpiryChange& expiry) {
  Keyspace& keyspace = call.keyspace();
  bool sets_end = expiry.kind == ExpiryChange::Kind::kAt;
  if (sets_end && expiry.at_ms <= keyspace.now_ms()) {
    if (keyspace.Erase(key)) call.Notify(kGenericEvent, "del", key);
    return;
  }
  keyspace.SetText(key, value, expiry);
  call.Notify(kStringEvent, "set", key);
  if (sets_end) call.Notify(kGenericEvent, "expire", key);
}

void SetWithEnd(Call& call, TimeUnit unit) {
  std::optional<int64_t> end = ReadEnd(call, 2, {.unit = unit, .must_be_positive = true});
  if (!end) return;
  WriteText(call, call[1], call[3], {ExpiryChange::Kind::kAt, *end});
  call.reply.Ok();
}

// Indexes that may count from the end, as a range of bytes; empty when there are none.
std::string_view Slice(std::string_view text, int64_t start, int64_t end) {
  auto size = static_cast<int64_t>(text.size());
  if (start < 0) start = std::max<int64_t>(size + start, 0);
  if (end < 0) end = std::max<int64_t>(size + end, 0);
  end = std::min(end, size - 1);
  if (size == 0 || start > end) return {};
  return text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start + 1));
}

bool FitsIn(Call& call, size_t bytes) {
  if (bytes <= kMaxValueBytes) return true;
  call.reply.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

}  // namespace

void ForEachPair(const Call& call, size_t first, const std::function<void(size_t)>& visit) {
  if (call.size() == first + 2) return visit(first);
  // The names may come from a visitor.
  auto hash = [&](std::string_view name) { return call.keyspace().HashOf(name); };
  std::unordered_map<std::string_view, size_t, decltype(hash)> last(call.size(), hash);
  for (size_t i = first; i < call.size(); i += 2) last[call[i]] = i;
  for (size_t i = first; i < call.size(); i += 2) {
    // 0: it was visited.
    if (size_t at = std::exchange(last[call[i]], 0)) visit(at);
  }
}

bool ReadText(const Call& call, std::string_view key, std::optional<std::string_view>* text) {
  Keyspace& keyspace = call.keyspace();
  Entry* entry = keyspace.Find(key);
  if (entry == nullptr) return true;
  if (TypeOf(*entry) != ValueType::kString) {
    call.WrongType();
    return false;
  }
  *text = keyspace.TextOf(*entry);
  return true;
}

void Get(Call& call) {
  std::optional<std::string_view> text;
  if (!ReadText(call, call[1], &text)) return;
  Statistics& statistics = call.engine.statistics();
  if (!text) {
    ++statistics.misses;
    call.Notify(kMissEvent, "keymiss", call[1]);
    return call.reply.Null();
  }
  ++statistics.hits;
  call.reply.Bulk(*text);
}

void Set(Call& call) {
  SetOptions options;
  ExpiryChange expiry;
  if (call.size() > 3) {
    if (!ReadSetOptions(call, 3, &options) || !ReadExpiry(call, options, &expiry)) return;
  }
  if (options.get) {
    std::optional<std::string_view> old;
    if (!ReadText(call, call[1], &old)) return;
    bool refused = old ? options.only_absent : options.only_present;
    if (old) {
      call.reply.Bulk(*old);
    } else {
      call.reply.Null();
    }
    if (!refused) WriteText(call, call[1], call[2], expiry);
    return;
  }
  if (options.only_absent || options.only_present) {
    bool present = call.keyspace().Find(call[1]) != nullptr;
    if (present == options.only_absent) return call.reply.Null();
  }
  WriteText(call, call[1], call[2], expiry);
  call.reply.Ok();
}

void SetEx(Call& call) { SetWithEnd(call, TimeUnit::kSeconds); }
void PSetEx(Call& call) { SetWithEnd(call, TimeUnit::kMilliseconds); }

void SetNx(Call& call) {
  if (call.keyspace().Find(call[1]) != nullptr) return call.reply.Integer(0);
  WriteText(call, call[1], call[2], {});
  call.reply.Integer(1);
}

void GetSet(Call& call) {
  std::optional<std::string_view> old;
  if (!ReadText(call, call[1], &old)) return;
  if (old) {
    call.reply.Bulk(*old);
  } else {
    call.reply.Null();
  }
  WriteText(call, call[1], call[2], {});
}

void GetDel(Call& call) {
  std::optional<std::string_view> old;
  if (!ReadText(call, call[1], &old)) return;
  if (!old) return call.reply.Null();
  call.reply.Bulk(*old);
  call.keyspace().Erase(call[1]);
  call.Notify(kGenericEvent, "del", call[1]);
}

void GetEx(Call& call) {
  SetOptions options;
  ExpiryChange expiry;
  std::optional<std::string_view> text;
  if (!ReadSetOptions(call, 2, &options) || !ReadText(call, call[1], &text)) return;
  if (!text) return call.reply.Null();
  if (!ReadExpiry(call, options, &expiry)) return;
  call.reply.Bulk(*text);
  Keyspace& keyspace = call.keyspace();
  Entry* entry = keyspace.Find(call[1]);
  if (expiry.kind == ExpiryChange::Kind::kAt) {
    if (expiry.at_ms <= keyspace.now_ms()) {
      keyspace.Erase(call[1]);
      call.Notify(kGenericEvent, "del", call[1]);
    } else {
      keyspace.SetExpiry(*entry, expiry.at_ms);
      call.Notify(kGenericEvent, "expire", call[1]);
    }
  } else if (options.Persists() && entry->expire_at_ms() != 0) {
    keyspace.SetExpiry(*entry, 0);
    call.Notify(kGenericEvent, "persist", call[1]);
  }
}

void MGet(Call& call) {
  Keyspace& keyspace = call.keyspace();
  call.reply.Array(call.size() - 1);
  for (std::string_view key : call.arguments.subspan(1)) {
    Entry* entry = keyspace.Find(key);
    if (entry == nullptr || TypeOf(*entry) != ValueType::kString) {
      call.reply.Null();
    } else {
      call.reply.Bulk(keyspace.TextOf(*entry));
    }
  }
}

void MSet(Call& call) {
  if (call.size() % 2 == 0) return call.WrongCount("mset");
  ForEachPair(call, 1, [&](size_t i) { WriteText(call, call[i], call[i + 1], {}); });
  call.reply.Ok();
}

void MSetNx(Call& call) {
  if (call.size() % 2 == 0) return call.WrongCount("msetnx");
  for (size_t i = 1; i < call.size(); i += 2) {
    if (call.keyspace().Find(call[i]) != nullptr) return call.reply.Integer(0);
  }
  ForEachPair(call, 1, [&](size_t i) { WriteText(call, call[i], call[i + 1], {}); });
  call.reply.Integer(1);
}

void AppendText(Call& call) {
  std::optional<std::string_view> old;
  if (!ReadText(call, call[1], &old)) return;
  std::string value(old.value_or(""));
  if (!FitsIn(call, value.size() + call[2].size())) return;
  value += call[2];
  call.keyspace().SetText(call[1], value, {ExpiryChange::Kind::kKeep});
  if (old) call.keyspace().Peek(call[1])->set_form(Entry::Form::kEdited);
  call.Notify(kStringEvent, "append", call[1]);
  call.reply.Integer(static_cast<int64_t>(value.size()));
}

void StrLen(Call& call) {
  std::optional<std::string_view> text;
  if (!ReadText(call, call[1], &text)) return;
  call.reply.Integer(text ? static_cast<int64_t>(text->size()) : 0);
}

void GetRange(Call& call) {
  int64_t start = 0;
  int64_t end = 0;
  if (!call.Integer(2, &start) || !call.Integer(3, &end)) return;
  std::optional<std::string_view> text;
  if (!ReadText(call, call[1], &text)) return;
  if (start < 0 && end < 0 && start > end) return call.reply.Bulk("");
  call.reply.Bulk(Slice(text.value_or(""), start, end));
}

void SetRange(Call& call) {
  int64_t offset = 0;
  if (!call.Integer(2, &offset)) return;
  if (offset < 0) return call.reply.Error("ERR offset is out of range");
  std::optional<std::string_view> old;
  if (!ReadText(call, call[1], &old)) return;
  std::string_view piece = call[3];
  std::string value(old.value_or(""));
  if (piece.empty()) return call.reply.Integer(static_cast<int64_t>(value.size()));
  if (static_cast<uint64_t>(offset) > kMaxValueBytes) offset = kMaxValueBytes;
  auto at = static_cast<size_t>(offset);
  if (!FitsIn(call, at + piece.size())) return;
  if (value.size() < at + piece.size()) value.resize(at + piece.size());
  value.replace(at, piece.size(), piece);
  call.keyspace().SetText(call[1], value, {ExpiryChange::Kind::kKeep});
  call.keyspace().Peek(call[1])->set_form(Entry::Form::kEdited);
  call.Notify(kStringEvent, "setrange", call[1]);
  call.reply.Integer(static_cast<int64_t>(value.size()));
}

}  // namespace meridian::session
