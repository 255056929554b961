#include "session/engine/engine.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "session/data/keyspace.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/events.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"
#include "wire/resp/request_parser.hpp"

namespace meridian::session {
namespace {

constexpr std::string_view kOutOfMemory = "OOM command not allowed when used memory > 'maxmemory'.";

using wire::resp::Arguments;
using wire::resp::ReplyWriter;

constexpr size_t kQuotedBytes = 128;  // of a client's input, in an error

// The first words of an HTTP request's lines, which arrive as names of commands.
bool IsHttp(std::string_view name) {
  return EqualsIgnoringCase(name, "post") || EqualsIgnoringCase(name, "host:");
}

// After SUBSCRIBE an old client could not tell a reply from a message.
bool OnlyListens(const Client& client) {
  return client.version == wire::resp::Version::kResp2 && client.subscriptions() > 0;
}

}  // namespace

Engine::Engine(const Parts& parts, EngineOptions options)
    : parts_(parts),
      options_(std::move(options)),
      keyspace_(options_.keyspace, parts.hybrid_clock),
      random_(options_.keyspace.seed + 1),
      started_at_(parts.clock.Now()) {
  keyspace_.set_listener(this);
}

void Engine::RemoveClient(Client& client) {
  subscriptions_.Forget(client);
  watches_.Forget(client);
  clients_.erase(client.id);
}

bool Engine::Sweep() {
  keyspace_.SetNow(parts_.clock.Wall());
  bool done = keyspace_.Sweep();
  if (options_.max_memory_bytes == 0) return done;
  size_t evicted = keyspace_.evicted();
  (void)keyspace_.EvictTo(options_.max_memory_bytes);
  return done && keyspace_.evicted() - evicted < kMaxEvictions;
}

void Engine::Notify(EventClass event_class, std::string_view event, std::string_view key) {
  if ((event_classes_ & event_class) == 0 || !subscriptions_.any()) return;
  if ((event_classes_ & kKeyspaceChannel) != 0) {
    channel_ = "__keyspace@0__:";
    channel_ += key;
    subscriptions_.Publish(channel_, event);
  }
  if ((event_classes_ & kKeyeventChannel) != 0) {
    channel_ = "__keyevent@0__:";
    channel_ += event;
    subscriptions_.Publish(channel_, key);
  }
}

void Engine::RefuseUnknown(Arguments arguments, ReplyWriter& reply) {
  std::string text = "ERR unknown command '";
  text += arguments[0].substr(0, kQuotedBytes);
  text += "', with args beginning with: ";
  size_t room = kQuotedBytes;
  for (std::string_view argument : arguments.subspan(1)) {
    if (room == 0) break;
    argument = argument.substr(0, room);
    room -= argument.size();
    text += '\'';
    text += argument;
    text += "' ";
  }
  reply.Error(text);
}

// A page in a visitor's browser may send an HTTP request here whose body has commands: the
// connection is closed before the body is read.
void Engine::EndHttp(Client& client) {
  ++statistics_.http_connections;
  client.closing = true;
  client.connection.Disconnect();
  if (uint64_t count = http_log_.Count(parts_.clock.Now())) {
    LOG_WARNING(
        "an HTTP request came to the Redis port, and its connection was closed: it may be "
        "an attack through a visitor's browser",
        {"peer", client.address}, {"count", count});
  }
}

// Other commands find no key of such a name.
bool Engine::CheckKeys(const CommandSpec& spec, Arguments arguments, ReplyWriter& reply) {
  if (spec.first_key == 0 || (spec.flags & (kDenyOom | kKeepsKeys)) == 0) return true;
  int last = spec.last_key < 0 ? static_cast<int>(arguments.size()) + spec.last_key : spec.last_key;
  for (int i = spec.first_key; i <= last && i < static_cast<int>(arguments.size());
       i += spec.key_step) {
    if (arguments[static_cast<size_t>(i)].size() <= kMaxKeyBytes) continue;
    reply.Error("ERR key is longer than " + std::to_string(kMaxKeyBytes) + " bytes");
    return false;
  }
  return true;
}

std::string Engine::RefusalOf(uint32_t flags, WriteWanted wanted) {
  if ((flags & kWrite) == 0) return {};
  std::string refusal = parts_.journal.refusal();
  if (!refusal.empty()) return "ERR writes are refused: " + refusal;
  return HasMemoryFor(flags, wanted) ? "" : std::string(kOutOfMemory);
}

bool Engine::HasMemoryFor(uint32_t flags, WriteWanted wanted) {
  size_t limit = options_.max_memory_bytes;
  if ((flags & kDenyOom) == 0 || limit == 0) return true;
  size_t before = keyspace_.used_bytes();
  bool hurries = before > limit + limit / kMemorySlack;
  if (keyspace_.EvictTo(limit, hurries ? kMaxUrgentEvictions : kMaxEvictions)) return true;
  // The next write and the sweep evict more.
  if (!keyspace_.has_evictable() || before / kMaxMemoryFactor > limit) return false;
  size_t freed = before - keyspace_.used_bytes();
  return !hurries || (!wanted.in_cache && wanted.bytes <= freed);
}

// A transaction was checked as a whole before; its requests are checked again for what they write.
std::string Engine::RefusalWithin(uint32_t flags, WriteWanted wanted) {
  if (keyspace_.change().size() > kMaxTransactionBytes) {
    return "ERR the transaction writes more than " + std::to_string(kMaxTransactionBytes) +
           " bytes";
  }
  size_t limit = options_.max_memory_bytes;
  bool over = limit != 0 && keyspace_.used_bytes() > limit + limit / kMemorySlack;
  return !over || HasMemoryFor(flags, wanted) ? "" : std::string(kOutOfMemory);
}

Engine::WriteWanted Engine::WantedBy(const CommandSpec& spec, Arguments arguments) const {
  WriteWanted wanted;
  auto first = static_cast<size_t>(spec.first_key);
  wanted.in_cache = first != 0 && first < arguments.size() && keyspace_.IsCache(arguments[first]);
  for (std::string_view argument : arguments) wanted.bytes += argument.size();
  return wanted;
}

bool Engine::BeginWrite(ReplyWriter& reply) {
  Result<void> begun = keyspace_.BeginWrite();
  if (begun) return true;
  reply.Error("ERR writes are refused: " + begun.error().message);
  return false;
}

bool Engine::Check(Client& client, const CommandSpec& spec, Arguments arguments,
                   ReplyWriter& reply) {
  if (!ArityFits(spec, arguments.size())) {
    reply.Error("ERR wrong number of arguments for '" + std::string(spec.name) + "' command");
    return false;
  }
  if (!client.authenticated && (spec.flags & kNoAuth) == 0) {
    reply.Error("NOAUTH Authentication required.");
    return false;
  }
  if ((spec.flags & kPubSub) == 0 && OnlyListens(client)) {
    reply.Error("ERR Can't execute '" + std::string(spec.name) +
                "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
                "this context");
    return false;
  }
  return CheckKeys(spec, arguments, reply);
}

void Engine::Enqueue(Client& client, const CommandSpec& spec, Arguments arguments,
                     ReplyWriter& reply) {
  Transaction& transaction = client.transaction;
  if (std::string refusal = RefusalOf(spec.flags, {}); !refusal.empty()) {
    transaction.broken = true;
    return reply.Error(refusal);
  }
  // With the memory that keeps them: an empty request takes some too.
  size_t bytes = sizeof(std::vector<std::string>);
  for (std::string_view argument : arguments) bytes += argument.size() + sizeof(std::string);
  if (transaction.queued_bytes + bytes > kMaxQueuedBytes) {
    transaction.broken = true;
    reply.Error("ERR the transaction is larger than " + std::to_string(kMaxQueuedBytes) + " bytes");
    return;
  }
  transaction.queued_bytes += bytes;
  transaction.queued.emplace_back(arguments.begin(), arguments.end());
  reply.SimpleString("QUEUED");
}

void Engine::Run(Client& client, const CommandSpec& spec, Arguments arguments, ReplyWriter& reply) {
  ++statistics_.commands;
  if ((spec.flags & kWrite) != 0) {
    WriteWanted wanted = options_.max_memory_bytes == 0 ? WriteWanted() : WantedBy(spec, arguments);
    std::string refusal =
        client.in_exec ? RefusalWithin(spec.flags, wanted) : RefusalOf(spec.flags, wanted);
    if (!refusal.empty()) return reply.Error(refusal);
    if (!BeginWrite(reply)) return;
  }
  Call call{*this, client, arguments, reply, spec.name};
  spec.handler(call);
}

void Engine::Execute(Client& client, Arguments arguments) {
  client.in_request = true;
  ExecuteOne(client, arguments);
  client.in_request = false;
  DeliverHeld(client);
}

void Engine::DeliverHeld(Client& client) {
  if (client.held.empty() || client.replying()) return;
  if (!client.output.Append(client.held.readable())) client.connection.Disconnect();
  client.output.CountMessage(client.held.size());
  client.held.Consume(client.held.size());
  client.held.ReleaseIfEmpty();
}

void Engine::ExecuteOne(Client& client, Arguments arguments) {
  ReplyWriter reply(&client.output, client.version);
  size_t before = reply.size();
  const CommandSpec* spec = FindCommand(arguments[0]);
  if (spec == nullptr && IsHttp(arguments[0])) return EndHttp(client);
  bool queues = client.transaction.open && (spec == nullptr || (spec->flags & kAtOnce) == 0);
  if (spec == nullptr || !Check(client, *spec, arguments, reply)) {
    if (spec == nullptr) RefuseUnknown(arguments, reply);
    ++statistics_.failed_commands;
    if (queues) client.transaction.broken = true;
  } else if (queues) {
    Enqueue(client, *spec, arguments, reply);
  } else {
    client.last_command = spec->name;
    Run(client, *spec, arguments, reply);
    Commit(client);
  }
  if (client.reply_mode == Client::ReplyMode::kOn) {
    if (!reply.ok()) client.connection.Disconnect();
    return;
  }
  // CLIENT REPLY OFF, or SKIP and the request behind it.
  if (client.reply_mode == Client::ReplyMode::kSkipThis) {
    client.reply_mode = Client::ReplyMode::kOn;
  } else if (client.reply_mode == Client::ReplyMode::kSkipNext) {
    client.reply_mode = Client::ReplyMode::kSkipThis;
  }
  reply.CutBack(before);
}

void Engine::ContinueReply(Client& client) {
  BeginBatch();
  ReplyWriter reply(&client.output, client.version);
  if (!client.long_reply->Continue(reply)) client.long_reply.reset();
  if (!reply.ok()) client.connection.Disconnect();
  DeliverHeld(client);
}

void Engine::Commit(Client& client) {
  bool must_sync = keyspace_.TakeMustSync();
  if (keyspace_.change().empty()) return;
  uint64_t offset = parts_.journal.Append(keyspace_.change().Take());
  if (must_sync) client.awaited_offset = std::max(client.awaited_offset, offset);
}

}  // namespace meridian::session
