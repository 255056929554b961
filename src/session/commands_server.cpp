// Commands on the server: INFO, CONFIG, TIME, WAIT.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "session/byte_size.hpp"
#include "session/client.hpp"
#include "session/command.hpp"
#include "session/engine.hpp"
#include "session/events.hpp"
#include "session/glob.hpp"
#include "session/handlers.hpp"
#include "session/keyspace.hpp"
#include "session/limits.hpp"
#include "session/server_identity.hpp"
#include "wire/resp/limits.hpp"

namespace meridian::session {
namespace {

std::string ServerSection(Engine& engine) {
  auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(engine.clock().Now() - engine.started_at());
  constexpr int64_t kSecondsPerDay = 86400;
  return fmt::format(
      "redis_version:{}\r\nredis_mode:standalone\r\nserver_name:meridian\r\nprocess_id:{}\r\n"
      "tcp_port:{}\r\nuptime_in_seconds:{}\r\nuptime_in_days:{}\r\n",
      kRedisVersion, getpid(), engine.options().port, uptime.count(),
      uptime.count() / kSecondsPerDay);
}

std::string ClientsSection(Engine& engine) {
  size_t listening = 0;
  for (const auto& [id, client] : engine.clients()) listening += client->subscriptions() > 0;
  return fmt::format("connected_clients:{}\r\nmaxclients:{}\r\npubsub_clients:{}\r\n",
                     engine.clients().size(), engine.options().max_clients, listening);
}

std::string MemorySection(Engine& engine) {
  return fmt::format("used_memory:{}\r\nmaxmemory:{}\r\nmaxmemory_policy:{}\r\n",
                     engine.keyspace().used_bytes(), engine.max_memory_bytes(),
                     engine.options().keyspace.cache_prefix.empty() ? "noeviction" : "allkeys-lru");
}

std::string PersistenceSection(Engine& engine) {
  return fmt::format("loading:0\r\naof_enabled:{}\r\naof_last_write_status:{}\r\n",
                     engine.options().durable ? 1 : 0,
                     engine.journal().refusal().empty() ? "ok" : "err");
}

std::string StatsSection(Engine& engine) {
  const Statistics& statistics = engine.statistics();
  return fmt::format(
      "total_connections_received:{}\r\ntotal_commands_processed:{}\r\n"
      "total_net_input_bytes:{}\r\ntotal_net_output_bytes:{}\r\nrejected_connections:{}\r\n"
      "expired_keys:{}\r\nevicted_keys:{}\r\nkeyspace_hits:{}\r\nkeyspace_misses:{}\r\n"
      "pubsub_channels:{}\r\npubsub_patterns:{}\r\ntotal_error_replies:{}\r\n",
      statistics.connections, statistics.commands, statistics.read_bytes, statistics.written_bytes,
      statistics.refused_connections, engine.keyspace().expired(), engine.keyspace().evicted(),
      statistics.hits, statistics.misses, engine.subscriptions().Channels("").size(),
      engine.subscriptions().patterns(), statistics.failed_commands);
}

std::string ReplicationSection(Engine& /*engine*/) {
  return "role:master\r\nconnected_slaves:0\r\n";
}

std::string KeyspaceSection(Engine& engine) {
  if (engine.keyspace().size() == 0) return "";
  return fmt::format("db0:keys={},expires=0,avg_ttl=0\r\n", engine.keyspace().size());
}

struct Section {
  std::string_view name;
  std::string (*text)(Engine&);
};
constexpr Section kSections[] = {
    {"Server", &ServerSection},     {"Clients", &ClientsSection},
    {"Memory", &MemorySection},     {"Persistence", &PersistenceSection},
    {"Stats", &StatsSection},       {"Replication", &ReplicationSection},
    {"Keyspace", &KeyspaceSection},
};

// A setting that CONFIG GET shows. Those with `set` can be changed while the tier runs; the others
// are site.toml's.
struct Setting {
  std::string_view name;
  std::string (*get)(Engine&);
  bool (*set)(Engine&, std::string_view) = nullptr;
};

bool SetEvents(Engine& engine, std::string_view letters) {
  std::optional<uint32_t> classes = ParseEventClasses(letters);
  if (classes) engine.event_classes() = *classes;
  return classes.has_value();
}

bool SetMaxMemory(Engine& engine, std::string_view text) {
  std::optional<size_t> bytes = ParseByteSize(text);
  if (bytes) engine.max_memory_bytes() = *bytes;
  return bytes.has_value();
}

const Setting kSettings[] = {
    {"appendfsync", [](Engine&) -> std::string { return "always"; }},
    {"appendonly",
     [](Engine& engine) -> std::string { return engine.options().durable ? "yes" : "no"; }},
    {"databases", [](Engine&) -> std::string { return "1"; }},
    {"maxclients", [](Engine& engine) { return std::to_string(engine.options().max_clients); }},
    {"maxmemory", [](Engine& engine) { return std::to_string(engine.max_memory_bytes()); },
     &SetMaxMemory},
    {"maxmemory-policy",
     [](Engine& engine) -> std::string {
       return engine.options().keyspace.cache_prefix.empty() ? "noeviction" : "allkeys-lru";
     }},
    {"notify-keyspace-events",
     [](Engine& engine) { return EventClassesText(engine.event_classes()); }, &SetEvents},
    {"port", [](Engine& engine) { return std::to_string(engine.options().port); }},
    {"proto-max-bulk-len",
     [](Engine&) { return std::to_string(wire::resp::RequestLimits().max_bulk_bytes); }},
    {"save", [](Engine&) -> std::string { return ""; }},
    {"timeout", [](Engine&) -> std::string { return "0"; }},
};

void ConfigGet(Call& call) {
  std::vector<std::pair<std::string_view, std::string>> found;
  for (const Setting& setting : kSettings) {
    for (std::string_view pattern : call.arguments.subspan(2)) {
      std::string lower(pattern.substr(0, kMaxPatternBytes));
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (!MatchesGlob(lower, setting.name)) continue;
      found.emplace_back(setting.name, setting.get(call.engine));
      break;
    }
  }
  call.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    call.reply.Bulk(name);
    call.reply.Bulk(value);
  }
}

void ConfigSet(Call& call) {
  for (size_t i = 2; i < call.size(); i += 2) {
    const Setting* found = nullptr;
    for (const Setting& setting : kSettings) {
      if (EqualsIgnoringCase(call[i], setting.name)) found = &setting;
    }
    std::string name(call[i]);
    if (found == nullptr) {
      return call.reply.Error("ERR Unknown option or number of arguments for CONFIG SET - '" +
                              name + "'");
    }
    if (found->set == nullptr) {
      return call.reply.Error("ERR CONFIG SET failed (possibly related to argument '" + name +
                              "') - can't set immutable config");
    }
    if (!found->set(call.engine, call[i + 1])) {
      return call.reply.Error("ERR CONFIG SET failed (possibly related to argument '" + name +
                              "') - argument couldn't be parsed");
    }
  }
  call.reply.Ok();
}

}  // namespace

