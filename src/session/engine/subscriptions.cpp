#include "session/engine/subscriptions.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/engine/client.hpp"
#include "session/engine/glob.hpp"
#include "session/limits.hpp"
#include "wire/resp/reply_writer.hpp"

namespace meridian::session {

bool Subscriptions::Subscribe(Client& client, std::string_view channel) {
  if (!client.channels.emplace(channel).second) return false;
  channels_[std::string(channel)].insert(&client);
  return true;
}

bool Subscriptions::SubscribePattern(Client& client, std::string_view pattern) {
  if (!client.patterns.emplace(pattern).second) return false;
  patterns_[std::string(pattern)].insert(&client);
  return true;
}

void Subscriptions::Remove(ByName& from, std::string_view name, Client& client) {
  auto found = from.find(name);
  if (found == from.end()) return;
  found->second.erase(&client);
  if (found->second.empty()) from.erase(found);
}

bool Subscriptions::Unsubscribe(Client& client, std::string_view channel) {
  Remove(channels_, channel, client);
  return client.channels.erase(std::string(channel)) != 0;
}

bool Subscriptions::UnsubscribePattern(Client& client, std::string_view pattern) {
  Remove(patterns_, pattern, client);
  return client.patterns.erase(std::string(pattern)) != 0;
}

void Subscriptions::Forget(Client& client) {
  for (const std::string& channel : client.channels) Remove(channels_, channel, client);
  for (const std::string& pattern : client.patterns) Remove(patterns_, pattern, client);
  client.channels.clear();
  client.patterns.clear();
}

bool Subscriptions::CutOff(Client& client) {
  ++cut_off_;
  client.closing = true;
  client.connection.Disconnect();
  return false;
}

bool Subscriptions::Send(Client& client, std::string_view pattern, std::string_view channel,
                         std::string_view message) {
  if (client.closing) return false;
  size_t waiting = client.output.message_bytes() + client.held.size();
  if (waiting + message.size() > kMaxSubscriberBytes) return CutOff(client);
  wire::resp::ReplyWriter writer(client.replying() ? &client.held : &client.output, client.version);
  size_t before = writer.size();
  writer.Push(pattern.empty() ? 3 : 4);
  writer.Bulk(pattern.empty() ? "message" : "pmessage");
  if (!pattern.empty()) writer.Bulk(pattern);
  writer.Bulk(channel);
  writer.Bulk(message);
  // The replies before it leave no room for the message.
  if (!writer.ok()) return CutOff(client);
  if (client.replying()) return true;
  client.output.CountMessage(writer.size() - before);
  client.connection.OnMessages();
  return true;
}

size_t Subscriptions::Publish(std::string_view channel, std::string_view message) {
  size_t receivers = 0;
  auto found = channels_.find(channel);
  if (found != channels_.end()) {
    for (Client* client : found->second) {
      receivers += static_cast<size_t>(Send(*client, {}, channel, message));
    }
  }
  for (const auto& [pattern, clients] : patterns_) {
    if (!MatchesGlob(pattern, channel)) continue;
    for (Client* client : clients) {
      receivers += static_cast<size_t>(Send(*client, pattern, channel, message));
    }
  }
  return receivers;
}

std::vector<std::string_view> Subscriptions::Channels(
    std::optional<std::string_view> pattern) const {
  std::vector<std::string_view> channels;
  for (const auto& [channel, clients] : channels_) {
    if (!pattern || MatchesGlob(*pattern, channel)) channels.push_back(channel);
  }
  return channels;
}

size_t Subscriptions::SubscribersOf(std::string_view channel) const {
  auto found = channels_.find(channel);
  return found == channels_.end() ? 0 : found->second.size();
}

}  // namespace meridian::session
