// CONFIG: the settings that clients read, and those that can be changed while the tier runs. The
// others are set in site.toml.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/engine/byte_size.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/events.hpp"
#include "session/engine/glob.hpp"
#include "session/limits.hpp"
#include "wire/resp/limits.hpp"

namespace meridian::session {
namespace {

enum class Change : uint8_t { kChecked, kMade };

struct Setting {
  std::string_view name;
  std::string (*get)(Engine&);
  // Whether the value is allowed; with kMade it is set. Null: the setting cannot be changed.
  bool (*set)(Engine&, std::string_view value, Change change) = nullptr;
  std::string_view what_is_wrong = {};  // the error text for a value that is not allowed
};

std::string Policy(Engine& engine) {
  return engine.options().keyspace.cache_prefix.empty() ? "noeviction" : "allkeys-lru";
}

bool SetEvents(Engine& engine, std::string_view letters, Change change) {
  std::optional<uint32_t> classes = ParseEventClasses(letters);
  if (classes && change == Change::kMade) engine.event_classes() = *classes;
  return classes.has_value();
}

bool SetMaxMemory(Engine& engine, std::string_view text, Change change) {
  std::optional<size_t> bytes = ParseByteSize(text);
  if (bytes && change == Change::kMade) engine.max_memory_bytes() = *bytes;
  return bytes.has_value();
}

// Settings that client libraries set routinely, to values that always hold here.
bool TakeNoSave(Engine& /*engine*/, std::string_view value, Change /*change*/) {
  return value.empty();
}
bool TakeNoTimeout(Engine& /*engine*/, std::string_view value, Change /*change*/) {
  return value == "0";
}

const Setting kSettings[] = {
    {"appendfsync", [](Engine&) -> std::string { return "always"; }},
    {"appendonly",
     [](Engine& engine) -> std::string { return engine.options().durable ? "yes" : "no"; }},
    {"databases", [](Engine&) -> std::string { return "1"; }},
    {"maxclients", [](Engine& engine) { return std::to_string(engine.options().max_clients); }},
    {"maxmemory", [](Engine& engine) { return std::to_string(engine.max_memory_bytes()); },
     &SetMaxMemory, "argument must be a memory value"},
    {"maxmemory-policy", &Policy},
    {"notify-keyspace-events",
     [](Engine& engine) { return EventClassesText(engine.event_classes()); }, &SetEvents,
     "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."},
    {"port", [](Engine& engine) { return std::to_string(engine.options().port); }},
    {"proto-max-bulk-len",
     [](Engine&) { return std::to_string(wire::resp::RequestLimits().max_bulk_bytes); }},
    {"save", [](Engine&) -> std::string { return ""; }, &TakeNoSave,
     "argument must be empty: what is durable is site.toml's to say"},
    {"timeout", [](Engine&) -> std::string { return "0"; }, &TakeNoTimeout,
     "argument must be 0: idle connections are not closed"},
};

const Setting* FindSetting(std::string_view name) {
  const Setting* found = std::ranges::find_if(
      kSettings, [&](const Setting& each) { return EqualsIgnoringCase(name, each.name); });
  return found == std::end(kSettings) ? nullptr : found;
}

void Get(Call& call) {
  std::vector<std::pair<std::string_view, std::string>> found;
  for (const Setting& setting : kSettings) {
    for (std::string_view pattern : call.arguments.subspan(2)) {
      bool named = EqualsIgnoringCase(pattern, setting.name);
      std::string lower(pattern.substr(0, kMaxPatternBytes));
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (!named && !MatchesGlob(lower, setting.name)) continue;
      // The reply spells a setting as the request does.
      found.emplace_back(named ? pattern : setting.name, setting.get(call.engine));
      break;
    }
  }
  call.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    call.reply.Bulk(name);
    call.reply.Bulk(value);
  }
}

// Why the setting at argument `i` cannot be changed to its value; nothing: it can.
std::optional<std::string> Problem(Call& call, size_t i) {
  const Setting* setting = FindSetting(call[i]);
  std::string name(call[i].substr(0, kMaxPatternBytes));
  if (setting == nullptr) {
    return "ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'";
  }
  std::string problem = "ERR CONFIG SET failed (possibly related to argument '" + name + "') - ";
  if (setting->set == nullptr) return problem + "can't set immutable config";
  for (size_t before = 2; before < i; before += 2) {
    if (FindSetting(call[before]) == setting) return problem + "duplicate parameter";
  }
  if (setting->set(call.engine, call[i + 1], Change::kChecked)) return std::nullopt;
  return problem + std::string(setting->what_is_wrong);
}

// Sets all of them, or none.
void Set(Call& call) {
  if (call.size() % 2 != 0) return call.WrongCount("config|set");
  for (size_t i = 2; i < call.size(); i += 2) {
    if (std::optional<std::string> problem = Problem(call, i)) return call.reply.Error(*problem);
  }
  for (size_t i = 2; i < call.size(); i += 2) {
    (void)FindSetting(call[i])->set(call.engine, call[i + 1], Change::kMade);
  }
  call.reply.Ok();
}

void ResetStatistics(Call& call) {
  call.engine.statistics() = {};
  call.keyspace().ResetCounts();
  call.reply.Ok();
}

void Rewrite(Call& call) { call.reply.Error("ERR The server is running without a config file"); }

constexpr Subcommand kSubcommands[] = {
    {"GET", -3, &Get, "GET <pattern> ...", "Return settings that match the patterns."},
    {"RESETSTAT", 2, &ResetStatistics, "RESETSTAT", "Reset the statistics that INFO reports."},
    {"REWRITE", 2, &Rewrite, "REWRITE", "Return an error: site.toml is written by people."},
    {"SET", -4, &Set, "SET <name> <value> ...", "Change settings, until the process ends."},
};

}  // namespace

void Config(Call& call) { call.Dispatch(kSubcommands); }

}  // namespace meridian::session