void Info(Call& call) {
  std::string text;
  for (const Section& section : kSections) {
    bool wanted = call.size() == 1;
    for (std::string_view name : call.arguments.subspan(1)) {
      wanted |= EqualsIgnoringCase(name, section.name) || EqualsIgnoringCase(name, "all") ||
                EqualsIgnoringCase(name, "default") || EqualsIgnoringCase(name, "everything");
    }
    if (!wanted) continue;
    if (!text.empty()) text += "\r\n";
    text += fmt::format("# {}\r\n{}", section.name, section.text(call.engine));
  }
  call.reply.Verbatim("txt", text);
}

void Config(Call& call) {
  if (call.Is(1, "GET")) {
    if (call.size() < 3) return call.WrongCount("config|get");
    return ConfigGet(call);
  }
  if (call.Is(1, "SET")) {
    if (call.size() < 4 || call.size() % 2 != 0) return call.WrongCount("config|set");
    return ConfigSet(call);
  }
  if (call.Is(1, "RESETSTAT")) {
    call.engine.statistics() = {};
    return call.reply.Ok();
  }
  if (call.Is(1, "REWRITE")) {
    return call.reply.Error("ERR The server is running without a config file");
  }
  call.UnknownSubcommand();
}

void Time(Call& call) {
  constexpr int64_t kMicrosecondsPerSecond = 1000000;
  int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(
                   call.engine.clock().Wall().time_since_epoch())
                   .count();
  call.reply.Array(2);
  call.reply.BulkInteger(us / kMicrosecondsPerSecond);
  call.reply.BulkInteger(us % kMicrosecondsPerSecond);
}

// How many other data centers have what this client has written: the connection waits for them.
void Wait(Call& call) {
  int64_t wanted = 0;
  int64_t timeout_ms = 0;
  if (!call.Integer(1, &wanted) || !call.Integer(2, &timeout_ms)) return;
  if (timeout_ms < 0) return call.reply.Error("ERR timeout is negative");
  if (call.client.reply_mode != Client::ReplyMode::kOn) return;
  auto most = std::chrono::duration_cast<std::chrono::milliseconds>(kMostWait);
  // 0: for ever, which is as long as anybody may.
  if (timeout_ms > 0 && timeout_ms < most.count()) most = std::chrono::milliseconds{timeout_ms};
  call.client.wait = {static_cast<size_t>(std::max<int64_t>(wanted, 0)), most};
}

}  // namespace meridian::session
