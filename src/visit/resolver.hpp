// The decisions of a resolver: what it still knows, whom it asks next, what an answer says. Pure:
// time is handed in, and whoever owns it (DnsClient) does the asking.
//
// It keeps answers, negative ones too, for their TTL (RFC 1035, RFC 2308), and failures not at all.
// One question has one answer: a resolver here stands for one visitor, whose subnet stays the same.
// It holds as many answers as it is asked questions: three for each URL.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "visit/record.hpp"
#include "wire/dns/response.hpp"

namespace meridian::visit {

// What `response` says to `question`. kUnavailable: the server could not answer (SERVFAIL, REFUSED
// and so on); kInvalid: it answered with an alias, which no server of a site does.
Result<DnsAnswer> ReadAnswer(const wire::dns::Response& response,
                             const wire::dns::Question& question);

class Resolver {
 public:
  // At least one server, in the order of preference.
  explicit Resolver(std::vector<DnsServer> servers);

  // Null: it is not known, or not any more. Valid until the next call that is not const.
  const DnsAnswer* Find(const wire::dns::Question& question, TimePoint now) const;

  // Indices of the servers to ask, one after the other until one answers: those first that have
  // not been silent of late, the others last, longest silence first.
  std::vector<size_t> ServersToAsk(TimePoint now) const;
  const DnsServer& server(size_t index) const { return servers_[index].server; }

  void OnAnswer(size_t server, const wire::dns::Question& question, const DnsAnswer& answer,
                TimePoint now);
  // It did not answer, or not usefully.
  void OnSilence(size_t server, TimePoint now);

 private:
  struct Server {
    DnsServer server;
    TimePoint silent_until{};
  };
  struct CachedAnswer {
    wire::dns::Question question;
    DnsAnswer answer;
    TimePoint expires;
  };

  std::vector<Server> servers_;
  std::vector<CachedAnswer> cache_;
};

}  // namespace meridian::visit
