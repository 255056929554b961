// CLIENT and its subcommands.
#include "session/engine/client.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "session/commands/handlers.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/server_identity.hpp"
#include "wire/resp/number.hpp"

namespace meridian::session {
namespace {

int64_t SecondsSince(const Call& call, TimePoint then) {
  return std::chrono::duration_cast<std::chrono::seconds>(call.engine.clock().Now() - then).count();
}

std::string Describe(const Call& call, const Client& client) {
  const Transaction& transaction = client.transaction;
  return fmt::format(
      "id={} addr={} laddr={} fd=0 name={} age={} idle={} flags={} db=0 sub={} psub={} ssub=0 "
      "multi={} watch={} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem={} rbs=0 rbp=0 obl={} oll=0 "
      "omem=0 "
      "tot-mem={} events=r cmd={} user={} redir=-1 resp={} lib-name={} lib-ver={}\n",
      client.id, client.address, client.local_address, client.name,
      SecondsSince(call, client.connected_at), SecondsSince(call, client.active_at),
      client.subscriptions() > 0 ? "P" : (transaction.open ? "x" : "N"), client.channels.size(),
      client.patterns.size(),
      transaction.open ? static_cast<int64_t>(transaction.queued.size()) : -1,
      transaction.watched.size(), transaction.queued_bytes, client.output.size(),
      client.output.capacity(), client.last_command.empty() ? "NULL" : client.last_command,
      client.user, static_cast<int>(client.version), client.library_name, client.library_version);
}

void SetName(Call& call) {
  if (!IsClientName(call[2])) {
    return call.reply.Error(
        "ERR Client names cannot contain spaces, newlines or special characters.");
  }
  call.client.name = call[2];
  call.reply.Ok();
}

void GetName(Call& call) {
  if (call.client.name.empty()) return call.reply.Null();
  call.reply.Bulk(call.client.name);
}

void Id(Call& call) { call.reply.Integer(static_cast<int64_t>(call.client.id)); }

void ClientInfo(Call& call) { call.reply.Verbatim("txt", Describe(call, call.client)); }

void SetInfo(Call& call) {
  if (!IsClientName(call[3])) {
    return call.reply.Error("ERR " + std::string(call[2]) +
                            " cannot contain spaces, newlines or special characters.");
  }
  if (call.Is(2, "LIB-NAME")) {
    call.client.library_name = call[3];
  } else if (call.Is(2, "LIB-VER")) {
    call.client.library_version = call[3];
  } else {
    return call.reply.Error("ERR Unrecognized option '" + std::string(call[2]) + "'");
  }
  call.reply.Ok();
}

bool IsClientType(const Call& call, size_t i) {
  constexpr std::string_view kTypes[] = {"NORMAL", "PUBSUB", "MASTER", "REPLICA", "SLAVE"};
  return std::ranges::any_of(kTypes, [&](std::string_view type) { return call.Is(i, type); });
}

bool IsUser(const Call& call, std::string_view name) {
  return name == kDefaultUser || call.engine.options().passwords.contains(name);
}

void List(Call& call) {
  std::string text;
  bool by_type = call.size() == 4 && call.Is(2, "TYPE");
  bool by_id = call.size() > 3 && call.Is(2, "ID");
  if (call.size() > 2 && !by_type && !by_id) return call.SyntaxError();
  if (by_type && !IsClientType(call, 3)) {
    return call.reply.Error("ERR Unknown client type '" + std::string(call[3]) + "'");
  }
  for (size_t i = 3; by_id && i < call.size(); ++i) {
    if (!wire::resp::ParseInteger(call[i])) return call.reply.Error("ERR Invalid client ID");
  }
  for (const auto& [id, client] : call.engine.clients()) {
    bool wanted = !by_type || call.Is(3, client->subscriptions() > 0 ? "PUBSUB" : "NORMAL");
    if (by_id) {
      wanted = false;
      for (std::string_view text_id : call.arguments.subspan(3)) {
        wanted |= wire::resp::ParseInteger(text_id) == static_cast<int64_t>(id);
      }
    }
    if (wanted) text += Describe(call, *client);
  }
  call.reply.Verbatim("txt", text);
}

void KillOne(Call& call, Client& client) {
  client.closing = true;
  // The client's own connection is closed after the reply.
  if (&client != &call.client) client.connection.Disconnect();
}

struct KillFilter {
  std::optional<int64_t> id;
  std::string_view address;
  std::string_view local_address;
  std::string_view user;
  std::string_view type;
  bool skip_me = true;

