// Commands on the server: INFO, TIME, ROLE, WAIT.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "session/commands/handlers.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/server_identity.hpp"
#include "session/limits.hpp"
#include "session/replication/acknowledgements.hpp"
#include "session/replication/change_journal.hpp"
#include "wire/resp/number.hpp"

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
      statistics.hits, statistics.misses, engine.subscriptions().channels(),
      engine.subscriptions().patterns(), statistics.failed_commands);
}

std::string ReplicationSection(Engine& /*engine*/) {
  return "role:master\r\nconnected_slaves:0\r\n";
}

std::string KeyspaceSection(Engine& engine) {
  if (engine.keyspace().size() == 0) return "";
  return fmt::format("db0:keys={},expires={},avg_ttl=0\r\n", engine.keyspace().size(),
                     engine.keyspace().expiring());
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

void Time(Call& call) {
  constexpr int64_t kMicrosecondsPerSecond = 1000000;
  int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(
                   call.engine.clock().Wall().time_since_epoch())
                   .count();
  call.reply.Array(2);
  call.reply.BulkInteger(us / kMicrosecondsPerSecond);
  call.reply.BulkInteger(us % kMicrosecondsPerSecond);
}

// Every data center accepts writes.
void Role(Call& call) {
  call.reply.Array(3);
  call.reply.Bulk("master");
  call.reply.Integer(static_cast<int64_t>(call.engine.journal().durable_end_offset()));
  call.reply.Array(0);
}

// Number of other data centers that acknowledged this client's writes: the connection waits for
// them. In a transaction WAIT does not wait.
void Wait(Call& call) {
  int64_t wanted = 0;
  if (!call.Integer(1, &wanted)) return;
  std::optional<int64_t> timeout = wire::resp::ParseInteger(call[2]);
  if (!timeout) return call.reply.Error("ERR timeout is not an integer or out of range");
  int64_t timeout_ms = *timeout;
  if (timeout_ms < 0) return call.reply.Error("ERR timeout is negative");
  if (call.client.reply_mode != Client::ReplyMode::kOn) return;
  if (call.client.in_exec) {
    Acknowledgements* acknowledgements = call.engine.acknowledgements();
    size_t have =
        acknowledgements == nullptr ? 0 : acknowledgements->Count(call.client.awaited_offset);
    return call.reply.Integer(static_cast<int64_t>(have));
  }
  auto most = std::chrono::duration_cast<std::chrono::milliseconds>(kMaxWait);
  // 0: for ever, which is kMaxWait.
  if (timeout_ms > 0 && timeout_ms < most.count()) most = std::chrono::milliseconds{timeout_ms};
  call.client.wait = {static_cast<size_t>(std::max<int64_t>(wanted, 0)), most};
}

}  // namespace meridian::session
