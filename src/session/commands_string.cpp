// Commands on strings.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "session/command.hpp"
#include "session/engine.hpp"
#include "session/entry.hpp"
#include "session/events.hpp"
#include "session/handlers.hpp"
#include "session/keyspace.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

struct SetOptions {
  bool only_absent = false;   // NX
  bool only_present = false;  // XX
  bool get = false;
  ExpiryChange expiry;
  bool persist = false;  // of GETEX
};

// EX, PX, EXAT, PXAT at argument `*i`, and its value behind it. 1: read; 0: it is none of them;
// -1: the reply says what is wrong.
int ReadExpiryOption(Call& call, size_t* i, ExpiryChange* expiry) {
  struct Option {
    std::string_view word;
    TimeUnit unit;
    TimeBase base;
  };
  constexpr Option kOptions[] = {{"EX", TimeUnit::kSeconds, TimeBase::kFromNow},
                                 {"PX", TimeUnit::kMilliseconds, TimeBase::kFromNow},
                                 {"EXAT", TimeUnit::kSeconds, TimeBase::kAbsolute},
                                 {"PXAT", TimeUnit::kMilliseconds, TimeBase::kAbsolute}};
  for (const Option& option : kOptions) {
    if (!call.Is(*i, option.word)) continue;
    if (expiry->kind != ExpiryChange::Kind::kClear || *i + 1 >= call.size()) {
      call.SyntaxError();
      return -1;
    }
    std::optional<int64_t> end =
        ReadEnd(call, ++*i, {.unit = option.unit, .base = option.base, .must_be_positive = true});
    if (!end) return -1;
    *expiry = {ExpiryChange::Kind::kAt, *end};
    return 1;
  }
  return 0;
}

// The options of SET from argument 3 on. False: the reply says what is wrong.
bool ReadSetOptions(Call& call, SetOptions* options) {
  for (size_t i = 3; i < call.size(); ++i) {
    if (call.Is(i, "NX") && !options->only_present) {
      options->only_absent = true;
    } else if (call.Is(i, "XX") && !options->only_absent) {
      options->only_present = true;
    } else if (call.Is(i, "GET")) {
      options->get = true;
    } else if (call.Is(i, "KEEPTTL") && options->expiry.kind == ExpiryChange::Kind::kClear) {
      options->expiry.kind = ExpiryChange::Kind::kKeep;
    } else {
      int read = ReadExpiryOption(call, &i, &options->expiry);
      if (read < 0) return false;
      if (read == 0) {
        call.SyntaxError();
        return false;
      }
    }
  }
  return true;
}

// Writes a string whose end is said, and tells of it. An end that has passed is a deletion.
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

bool ReadText(const Call& call, std::string_view key, std::optional<std::string_view>* text) {
  Keyspace& keyspace = call.keyspace();
  Entry* entry = keyspace.Find(key);
  if (entry == nullptr) return true;
  if (keyspace.TypeOf(*entry) != ValueType::kString) {
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
  if (call.size() > 3 && !ReadSetOptions(call, &options)) return;
  if (options.get) {
    std::optional<std::string_view> old;
    if (!ReadText(call, call[1], &old)) return;
    bool refused = old ? options.only_absent : options.only_present;
    if (old) {
      call.reply.Bulk(*old);
    } else {
      call.reply.Null();
    }
    if (!refused) WriteText(call, call[1], call[2], options.expiry);
    return;
  }
  if (options.only_absent || options.only_present) {
    bool present = call.keyspace().Find(call[1]) != nullptr;
    if (present == options.only_absent) return call.reply.Null();
  }
  WriteText(call, call[1], call[2], options.expiry);
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
  ExpiryChange expiry;
  bool persist = false;
  for (size_t i = 2; i < call.size(); ++i) {
    if (call.Is(i, "PERSIST") && expiry.kind == ExpiryChange::Kind::kClear && !persist) {
      persist = true;
      continue;
    }
    int read = persist ? 0 : ReadExpiryOption(call, &i, &expiry);
    if (read < 0) return;
    if (read == 0) return call.SyntaxError();
  }
  std::optional<std::string_view> text;
  if (!ReadText(call, call[1], &text)) return;
  if (!text) return call.reply.Null();
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
  } else if (persist && entry->expire_at_ms() != 0) {
    keyspace.SetExpiry(*entry, 0);
    call.Notify(kGenericEvent, "persist", call[1]);
  }
}

void MGet(Call& call) {
  Keyspace& keyspace = call.keyspace();
  call.reply.Array(call.size() - 1);
  for (std::string_view key : call.arguments.subspan(1)) {
    Entry* entry = keyspace.Find(key);
    if (entry == nullptr || keyspace.TypeOf(*entry) != ValueType::kString) {
      call.reply.Null();
    } else {
      call.reply.Bulk(keyspace.TextOf(*entry));
    }
  }
}

void MSet(Call& call) {
  if (call.size() % 2 == 0) return call.WrongCount("mset");
  for (size_t i = 1; i < call.size(); i += 2) WriteText(call, call[i], call[i + 1], {});
  call.reply.Ok();
}

void MSetNx(Call& call) {
  if (call.size() % 2 == 0) return call.WrongCount("msetnx");
  for (size_t i = 1; i < call.size(); i += 2) {
    if (call.keyspace().Find(call[i]) != nullptr) return call.reply.Integer(0);
  }
  for (size_t i = 1; i < call.size(); i += 2) WriteText(call, call[i], call[i + 1], {});
  call.reply.Integer(1);
}

void AppendText(Call& call) {
  std::optional<std::string_view> old;
  if (!ReadText(call, call[1], &old)) return;
  std::string value(old.value_or(""));
  if (!FitsIn(call, value.size() + call[2].size())) return;
  value += call[2];
  call.keyspace().SetText(call[1], value, {ExpiryChange::Kind::kKeep});
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
  call.Notify(kStringEvent, "setrange", call[1]);
  call.reply.Integer(static_cast<int64_t>(value.size()));
}

}  // namespace meridian::session
