// Commands that publish and subscribe. A message reaches the subscribers of this data center.
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "session/client.hpp"
#include "session/command.hpp"
#include "session/engine.hpp"
#include "session/handlers.hpp"
#include "session/limits.hpp"
#include "session/subscriptions.hpp"

namespace meridian::session {
namespace {

void Confirm(Call& call, std::string_view what, std::string_view name) {
  call.reply.Push(3);
  call.reply.Bulk(what);
  if (name.data() == nullptr) {
    call.reply.Null();
  } else {
    call.reply.Bulk(name);
  }
  call.reply.Integer(static_cast<int64_t>(call.client.subscriptions()));
}

bool HasRoom(Call& call) {
  bool too_long = false;
  for (std::string_view name : call.arguments.subspan(1)) too_long |= name.size() > kMaxKeyBytes;
  if (!too_long && call.client.subscriptions() + call.size() - 1 <= kMaxSubscriptions) return true;
  call.reply.Error(too_long ? "ERR channel name is too long" : "ERR too many subscriptions");
  return false;
}

using Change = bool (Subscriptions::*)(Client&, std::string_view);

// The channels (patterns) of the arguments; without any, all that the client has.
void Leave(Call& call, const std::unordered_set<std::string>& all, Change change,
           std::string_view what) {
  std::vector<std::string> names(call.arguments.begin() + 1, call.arguments.end());
  if (names.empty()) names.assign(all.begin(), all.end());
  if (names.empty()) return Confirm(call, what, {});
  for (const std::string& name : names) {
    (call.engine.subscriptions().*change)(call.client, name);
    Confirm(call, what, name);
  }
}

}  // namespace

void Subscribe(Call& call) {
  if (!HasRoom(call)) return;
  for (std::string_view channel : call.arguments.subspan(1)) {
    call.engine.subscriptions().Subscribe(call.client, channel);
    Confirm(call, "subscribe", channel);
  }
}

void PSubscribe(Call& call) {
  if (!HasRoom(call)) return;
  for (std::string_view pattern : call.arguments.subspan(1)) {
    call.engine.subscriptions().SubscribePattern(call.client, pattern);
    Confirm(call, "psubscribe", pattern);
  }
}

void Unsubscribe(Call& call) {
  Leave(call, call.client.channels, &Subscriptions::Unsubscribe, "unsubscribe");
}

void PUnsubscribe(Call& call) {
  Leave(call, call.client.patterns, &Subscriptions::UnsubscribePattern, "punsubscribe");
}

void Publish(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.engine.subscriptions().Publish(call[1], call[2])));
}

void PubSub(Call& call) {
  Subscriptions& subscriptions = call.engine.subscriptions();
  if (call.Is(1, "CHANNELS")) {
    if (call.size() > 3) return call.WrongCount("pubsub|channels");
    std::vector<std::string_view> channels =
        subscriptions.Channels(call.size() == 3 ? call[2].substr(0, kMaxPatternBytes) : "");
    call.reply.Array(channels.size());
    for (std::string_view channel : channels) call.reply.Bulk(channel);
  } else if (call.Is(1, "NUMSUB")) {
    call.reply.Array((call.size() - 2) * 2);
    for (std::string_view channel : call.arguments.subspan(2)) {
      call.reply.Bulk(channel);
      call.reply.Integer(static_cast<int64_t>(subscriptions.SubscribersOf(channel)));
    }
  } else if (call.Is(1, "NUMPAT")) {
    if (call.size() != 2) return call.WrongCount("pubsub|numpat");
    call.reply.Integer(static_cast<int64_t>(subscriptions.patterns()));
  } else {
    call.UnknownSubcommand();
  }
}

}  // namespace meridian::session
