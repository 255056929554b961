// Commands that publish and subscribe. A message reaches the subscribers of this data center.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "session/commands/handlers.hpp"
#include "session/engine/client.hpp"
#include "session/engine/command.hpp"
#include "session/engine/engine.hpp"
#include "session/engine/subscriptions.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {
namespace {

// A confirmation is a message, not a reply: CLIENT REPLY OFF and SKIP do not suppress it. There it
// is held until the replies are taken back.
void Confirm(Call& call, std::string_view what, std::string_view name) {
  bool replies = call.client.reply_mode == Client::ReplyMode::kOn;
  wire::resp::ReplyWriter held(&call.client.held, call.reply.version());
  wire::resp::ReplyWriter& reply = replies ? call.reply : held;
  reply.Push(3);
  reply.Bulk(what);
  if (name.data() == nullptr) {
    reply.Null();
  } else {
    reply.Bulk(name);
  }
  reply.Integer(static_cast<int64_t>(call.client.subscriptions()));
  if (!reply.ok()) call.client.connection.Disconnect();
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

void Channels(Call& call) {
  if (call.size() > 3) {
    return call.reply.Error("ERR unknown subcommand or wrong number of arguments for '" +
                            std::string(call[1]) + "'. Try PUBSUB HELP.");
  }
  std::vector<std::string_view> channels = call.engine.subscriptions().Channels(
      call.size() == 3 ? std::optional(call[2].substr(0, kMaxPatternBytes)) : std::nullopt);
  call.reply.Array(channels.size());
  for (std::string_view channel : channels) call.reply.Bulk(channel);
}

void SubscriberCounts(Call& call) {
  call.reply.Array((call.size() - 2) * 2);
  for (std::string_view channel : call.arguments.subspan(2)) {
    call.reply.Bulk(channel);
    call.reply.Integer(static_cast<int64_t>(call.engine.subscriptions().SubscribersOf(channel)));
  }
}

void PatternCount(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.engine.subscriptions().patterns()));
}

constexpr Subcommand kPubSubSubcommands[] = {
    {"CHANNELS", -2, &Channels, "CHANNELS [<pattern>]",
     "Return the channels that have subscribers and match the pattern."},
    {"NUMPAT", 2, &PatternCount, "NUMPAT", "Return the number of patterns subscribed to."},
    {"NUMSUB", -2, &SubscriberCounts, "NUMSUB [<channel> ...]",
     "Return the number of subscribers of each channel."},
};

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

void PubSub(Call& call) { call.Dispatch(kPubSubSubcommands); }

}  // namespace meridian::session
