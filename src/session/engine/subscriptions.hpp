// Subscriptions: which clients subscribe to which channels, and the messages to them. A subscriber
// with more than kMaxSubscriberBytes of unread messages is disconnected, so that it does not cost
// the others memory. Owned by the Engine; one thread. Invariant: a subscription is here and in the
// client's own sets.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "session/engine/client.hpp"

namespace meridian::session {

class Subscriptions {
 public:
  // False: it had subscribed before.
  bool Subscribe(Client& client, std::string_view channel);
  bool Unsubscribe(Client& client, std::string_view channel);
  bool SubscribePattern(Client& client, std::string_view pattern);
  bool UnsubscribePattern(Client& client, std::string_view pattern);
  // Removes all of the client's; before the client goes.
  void Forget(Client& client);

  // Number of clients that were sent the message.
  size_t Publish(std::string_view channel, std::string_view message);
  // Whether there is any subscription.
  bool any() const { return !channels_.empty() || !patterns_.empty(); }

  // Channels with subscribers that match the pattern; without a pattern: all.
  std::vector<std::string_view> Channels(std::optional<std::string_view> pattern) const;
  size_t channels() const { return channels_.size(); }
  size_t SubscribersOf(std::string_view channel) const;
  size_t patterns() const { return patterns_.size(); }
  uint64_t cut_off() const { return cut_off_; }

 private:
  using Clients = std::unordered_set<Client*>;
  using ByName = std::map<std::string, Clients, std::less<>>;

  static void Remove(ByName& from, std::string_view name, Client& client);
  // The clients that it was sent to have false.
  bool CutOff(Client& client);
  bool Send(Client& client, std::string_view pattern, std::string_view channel,
            std::string_view message);

  ByName channels_;
  ByName patterns_;
  uint64_t cut_off_ = 0;
};

}  // namespace meridian::session