  bool Fits(const Call& call, const Client& client) const {
    if (skip_me && &client == &call.client) return false;
    if (id && static_cast<uint64_t>(*id) != client.id) return false;
    if (!address.empty() && address != client.address) return false;
    if (!local_address.empty() && local_address != client.local_address) return false;
    if (!user.empty() && user != client.user) return false;
    std::string_view own_type = client.subscriptions() > 0 ? "pubsub" : "normal";
    return type.empty() || EqualsIgnoringCase(type, own_type);
  }
};

bool ReadKillFilter(Call& call, KillFilter* filter) {
  for (size_t i = 2; i < call.size(); i += 2) {
    if (i + 1 == call.size()) {
      call.SyntaxError();
      return false;
    }
    if (call.Is(i, "ID")) {
      filter->id = wire::resp::ParseInteger(call[i + 1]);
      if (!filter->id || *filter->id <= 0) {
        call.reply.Error("ERR client-id should be greater than 0");
        return false;
      }
    } else if (call.Is(i, "ADDR")) {
      filter->address = call[i + 1];
    } else if (call.Is(i, "LADDR")) {
      filter->local_address = call[i + 1];
    } else if (call.Is(i, "USER")) {
      filter->user = call[i + 1];
      if (IsUser(call, filter->user)) continue;
      call.reply.Error("ERR No such user '" + std::string(filter->user) + "'");
      return false;
    } else if (call.Is(i, "TYPE")) {
      filter->type = call[i + 1];
      if (IsClientType(call, i + 1)) continue;
      call.reply.Error("ERR Unknown client type '" + std::string(filter->type) + "'");
      return false;
    } else if (call.Is(i, "SKIPME") && (call.Is(i + 1, "YES") || call.Is(i + 1, "NO"))) {
      filter->skip_me = call.Is(i + 1, "YES");
    } else {
      call.SyntaxError();
      return false;
    }
  }
  return true;
}

void Kill(Call& call) {
  KillFilter filter;
  bool by_address = call.size() == 3;
  if (by_address) {
    filter.address = call[2];
    filter.skip_me = false;
  } else if (!ReadKillFilter(call, &filter)) {
    return;
  }
  std::vector<Client*> killed;
  for (const auto& [id, client] : call.engine.clients()) {
    if (filter.Fits(call, *client)) killed.push_back(client);
  }
  for (Client* client : killed) KillOne(call, *client);
  if (!by_address) return call.reply.Integer(static_cast<int64_t>(killed.size()));
  if (killed.empty()) return call.reply.Error("ERR No such client");
  call.reply.Ok();
}

void NoEvict(Call& call) {
  if (!call.Is(2, "ON") && !call.Is(2, "OFF")) return call.SyntaxError();
  call.client.no_evict = call.Is(2, "ON");
  call.reply.Ok();
}

void Reply(Call& call) {
  if (call.Is(2, "ON")) {
    call.client.reply_mode = Client::ReplyMode::kOn;
    return call.reply.Ok();
  }
  if (call.Is(2, "OFF")) {
    call.client.reply_mode = Client::ReplyMode::kOff;
  } else if (call.Is(2, "SKIP")) {
    call.client.reply_mode = Client::ReplyMode::kSkipNext;
  } else {
    call.SyntaxError();
  }
}

void GetRedirection(Call& call) { call.reply.Integer(-1); }  // there is no tracking

// No command pauses or blocks clients, so there is nothing to undo.
void Unpause(Call& call) { call.reply.Ok(); }
void Unblock(Call& call) {
  int64_t id = 0;
  if (call.size() > 4) return call.WrongCount("client|unblock");
  if (call.size() == 4 && !call.Is(3, "TIMEOUT") && !call.Is(3, "ERROR")) {
    return call.reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  if (call.Integer(2, &id)) call.reply.Integer(0);
}

constexpr Subcommand kSubcommands[] = {
    {"GETNAME", 2, &GetName, "GETNAME", "Return the name of the current connection."},
    {"GETREDIR", 2, &GetRedirection, "GETREDIR", "Return -1: there is no tracking."},
    {"ID", 2, &Id, "ID", "Return the ID of the current connection."},
    {"INFO", 2, &ClientInfo, "INFO", "Return information about the current connection."},
    {"KILL", -3, &Kill, "KILL <ip:port> | ID|TYPE|USER|ADDR|LADDR|SKIPME <value> ...",
     "End connections."},
    {"LIST", -2, &List, "LIST [TYPE <type> | ID <id> ...]",
     "Return information about connections."},
    {"NO-EVICT", 3, &NoEvict, "NO-EVICT (ON|OFF)", "Accepted; clients are never evicted."},
    {"REPLY", 3, &Reply, "REPLY (ON|OFF|SKIP)", "Control the replies sent to this connection."},
    {"SETINFO", 4, &SetInfo, "SETINFO (LIB-NAME|LIB-VER) <value>", "Name the client library."},
    {"SETNAME", 3, &SetName, "SETNAME <name>", "Assign a name to the current connection."},
    {"UNBLOCK", -3, &Unblock, "UNBLOCK <id> [TIMEOUT|ERROR]", "Return 0: no client is blocked."},
    {"UNPAUSE", 2, &Unpause, "UNPAUSE", "Accepted; clients are never paused."},
};

}  // namespace

void ClientCommand(Call& call) { call.Dispatch(kSubcommands); }

}  // namespace meridian::session
