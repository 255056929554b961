// Commands on the connection itself: authentication and the protocol version.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/crypto.h>

#include "session/commands/handlers.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/server_identity.hpp"
#include "wire/resp/number.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {
namespace {

// Takes the same time for a wrong password as for the right one.
bool IsPassword(const Engine& engine, std::string_view user, std::string_view password) {
  const auto& passwords = engine.options().passwords;
  auto found = passwords.find(user);
  if (found == passwords.end() || found->second.size() != password.size()) return false;
  return CRYPTO_memcmp(found->second.data(), password.data(), password.size()) == 0;
}

bool LogIn(Call& call, std::string_view user, std::string_view password) {
  bool open = call.engine.options().passwords.empty() && user == kDefaultUser;
  if (!open && !IsPassword(call.engine, user, password)) {
    call.reply.Error("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  call.client.authenticated = true;
  call.client.user = user;
  return true;
}

void ReplyHello(Call& call) {
  call.reply.Map(7);
  call.reply.Bulk("server");
  call.reply.Bulk("redis");
  call.reply.Bulk("version");
  call.reply.Bulk(kRedisVersion);
  call.reply.Bulk("proto");
  call.reply.Integer(static_cast<int64_t>(call.client.version));
  call.reply.Bulk("id");
  call.reply.Integer(static_cast<int64_t>(call.client.id));
  call.reply.Bulk("mode");
  call.reply.Bulk("standalone");
  call.reply.Bulk("role");
  call.reply.Bulk("master");
  call.reply.Bulk("modules");
  call.reply.Array(0);
}

struct HelloOptions {
  std::optional<int64_t> version;
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

bool ReadHello(Call& call, HelloOptions* options) {
  if (call.size() > 1) {
    options->version = wire::resp::ParseInteger(call[1]);
    if (!options->version) {
      call.reply.Error("ERR Protocol version is not an integer or out of range");
      return false;
    }
    if (*options->version != 2 && *options->version != 3) {
      call.reply.Error("NOPROTO unsupported protocol version");
      return false;
    }
  }
  for (size_t i = 2; i < call.size(); ++i) {
    if (call.Is(i, "AUTH") && i + 2 < call.size()) {
      options->user = call[i + 1];
      options->password = call[i + 2];
      i += 2;
    } else if (call.Is(i, "SETNAME") && i + 1 < call.size()) {
      options->name = call[++i];
    } else {
      call.reply.Error("ERR Syntax error in HELLO option '" + std::string(call[i]) + "'");
      return false;
    }
  }
  return true;
}

void WhoAmI(Call& call) { call.reply.Bulk(call.client.user); }

void Users(Call& call) {
  const auto& passwords = call.engine.options().passwords;
  bool has_default = passwords.contains(kDefaultUser);
  call.reply.Array(passwords.size() + (has_default ? 0 : 1));
  if (!has_default) call.reply.Bulk(kDefaultUser);
  for (const auto& [user, password] : passwords) call.reply.Bulk(user);
}

constexpr Subcommand kAclSubcommands[] = {
    {"USERS", 2, &Users, "USERS", "List all the configured usernames."},
    {"WHOAMI", 2, &WhoAmI, "WHOAMI", "Return the current connection username."},
};

}  // namespace

void AclCommand(Call& call) { call.Dispatch(kAclSubcommands); }

void Ping(Call& call) {
  if (call.size() > 2) return call.WrongCount("ping");
  bool listens = call.client.subscriptions() > 0;
  if (listens && call.reply.version() == wire::resp::Version::kResp2) {
    call.reply.Array(2);
    call.reply.Bulk("pong");
    return call.reply.Bulk(call.size() == 2 ? call[1] : "");
  }
  if (call.size() == 2) return call.reply.Bulk(call[1]);
  call.reply.SimpleString("PONG");
}

void Echo(Call& call) { call.reply.Bulk(call[1]); }

void Auth(Call& call) {
  if (call.size() > 3) return call.SyntaxError();
  if (call.size() == 2 && call.engine.options().passwords.empty()) {
    return call.reply.Error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  std::string_view user = call.size() == 3 ? call[1] : kDefaultUser;
  if (LogIn(call, user, call[call.size() - 1])) call.reply.Ok();
}

void Hello(Call& call) {
  HelloOptions options;
  if (!ReadHello(call, &options)) return;
  if (options.user && !LogIn(call, *options.user, options.password)) return;
  if (!call.client.authenticated) {
    return call.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (options.name) {
    if (!IsClientName(*options.name)) {
      return call.reply.Error(
          "ERR Client names cannot contain spaces, newlines or special characters.");
    }
    call.client.name = *options.name;
  }
  if (options.version) {
    call.client.version =
        *options.version == 3 ? wire::resp::Version::kResp3 : wire::resp::Version::kResp2;
    call.reply.set_version(call.client.version);
  }
  ReplyHello(call);
}

void Select(Call& call) {
  int64_t index = 0;
  if (!call.Integer(1, &index)) return;
  if (index != 0) return call.reply.Error("ERR DB index is out of range");
  call.reply.Ok();
}

void Quit(Call& call) {
  call.reply.Ok();
  call.client.closing = true;
}

void Reset(Call& call) {
  Client& client = call.client;
  call.engine.subscriptions().Forget(client);
  call.engine.watches().Forget(client);
  client.transaction = {};
  client.name.clear();
  client.user = kDefaultUser;
  client.version = wire::resp::Version::kResp2;
  client.authenticated = call.engine.options().passwords.empty();
  client.reply_mode = Client::ReplyMode::kOn;
  client.no_evict = false;
  call.reply.set_version(client.version);
  call.reply.SimpleString("RESET");
}

}  // namespace meridian::session
