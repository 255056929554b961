// MULTI, EXEC, DISCARD and WATCH. The requests of a transaction are executed without other requests
// between them, and what they write is one change.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/limits.hpp"

namespace meridian::session {
namespace {

void End(Call& call) {
  call.engine.watches().Forget(call.client);
  call.client.transaction = {};
}

}  // namespace

void Multi(Call& call) {
  if (call.client.transaction.open) return call.reply.Error("ERR MULTI calls can not be nested");
  call.client.transaction.open = true;
  call.reply.Ok();
}

void Exec(Call& call) {
  Transaction& transaction = call.client.transaction;
  if (!transaction.open) return call.reply.Error("ERR EXEC without MULTI");
  if (transaction.broken) {
    End(call);
    return call.reply.Error("EXECABORT Transaction discarded because of previous errors.");
  }
  // A watched key may have expired meanwhile, which no command has seen yet.
  for (const std::string& key : transaction.watched) (void)call.keyspace().Peek(key);
  bool stale = transaction.stale;
  std::vector<std::vector<std::string>> queued = std::move(transaction.queued);
  End(call);
  if (stale) return call.reply.NullArray();
  uint32_t flags = 0;
  for (const std::vector<std::string>& request : queued) flags |= FindCommand(request[0])->flags;
  std::string refusal = call.engine.RefusalOf(flags, {});
  if (!refusal.empty()) {
    return call.reply.Error("EXECABORT Transaction discarded because of: " + refusal);
  }
  call.client.in_exec = true;
  call.reply.Array(queued.size());
  std::vector<std::string_view> arguments;
  for (const std::vector<std::string>& request : queued) {
    arguments.assign(request.begin(), request.end());
    call.engine.Run(call.client, *FindCommand(arguments[0]), arguments, call.reply);
  }
  call.client.in_exec = false;
}

void Discard(Call& call) {
  if (!call.client.transaction.open) return call.reply.Error("ERR DISCARD without MULTI");
  End(call);
  call.reply.Ok();
}

void Watch(Call& call) {
  if (call.client.transaction.open) {
    return call.reply.Error("ERR WATCH inside MULTI is not allowed");
  }
  if (call.client.transaction.watched.size() + call.size() - 1 > kMaxWatchedKeys) {
    return call.reply.Error("ERR too many watched keys");
  }
  for (std::string_view key : call.arguments.subspan(1)) {
    // A key that has expired before is not changed by expiring.
    (void)call.keyspace().Peek(key);
    call.engine.watches().Watch(call.client, key);
  }
  call.reply.Ok();
}

void Unwatch(Call& call) {
  call.engine.watches().Forget(call.client);
  call.reply.Ok();
}

}  // namespace meridian::session
