// Commands that walk: KEYS, and the SCAN family, whose cursors are ScanTable's.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/commands/long_reply.hpp"
#include "session/data/collections.hpp"
#include "session/data/entry.hpp"
#include "session/data/field.hpp"
#include "session/data/keyspace.hpp"
#include "session/data/member.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/glob.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

constexpr size_t kUsualCount = 10;
// A set of so many members is scanned in one step, even if they are no integers.
constexpr size_t kAllAtOnce = 128;

struct ScanOptions {
  uint64_t cursor = 0;
  size_t count = kUsualCount;
  std::optional<std::string_view> pattern;  // nothing: everything
  std::string_view type;
  bool without_values = false;

  bool Fits(std::string_view name) const { return !pattern || MatchesGlob(*pattern, name); }
};

bool ReadPattern(const Call& call, size_t i, std::optional<std::string_view>* pattern) {
  if (call[i].size() > kMaxPatternBytes) {
    call.reply.Error("ERR pattern is too long");
    return false;
  }
  if (call[i] != "*") *pattern = call[i];
  return true;
}

bool ReadCursor(const Call& call, size_t at, ScanOptions* options) {
  std::string_view cursor = call[at];
  auto [end, error] =
      std::from_chars(cursor.data(), cursor.data() + cursor.size(), options->cursor);
  if (error == std::errc() && end == cursor.data() + cursor.size()) return true;
  call.reply.Error("ERR invalid cursor");
  return false;
}

// The options behind the cursor at argument `at`.
bool ReadOptions(const Call& call, size_t at, ScanOptions* options) {
  for (size_t i = at + 1; i < call.size(); ++i) {
    if (call.Is(i, "NOVALUES") && call.command == "hscan") {
      options->without_values = true;
      continue;
    }
    if (i + 1 == call.size()) {
      call.SyntaxError();
      return false;
    }
    if (call.Is(i, "COUNT")) {
      int64_t count = 0;
      if (!call.Integer(++i, &count)) return false;
      if (count < 1) {
        call.SyntaxError();
        return false;
      }
      options->count = std::min(static_cast<size_t>(count), kMaxScanCount);
    } else if (call.Is(i, "MATCH")) {
      if (!ReadPattern(call, ++i, &options->pattern)) return false;
    } else if (call.Is(i, "TYPE") && call.command == "scan") {
      options->type = call[++i];
    } else {
      call.SyntaxError();
      return false;
    }
  }
  return true;
}

void ReplyScan(Call& call, uint64_t cursor, const std::vector<std::string_view>& found) {
  call.reply.Array(2);
  call.reply.BulkInteger(static_cast<int64_t>(cursor));
  call.reply.Array(found.size());
  for (std::string_view name : found) call.reply.Bulk(name);
}

}  // namespace

void Keys(Call& call) {
  std::optional<std::string_view> pattern;
  if (!ReadPattern(call, 1, &pattern)) return;
  if (call.keyspace().entries() > kReplyItemsPerIteration && call.MaySpanIterations()) {
    call.client.long_reply = std::make_unique<KeysReply>(call.keyspace(), pattern);
    return;
  }
  std::vector<std::string_view>& found = call.engine.found();
  found.clear();
  call.keyspace().ForEach([&](const Entry& entry) {
    if (!pattern || MatchesGlob(*pattern, entry.key())) found.push_back(entry.key());
  });
  call.reply.Array(found.size());
  for (std::string_view key : found) call.reply.Bulk(key);
}

void Scan(Call& call) {
  ScanOptions options;
  if (!ReadCursor(call, 1, &options) || !ReadOptions(call, 1, &options)) return;
  std::vector<std::string_view>& found = call.engine.found();
  found.clear();
  Keyspace& keyspace = call.keyspace();
  uint64_t cursor = keyspace.Scan(options.cursor, options.count, [&](const Entry& entry) {
    bool of_type =
        options.type.empty() || EqualsIgnoringCase(options.type, ValueTypeName(TypeOf(entry)));
    if (of_type && options.Fits(entry.key())) found.push_back(entry.key());
  });
  ReplyScan(call, cursor, found);
}

// One step of a scan of a Fields or Members; all of a small one, in order, whatever the cursor.
template <class Items, class Visit>
uint64_t ScanStep(const Items& items, const ScanOptions& options, Visit visit) {
  if (items.small()) {
    items.ForEachInOrder(visit);
    return 0;
  }
  size_t count = std::max(options.count, items.size() <= kAllAtOnce ? kAllAtOnce : 0);
  return items.Scan(options.cursor, count, visit);
}

// A missing key has no items, whatever the options.
void HScan(Call& call) {
  ScanOptions options;
  const Fields* fields = nullptr;
  if (!ReadCursor(call, 2, &options) || !ReadFields(call, call[1], &fields)) return;
  std::vector<std::string_view>& found = call.engine.found();
  found.clear();
  if (fields == nullptr) return ReplyScan(call, 0, found);
  if (!ReadOptions(call, 2, &options)) return;
  uint64_t cursor = ScanStep(*fields, options, [&](const Field& field) {
    if (!options.Fits(field.key())) return;
    found.push_back(field.key());
    if (!options.without_values) found.push_back(field.value());
  });
  ReplyScan(call, cursor, found);
}

void SScan(Call& call) {
  ScanOptions options;
  const Members* members = nullptr;
  if (!ReadCursor(call, 2, &options) || !ReadMembers(call, call[1], &members)) return;
  std::vector<std::string_view>& found = call.engine.found();
  found.clear();
  if (members == nullptr) return ReplyScan(call, 0, found);
  if (!ReadOptions(call, 2, &options)) return;
  uint64_t cursor = ScanStep(*members, options, [&](const Member& member) {
    if (options.Fits(member.key())) found.push_back(member.key());
  });
  ReplyScan(call, cursor, found);
}

}  // namespace meridian::session
